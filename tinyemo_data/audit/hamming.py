"""Pairs of 64-bit hashes that differ in few bits: every pair is compared, block by block, by population count.

A block's intermediate results fit in a core's cache, so that 120,000 hashes (7.2 thousand million pairs) take
seconds, and memory does not grow with their number. NumPy lets go of the interpreter's lock in between, so
that threads compare blocks side by side.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from tinyemo_data.errors import TableError

ROWS, COLUMNS = 16, 8_192  # of one block of comparisons: about a megabyte of intermediate results
BAND = 2_048  # rows that a thread compares before it hands over what it found
DIGITS = 16

Hashes = npt.NDArray[np.uint64]
Indices = npt.NDArray[np.int64]


def parse_hashes(hashes: Iterable[str]) -> Hashes:
    """Return hashes of 16 hex digits as (N,) uint64. Raises TableError for anything else."""
    texts = list(hashes)
    wrong = next((text for text in texts if len(text) != DIGITS), None)
    if wrong is not None:
        raise TableError(f"phash '{wrong}' has {len(wrong)} digits; expected {DIGITS}. {_MEND}")
    try:
        content = bytes.fromhex("".join(texts))
    except ValueError as exc:
        raise TableError(f"a phash has a digit that is not hexadecimal ({exc}). {_MEND}") from exc
    if len(content) * 2 != DIGITS * len(texts):  # fromhex skips blanks
        raise TableError(f"a phash holds blanks; expected {DIGITS} hexadecimal digits. {_MEND}")
    return np.frombuffer(content, dtype=">u8").astype(np.uint64)


_MEND = "Materialize the samples again."


def pairs_within(
    hashes: Hashes, radius: int, advance: Callable[[int], None] | None = None
) -> Iterator[tuple[Indices, Indices]]:
    """Yield positions (first < second) of hashes that differ in at most `radius` bits, a band of rows at a time.

    Every such pair comes exactly once, in a fixed order; `advance` is told the rows that are done.
    """
    starts = range(0, len(hashes), BAND)
    threads = os.cpu_count() or 1
    waiting: deque[Future[tuple[Indices, Indices]]] = deque()
    with ThreadPoolExecutor(threads, thread_name_prefix="hamming") as pool:
        for start in starts:
            waiting.append(pool.submit(_compare_band, hashes, start, radius))
            if len(waiting) > threads:
                yield _hand_over(waiting, advance)
        while waiting:
            yield _hand_over(waiting, advance)


def _hand_over(
    waiting: deque[Future[tuple[Indices, Indices]]], advance: Callable[[int], None] | None
) -> tuple[Indices, Indices]:
    found = waiting.popleft().result()
    if advance is not None:
        advance(BAND)
    return found


def _compare_band(hashes: Hashes, start: int, radius: int) -> tuple[Indices, Indices]:
    """Compare the rows of one band with themselves and everything after them."""
    differing = np.empty((ROWS, COLUMNS), dtype=np.uint64)
    bits = np.empty((ROWS, COLUMNS), dtype=np.uint8)
    found: list[tuple[Indices, Indices]] = []
    for top in range(start, min(start + BAND, len(hashes)), ROWS):
        rows = hashes[top : min(top + ROWS, start + BAND), None]
        for left in range(top, len(hashes), COLUMNS):
            columns = hashes[None, left : left + COLUMNS]
            window = (slice(len(rows)), slice(columns.shape[1]))
            np.bitwise_xor(rows, columns, out=differing[window])
            np.bitwise_count(differing[window], out=bits[window])
            close = bits[window] <= radius
            if close.any():
                row, column = np.nonzero(close)
                found.append((row + top, column + left))
    return _above_diagonal(found)


def _above_diagonal(found: list[tuple[Indices, Indices]]) -> tuple[Indices, Indices]:
    first = np.concatenate([np.empty(0, np.int64), *(rows for rows, _ in found)])
    second = np.concatenate([np.empty(0, np.int64), *(columns for _, columns in found)])
    keep = first < second
    return first[keep], second[keep]
