"""Words of many texts at once, as numbers: for repetition, and for the shingles of near-duplicates.

A word is a run of ASCII letters, digits and bytes beyond ASCII, an apostrophe inside it included. Its number is FNV-1a
(Fowler, Noll and Vo; 64 bits) of its bytes, scrambled as splitmix64 does (Steele, Lea and Flood 2014), since FNV of
short words differs in few bits: the same on every machine.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

OFFSET, PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)
LONGEST = 64  # bytes of a word that count
APOSTROPHE = ord("'")

Hashes = npt.NDArray[np.uint64]
Positions = npt.NDArray[np.int64]


def _word_bytes() -> npt.NDArray[np.bool_]:
    table = np.zeros(256, dtype=np.bool_)
    table[[*range(ord("0"), ord("9") + 1), *range(ord("a"), ord("z") + 1), *range(ord("A"), ord("Z") + 1)]] = True
    table[128:] = True
    return table


IS_WORD = _word_bytes()


@dataclass(frozen=True)
class Words:
    """The words of n texts: those of text i are `hashes[starts[i]:starts[i + 1]]`."""

    hashes: Hashes  # (words,)
    starts: Positions  # (n + 1,)

    @property
    def counts(self) -> Positions:
        """Return the number of words of each text, (n,)."""
        return np.diff(self.starts)

    def grams(self, size: int) -> "Words":
        """Return the runs of `size` words as words of their own; none goes from one text into the next."""
        counts = np.maximum(self.counts - (size - 1), 0)
        starts = np.concatenate([[0], np.cumsum(counts)])
        # The i-th gram of a text begins at its i-th word.
        first = np.repeat(self.starts[:-1] - starts[:-1], counts) + np.arange(starts[-1])
        combined = np.full(len(first), OFFSET)
        for step in range(size):
            combined = scramble(combined * PRIME + self.hashes[first + step])
        return Words(combined, starts)

    def whole(self) -> Hashes:
        """Return one number for each text, made of its words in their order, (n,)."""
        place = np.arange(len(self.hashes)) - np.repeat(self.starts[:-1], self.counts)
        terms = scramble(self.hashes + place.astype(np.uint64) * PRIME)
        # Sums wrap around; a difference of them does so too.
        sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(terms, dtype=np.uint64)])
        hashes: Hashes = sums[self.starts[1:]] - sums[self.starts[:-1]]
        return hashes

    def texts(self) -> npt.NDArray[np.int64]:
        """Return for each word the number of its text, (words,)."""
        return np.repeat(np.arange(len(self.starts) - 1), self.counts)


def scramble(numbers: Hashes) -> Hashes:
    """Return other numbers, one for each, in which every bit depends on every bit: splitmix64's last steps."""
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return numbers ^ (numbers >> np.uint64(31))


def find_words(texts: pl.Series) -> Words:
    """Return the words of texts (no nulls) in their order."""
    data, edges = _bytes_of(texts)
    inside = IS_WORD[data]
    marks = np.flatnonzero(data == APOSTROPHE)
    is_edge = np.zeros(len(data) + 1, dtype=np.bool_)
    is_edge[edges] = True
    marks = marks[~is_edge[marks] & ~is_edge[marks + 1]]
    inside[marks] = IS_WORD[data[marks - 1]] & IS_WORD[data[marks + 1]]
    # A text's edge parts words that stand side by side in memory.
    begins, ends = inside.copy(), inside.copy()
    begins[1:] &= ~inside[:-1] | is_edge[1:-1]
    ends[:-1] &= ~inside[1:] | is_edge[1:-1]
    first, last = np.flatnonzero(begins), np.flatnonzero(ends)
    return Words(_hash(data, first, last - first + 1), np.searchsorted(first, edges))


def _bytes_of(texts: pl.Series) -> tuple[npt.NDArray[np.uint8], Positions]:
    """Return the texts' UTF-8 bytes, one after the other, and where each begins and ends, (n + 1,)."""
    column = texts.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())
    _, offsets, data = column.buffers()
    edges = np.frombuffer(offsets, np.int64)[column.offset : column.offset + len(column) + 1]
    content = np.frombuffer(data, np.uint8) if data is not None else np.empty(0, np.uint8)
    return content[edges[0] : edges[-1]], edges - edges[0]


def _hash(data: npt.NDArray[np.uint8], first: Positions, lengths: Positions) -> Hashes:
    """Return FNV-1a of each word: byte by byte over all words at once, the longest words first."""
    lengths = np.minimum(lengths, LONGEST)
    order = np.argsort(-lengths, kind="stable")
    starts, still = first[order], np.searchsorted(-lengths[order], -np.arange(LONGEST), side="left")
    hashes = np.full(len(first), OFFSET)
    for step in range(int(lengths.max(initial=0))):
        n = still[step]  # words that are longer than `step` bytes
        hashes[:n] = (hashes[:n] ^ data[starts[:n] + step]) * PRIME
    unsorted = np.empty_like(hashes)
    unsorted[order] = scramble(hashes)
    return unsorted
