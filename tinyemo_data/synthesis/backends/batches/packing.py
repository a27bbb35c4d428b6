"""Packing: requests become the JSON of a batch, by bytes and by count, spooled to a file that has no name.

At 2 kB of system text a request the bytes bind first, and a batch held in memory would be hundreds of megabytes.
"""

import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tinyemo_data.errors import SynthesisError
from tinyemo_data.synthesis.backends.batches.batch import Enclosed

HEAD, BETWEEN, TAIL = b'{"requests":[', b",", b"]}"
BUFFER, BLOCK = 1 << 20, 1 << 16  # bytes


@dataclass(frozen=True, slots=True)
class Limits:
    """What a batch may hold, and how many may be under way.

    The API takes 100,000 requests and 256 MB. `patience_seconds` is how long after a lost reply a batch may still
    turn up in the list: as long as the service may work at one call.
    """

    requests: int = 100_000
    bytes: int = 250_000_000
    under_way: int = 4
    patience_seconds: float = 600.0
    threads: int = 4  # that read pictures


class Pack:
    """Requests that will be one batch."""

    def __init__(self, folder: Path, limits: Limits) -> None:
        """Spool to `folder`. Raises SynthesisError where that can't be written."""
        self.enclosed: list[Enclosed] = []
        self._limits = limits
        self.size = len(HEAD) + len(TAIL)
        try:
            self._file: IO[bytes] = tempfile.TemporaryFile(dir=folder, buffering=BUFFER)  # noqa: SIM115
        except OSError as exc:
            raise _no_room(folder, exc) from exc
        self._folder = folder
        self._file.write(HEAD)

    def __len__(self) -> int:
        return len(self.enclosed)

    def has_room(self, content: bytes) -> bool:
        """Tell whether one more request fits; the first always does."""
        fits = self.size + len(BETWEEN) + len(content) <= self._limits.bytes
        return not self.enclosed or (fits and len(self.enclosed) < self._limits.requests)

    def add(self, one: Enclosed, content: bytes) -> None:
        """Append a request. Raises SynthesisError where the disk is full."""
        try:
            if self.enclosed:
                self._file.write(BETWEEN)
                self.size += len(BETWEEN)
            self._file.write(content)
        except OSError as exc:
            raise _no_room(self._folder, exc) from exc
        self.size += len(content)
        self.enclosed.append(one)

    def seal(self) -> None:
        """End the spooling. Raises SynthesisError where the disk is full."""
        try:
            self._file.flush()
        except OSError as exc:
            raise _no_room(self._folder, exc) from exc

    def content(self, before_the_end: Callable[[], None] = lambda: None) -> Iterator[bytes]:
        """Yield the JSON, `size` bytes; `before_the_end` is called before the last ones, without which it is none."""
        self._file.seek(0)
        while block := self._file.read(BLOCK):
            yield block
        before_the_end()
        yield TAIL

    def close(self) -> None:
        """Free the disk."""
        self._file.close()


def pack_all(entries: Iterable[tuple[Enclosed, bytes]], folder: Path, limits: Limits) -> Iterator[Pack]:
    """Yield packs of as many requests as fit, each to be closed by whoever takes it."""
    pack = Pack(folder, limits)
    for one, content in entries:
        if not pack.has_room(content):
            yield pack
            pack = Pack(folder, limits)
        pack.add(one, content)
    if len(pack):
        yield pack
    else:
        pack.close()


def _no_room(folder: Path, exc: OSError) -> SynthesisError:
    return SynthesisError(
        f"{folder}: a batch can't be spooled there ({exc.strerror}). It needs up to 256 MB free and write permission; "
        "nothing of it was sent. Mend that and run the same again."
    )
