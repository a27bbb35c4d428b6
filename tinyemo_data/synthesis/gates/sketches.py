"""Sketches: what texts are compared by, small and of equal size whatever their length.

MinHash signatures (Broder 1997; rensa's R-MinHash) of three-word shingles, cut into bands: texts that agree in a whole
band may be near-duplicates (locality-sensitive hashing: Leskovec, Rajaraman and Ullman, "Mining of Massive Datasets",
3.4). A short text has one shingle, made of all its words and its picture: it is the near-duplicate of an equal text
about the same picture alone.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
import rensa

from tinyemo_data.synthesis.gates.words import OFFSET, PRIME, Hashes, Words, scramble

SHINGLE = 3  # words
# Ten bands of six: two texts of similarity 0.8 meet with probability 0.95, of 0.9 with 0.9995, of 0.5 with 0.14.
PERMUTATIONS, BANDS, ROWS = 64, 10, 6
SEED = 42

Signatures = npt.NDArray[np.uint32]


@dataclass(frozen=True)
class Sketches:
    """What n texts are compared by."""

    signatures: Signatures  # (n, PERMUTATIONS)
    buckets: Hashes  # (n, BANDS + 1): where each text meets others; the last is that of its whole signature

    def of(self, rows: npt.NDArray[np.bool_]) -> "Sketches":
        """Return the sketches of some of the texts."""
        return Sketches(self.signatures[rows], self.buckets[rows])


def make_sketches(words: Words, pictures: pl.Series, long_from: int) -> Sketches:
    """Return the sketches of texts, given their words and the SHA-256 (hex) of their pictures.

    Texts of fewer words than `long_from` are short.
    """
    shingles = _shingles(words, pictures, max(long_from, SHINGLE))
    matrix = rensa.RMinHash.digest_matrix_from_flat_token_hashes(
        shingles.hashes, shingles.starts.astype(np.uint64), PERMUTATIONS, SEED
    )
    signatures = np.array(matrix.to_rows(), dtype=np.uint32).reshape(-1, PERMUTATIONS)
    bands = [signatures[:, band * ROWS : (band + 1) * ROWS] for band in range(BANDS)]
    return Sketches(signatures, np.stack([_mix(rows, n) for n, rows in enumerate([*bands, signatures])], axis=1))


def _shingles(words: Words, pictures: pl.Series, long_from: int) -> Words:
    grams, is_short = words.grams(SHINGLE), words.counts < long_from
    picture = np.array([int(sha[:16], 16) for sha in pictures], dtype=np.uint64)
    starts = np.concatenate([[0], np.cumsum(np.where(is_short, 1, grams.counts))])
    hashes = np.empty(starts[-1], np.uint64)
    is_whole = np.zeros(starts[-1], np.bool_)
    is_whole[starts[:-1][is_short]] = True
    hashes[is_whole] = (words.whole() ^ picture)[is_short]
    hashes[~is_whole] = grams.hashes[~is_short[grams.texts()]]
    return Words(hashes, starts)


def _mix(rows: Signatures, number: int) -> Hashes:
    """Return one number for each row of a band, another one in every band."""
    mixed = np.full(len(rows), OFFSET ^ np.uint64(number + 1))
    for column in range(rows.shape[1]):
        mixed = scramble(mixed * PRIME + rows[:, column])
    return mixed
