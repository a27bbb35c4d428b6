"""One sender a ledger: a lock that the kernel drops with its process, since pools do not guard the command line."""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
from filelock import FileLock, Timeout

from tinyemo_data.synthesis.ledger import timestamp


@contextmanager
def sole_sender(ledger: Path, waiting: Callable[[str], None] | None = None) -> Iterator[None]:
    """Hold the right to send for `ledger`; while another process has it, say for whom we wait, and wait."""
    lock = FileLock(f"{ledger}.lock")
    holder = Path(f"{ledger}.sender.json")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        if waiting is not None:
            waiting(f"Another run is asking for the same ledger ({_described(holder)}): waiting until it has ended.")
        lock.acquire()
    try:
        here = {"process": os.getpid(), "machine": socket.gethostname(), "since": timestamp()}
        holder.write_bytes(orjson.dumps(here))
        yield
    finally:
        lock.release()


def _described(holder: Path) -> str:
    try:
        found = orjson.loads(holder.read_bytes())
        return f"process {found['process']} on {found['machine']}, since {found['since']}"
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError):
        return "it does not say which"
