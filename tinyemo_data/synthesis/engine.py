"""Asking: requests leave as fast as budget, rate and slots allow, and every reply is on disk before it counts.

What was answered before is not asked again, whoever asked. A kill costs at most what was in flight; an interrupt
drains it. Memory holds a bounded number of requests, whatever their number.
"""

import asyncio
import logging
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from tinyemo_data.progress import Meter, Report
from tinyemo_data.synthesis.backends.online import Arrived, OnlineBackend
from tinyemo_data.synthesis.backends.picture import PictureGoneError, read_picture
from tinyemo_data.synthesis.budget import Budget, wall_reached
from tinyemo_data.synthesis.failures import (
    OwnFaultError,
    RateLimitedError,
    StoppedError,
    TransientError,
    policy,
)
from tinyemo_data.synthesis.ledger import Ledger, Sent, Settlement
from tinyemo_data.synthesis.outgoing import Outgoing
from tinyemo_data.synthesis.pricing import Price, price_of
from tinyemo_data.synthesis.rate import RateControl
from tinyemo_data.synthesis.reply import Usage
from tinyemo_data.synthesis.settling import Desk, Settling

LOG = logging.getLogger(__name__)
BLOCK = 64  # requests that are planned, and written down as sent, in one transaction
WAITING_A_SLOT = 2  # requests under way a slot: those that wait to be sent again hold none
HOPELESS = 20  # requests of a prompt that the service refuses before any is answered
DOWN = 20  # requests given up in a row
ROOM_SECONDS = 0.05  # between looks whether the budget has room
UNTOLD = Usage()  # what a server counts that counts nothing
TOLD = 20  # pictures that are gone: a report does not grow with their number


@dataclass
class AskReport:
    """What asking came to."""

    total: int = 0
    cached: int = 0  # answered before, or given up for good before
    answered: int = 0
    refused: Counter[str] = field(default_factory=Counter)  # the request's own fault, by what the service said
    given_up: Counter[str] = field(default_factory=Counter)  # transient to the end: asked again next time
    retries: Counter[str] = field(default_factory=Counter)
    pictures_gone: int = 0
    first_gone: list[str] = field(default_factory=list)  # for people: the first of them
    cache_write_tokens: int = 0
    cache_read_tokens: int = 0
    spent_usd: float = 0.0  # by this run
    seconds: float = 0.0

    @property
    def done(self) -> int:
        """Return how many requests need no more asking."""
        return self.cached + self.answered + sum(self.refused.values())


class _HaltedError(Exception):
    """This request stops because the run does; it is no failure of its own."""


@dataclass(slots=True)
class _Flight:
    """One request under way."""

    outgoing: Outgoing
    body: dict[str, Any]
    price: Price
    bound: float  # the most that one sending of it can cost
    is_reserved: bool = True  # is a bound at risk for a sending that has not ended?

    @property
    def digest(self) -> str:
        return self.outgoing.digest


