"""Group commit: what comes in while one transaction is written goes into the next, and all wait for their own."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from tinyemo_data.synthesis.ledger import Ledger, Settlement

T = TypeVar("T")

GATHER_SECONDS = 0.002  # a transaction costs as much for one reply as for ten


class Desk:
    """One thread in which all of a run's work on the ledger is done, one after the other.

    In the threads of a pool the allocator would keep an arena for each, and a long run would hold all they ever held.
    """

    def __init__(self) -> None:
        """Start no thread before there is work."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ledger")

    async def __call__(self, work: Callable[..., T], *arguments: Any) -> T:
        """Do the work and return what it returns, without blocking the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)

    def close(self) -> None:
        """End the thread when its work is done."""
        self._thread.shutdown(wait=False)


class Settling:
    """Writes settlements to the ledger from an event loop without blocking it."""

    def __init__(self, ledger: Ledger, desk: Desk) -> None:
        """Write to `ledger` at `desk`."""
        self._ledger, self._desk = ledger, desk
        self._gathered: list[Settlement] = []
        self._written: asyncio.Future[None] | None = None
        self._busy = False
        self._tasks: set[asyncio.Task[None]] = set()

    async def write(self, settlement: Settlement) -> None:
        """Return when the settlement is on disk."""
        loop = asyncio.get_running_loop()
        if self._written is None:
            self._written = loop.create_future()
        self._gathered.append(settlement)
        written = self._written
        if not self._busy:
            self._busy = True
            task = loop.create_task(self._commit())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        # Shared by all of a transaction; nobody who waits is ever cancelled while the loop runs.
        await written

    async def _commit(self) -> None:
        while self._gathered and self._written is not None:
            await asyncio.sleep(GATHER_SECONDS)
            batch, written = self._gathered, self._written
            self._gathered, self._written = [], None
            try:
                await self._desk(self._ledger.settle, batch)
            except Exception as exc:  # noqa: BLE001 - told to everybody who waits for this transaction
                written.set_exception(exc)
                continue
            written.set_result(None)
        self._busy = False