class Asker:
    """Asks the open requests of a stream, once each."""

    def __init__(
        self,
        ledger: Ledger,
        backend: OnlineBackend,
        budget: Budget,
        concurrency: int,
        *,
        unpriced: bool = False,
        report: Report | None = None,
    ) -> None:
        """Send through `backend`, at most `concurrency` at once, within `budget`."""
        self._ledger, self._backend, self._budget = ledger, backend, budget
        self._concurrency, self._unpriced, self._tell = concurrency, unpriced, report
        self._rate = RateControl()
        self._under_way: set[asyncio.Task[None]] = set()
        self._seen: set[str] = set()  # digests under way: one question may stand for two records
        self._answered_prompts: set[str] = set()
        self._hopeless: dict[str, list[Settlement]] = {}
        self._given_up_in_a_row = 0
        self._waiting_for_room = 0  # requests under way that wait for a second reservation
        self._wall: float | None = None  # what did not fit the budget
        self._last_failure: TransientError | None = None
        self._wake_at = 0  # requests under way at which the dispatcher wants to go on
        self._halt_reason: Exception | None = None
        # These find their loop when first waited for.
        self._halted, self._changed = asyncio.Event(), asyncio.Event()
        self._slots = asyncio.Semaphore(concurrency)
        self._desk = Desk()
        self._settling = Settling(ledger, self._desk)
        self.result = AskReport()

    def run(self, chunks: Iterable[Sequence[Outgoing]], total: int) -> AskReport:
        """Ask everything that is open; blocks until it is done, and returns what it came to.

        Raises BudgetError at the wall, StoppedError where no request would be taken, and what interrupts it, in each
        case after what was in flight has been written down.
        """
        self.result.total = total
        self._meter = Meter(total, self._tell)
        loop_thread = _LoopThread(self._ask(iter(chunks)), self._halt)
        try:
            loop_thread.join()
        finally:
            self.result.seconds = self._meter.seconds
        return self.result

    async def _ask(self, chunks: Iterator[Sequence[Outgoing]]) -> None:
        self._loop = asyncio.get_running_loop()
        try:
            async with self._backend:
                try:
                    await self._dispatch_all(chunks)
                except BaseException:
                    self._halt()
                    raise
                finally:
                    while self._under_way:
                        await asyncio.wait(set(self._under_way))
            await self._give_back_hopeless()
        finally:
            self._desk.close()
        if self._halt_reason is None and self._wall is not None:
            raise wall_reached(self._budget, self.result.done, self.result.total, self._wall)
        if self._halt_reason is None and self._last_failure is not None and not self.result.answered:
            raise _down(self._backend.name, self.result.given_up.total(), self._last_failure)
        if self._halt_reason is not None:
            raise self._halt_reason

    async def _dispatch_all(self, chunks: Iterator[Sequence[Outgoing]]) -> None:
        while not self._halted.is_set():
            chunk = await self._desk(next, chunks, None)
            if chunk is None:
                return
            await self._dispatch(chunk)

    def _halt(self, reason: Exception | None = None) -> None:
        if self._halt_reason is None:
            self._halt_reason = reason
        self._halted.set()
        self._changed.set()

    async def _dispatch(self, chunk: Sequence[Outgoing]) -> None:
        # A few at a time: replies that wait to be written down wait behind this.
        for start in range(0, len(chunk), BLOCK):
            part = chunk[start : start + BLOCK]
            by_digest = {one.digest: one for one in part}
            still_open = await self._desk(self._ledger.open_of, list(by_digest))
            fresh = [by_digest[digest] for digest in still_open if digest not in self._seen]
            self._count_cached(len(part) - len(fresh))
            if fresh:
                await self._desk(self._ledger.plan, [(one.digest, one.canonical) for one in fresh])
                await self._wait_for_room(WAITING_A_SLOT * self._concurrency - BLOCK)
                await self._send_block(fresh)
            if self._halted.is_set():
                return

    def _count_cached(self, count: int) -> None:
        if count:
            self.result.cached += count
            self._meter.advance(count)

    async def _send_block(self, block: Sequence[Outgoing]) -> None:
        """Reserve what the block can cost, write it down as sent, and set it off."""
        afforded: list[_Flight] = []
        for one in block:
            body = one.body
            price = price_of(body["model"], self._unpriced)
            flight = _Flight(one, body, price, price.bound(body, len(one.canonical)))
            if not self._budget.reserve(flight.bound) and not await self._find_room(flight.bound, afforded):
                self._hit_the_wall(flight.bound)
                break
            afforded.append(flight)
        await self._set_off(afforded)

    async def _find_room(self, bound: float, afforded: list[_Flight]) -> bool:
        """Wait until replies have settled enough of what is at risk for `bound`; False where they can't."""
        await self._set_off(afforded)
        while not self._halted.is_set():
            if self._budget.reserve(bound):
                return True
            if not self._under_way:
                return False
            await self._wait_for_room(len(self._under_way) - 1)
        return False

    def _hit_the_wall(self, bound: float) -> None:
        self._wall = bound
        self._halt()

    async def _set_off(self, afforded: list[_Flight]) -> None:
        if not afforded:
            return
        sent = [Sent(flight.digest, flight.bound) for flight in afforded]
        await self._desk(self._ledger.mark_sent, sent, self._backend.name)
        for flight in afforded:
            self._seen.add(flight.digest)
            task = self._loop.create_task(self._one(flight))
            self._under_way.add(task)
            task.add_done_callback(self._ended)
        afforded.clear()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        if len(self._under_way) <= self._wake_at:
            self._changed.set()
        if not task.cancelled() and task.exception() is not None:
            # A fault of the program or the disk: nothing may go on as if it had been written down.
            failure = task.exception()
            self._halt(failure if isinstance(failure, Exception) else None)

    async def _wait_for_room(self, most: int) -> None:
        """Wait until at most `most` requests are under way, or the run halts."""
        self._wake_at = max(0, most)
        while len(self._under_way) > self._wake_at and not self._halted.is_set():
            self._changed.clear()
            await self._changed.wait()

    async def _one(self, flight: _Flight) -> None:
        """See one request through to its settlement."""
        try:
            picture = await self._read_picture(flight)
            await self._send(flight, picture)
        except PictureGoneError as exc:
            self.result.pictures_gone += 1
            if len(self.result.first_gone) < TOLD:
                self.result.first_gone.append(str(exc))
            await self._release(flight, "picture gone")
        except OwnFaultError as exc:
            await self._fail(flight, str(exc))
        except TransientError as exc:
            await self._give_up(flight, exc)
        except _HaltedError:
            await self._release(flight, "run stopped")
        except StoppedError as exc:
            await self._release(flight, type(exc).__name__)
            self._halt(exc)
        finally:
            self._seen.discard(flight.digest)

    async def _read_picture(self, flight: _Flight) -> bytes | None:
        wanted, path = flight.body["picture"], flight.outgoing.picture
        if not wanted or path is None or not self._backend.sends_pictures:
            return None
        return await asyncio.to_thread(read_picture, path, wanted["sha256"], wanted["side"])

    async def _send(self, flight: _Flight, picture: bytes | None) -> None:
        """Send one request, again and again as the policy says, and keep its reply."""

        async def attempt() -> None:
            if self._halted.is_set():
                raise _HaltedError
            if not flight.is_reserved:
                await self._reserve_again(flight)
            await self._rate.turn(self._pause)
            # A slot is held until the reply is on disk: a kill loses no more than there are slots.
            async with self._slots:
                if self._halted.is_set():
                    raise _HaltedError
                try:
                    arrived = await self._backend.send(flight.digest, flight.body, picture)
                except TransientError as exc:
                    await self._stumbled(flight, exc)
                    raise
                await self._keep(flight, arrived)

        try:
            await attempt()
        except TransientError as exc:
            await self._try_again(attempt, exc)

    async def _try_again(self, attempt: Callable[[], Awaitable[None]], failure: TransientError) -> None:
        """Go on after a first failure as the policy says; requests that go well at once never pay for it."""
        before: list[TransientError] = [failure]

        async def first_or_next() -> None:
            if before:
                raise before.pop()
            await attempt()

        await policy(sleep=self._pause)(first_or_next)

    async def _stumbled(self, flight: _Flight, failure: TransientError) -> None:
        """Count a transient failure; what may have been billed stays at risk."""
        self.result.retries[_kind(failure)] += 1
        if isinstance(failure, RateLimitedError):
            self._rate.refused()
        if failure.maybe_billed:
            unknown = Settlement(flight.digest, "unknown", 0.0, self._backend.name, detail=str(failure)[:200])
            await self._settling.write(unknown)
            flight.is_reserved = False

    async def _reserve_again(self, flight: _Flight) -> None:
        """Put as much at risk anew before trying again; wait for it while others may settle."""
        self._waiting_for_room += 1
        try:
            while not self._budget.reserve(flight.bound):
                if self._waiting_for_room >= len(self._under_way):
                    self._hit_the_wall(flight.bound)
                await self._pause(ROOM_SECONDS)
        finally:
            self._waiting_for_room -= 1
        flight.is_reserved = True
        await self._desk(self._ledger.mark_sent, [Sent(flight.digest, flight.bound)], self._backend.name)

    async def _pause(self, seconds: float) -> None:
        """Wait before trying again, but not beyond the run's end."""
        if seconds <= 0:
            return
        try:
            await asyncio.wait_for(self._halted.wait(), seconds)
        except TimeoutError:
            return
        raise _HaltedError

    async def _keep(self, flight: _Flight, arrived: Arrived) -> None:
        self._rate.took(arrived.headers)
        reply = arrived.reply
        # A reply that does not say what it cost is taken to have cost the most.
        usd = flight.price.cost(reply.usage) if reply.usage != UNTOLD else flight.bound
        await self._settling.write(Settlement(flight.digest, "answered", flight.bound, reply.backend, usd, reply))
        self._budget.settle(flight.bound, usd)
        self._given_up_in_a_row = 0
        self.result.answered += 1
        self.result.spent_usd += usd
        self.result.cache_write_tokens += reply.usage.cache_write_tokens
        self.result.cache_read_tokens += reply.usage.cache_read_tokens
        await self._believe_in(flight.body["system"])
        self._meter.advance(1, f"${self.result.spent_usd:,.2f}" if self.result.spent_usd else "")

    async def _believe_in(self, prompt: str) -> None:
        """A prompt that was answered once is sound: what it was refused for is the fault of those requests."""
        if prompt in self._answered_prompts:
            return
        self._answered_prompts.add(prompt)
        for settlement in self._hopeless.pop(prompt, []):
            await self._record_failure(settlement)

    async def _fail(self, flight: _Flight, what: str) -> None:
        prompt = flight.body["system"]
        settlement = Settlement(flight.digest, "failed", flight.bound, self._backend.name, detail=what)
        if prompt not in self._answered_prompts and prompt not in self._hopeless:
            self._hopeless[prompt] = []
            if await self._desk(self._ledger.has_answers, prompt):
                await self._believe_in(prompt)
        if prompt in self._answered_prompts:
            await self._record_failure(settlement)
            return
        held = self._hopeless[prompt]
        held.append(settlement)
        if len(held) >= HOPELESS:
            self._halt(_hopeless(held))

    async def _record_failure(self, settlement: Settlement) -> None:
        self.result.refused[(settlement.detail or "")[:80]] += 1
        await self._settle(settlement)
        self._meter.advance(1)

    async def _give_back_hopeless(self) -> None:
        """A prompt of which nothing was ever answered is at fault itself: its requests stay open."""
        for held in filter(None, self._hopeless.values()):
            for one in held:
                await self._settle(Settlement(one.digest, "released", one.released_usd, one.backend, detail=one.detail))
            if self._halt_reason is None:
                self._halt_reason = _hopeless(held)

    async def _give_up(self, flight: _Flight, failure: TransientError) -> None:
        self.result.given_up[_kind(failure)] += 1
        await self._release(flight, str(failure)[:200])
        self._given_up_in_a_row += 1
        self._last_failure = failure
        if self._given_up_in_a_row >= DOWN:
            self._halt(_down(self._backend.name, self._given_up_in_a_row, failure))

    async def _release(self, flight: _Flight, why: str) -> None:
        """Give back what is at risk for a sending that surely cost nothing; what is unknown stays."""
        if flight.is_reserved:
            await self._settle(Settlement(flight.digest, "released", flight.bound, self._backend.name, detail=why))

    async def _settle(self, settlement: Settlement) -> None:
        await self._settling.write(settlement)
        self._budget.settle(settlement.released_usd, 0.0)


class _LoopThread:
    """Runs a coroutine in an event loop of its own thread, so that an interrupt of this one can let it drain."""

    def __init__(self, coroutine: Any, halt: Callable[[], None]) -> None:
        self._coroutine, self._halt = coroutine, halt
        self._failure: BaseException | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="synthesis", daemon=True)

    def join(self) -> None:
        self._thread.start()
        try:
            self._wait()
        except BaseException:
            LOG.warning("Stopping: what is in flight is waited for, so that no reply is lost.")
            self._loop.call_soon_threadsafe(self._halt)
            self._wait()
            raise
        if self._failure is not None:
            raise self._failure

    def _wait(self) -> None:
        # In short waits: one long join would not let an interrupt through everywhere.
        while self._thread.is_alive():
            self._thread.join(0.2)

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
                runner.run(self._coroutine)
        except BaseException as exc:  # noqa: BLE001 - raised again by the thread that waits
            self._failure = exc


def _kind(failure: TransientError) -> str:
    return "rate limit" if isinstance(failure, RateLimitedError) else str(failure).split(":", 1)[0][:60]


def _hopeless(held: Sequence[Settlement]) -> StoppedError:
    return StoppedError(
        f"The service takes no request of one prompt: {len(held)} were refused and none answered, the first with "
        f"'{held[0].detail}'. Mend the prompt, the model or the settings; nothing of it was billed or written off."
    )


def _down(backend: str, count: int, failure: TransientError) -> StoppedError:
    return StoppedError(
        f"The service of '{backend}' fails: {count} requests in a row were given up, at last with '{failure}'. "
        "Everything that was answered is kept; run the same again when it is well."
    )
