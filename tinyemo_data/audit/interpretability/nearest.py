"""The nearest of many rows, block by block: scores of all queries and all rows are never in memory at once.

Scores are rounded to DIGITS decimals before they are ranked, and equal ones go by the row's number: the last bits,
which hang on the number of threads, leave no trace.
"""

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.float32]
Scores = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]
# The number of the first row, and rows (B, h).
Blocks = Iterable[tuple[int, Rows]]

DIGITS = 5
QUERIES_AT_ONCE = 2048  # with blocks of 2,048 rows: 16 MB of scores
_BITS = 32  # of a key: the row's number, below the score
_LAST = (1 << _BITS) - 1


def nearest_rows(queries: Rows, blocks: Blocks, count: int) -> tuple[Numbers, Scores]:
    """Return numbers and scores (Q, k) of the rows with the highest inner products with queries (Q, h), best first.

    k is `count`, or the number of rows where that is smaller.
    """
    parts = list(_parts(len(queries)))
    best: list[Numbers] = [np.empty((part.stop - part.start, 0), dtype=np.int64) for part in parts]
    for start, rows in blocks:
        for place, part in enumerate(parts):
            best[place] = _merge(best[place], queries[part] @ rows.T, start, count)
    ordered = -np.sort(-np.concatenate([np.empty((0, best[0].shape[1] if best else 0), np.int64), *best]), axis=1)
    return _LAST - (ordered & _LAST), (ordered >> _BITS) / 10.0**DIGITS


def highest(queries: Rows, blocks: Blocks) -> Scores:
    """Return the highest score of each query, (Q,)."""
    found = np.full(len(queries), -np.inf)
    for _, rows in blocks:
        for part in _parts(len(queries)):
            scores = queries[part] @ rows.T
            found[part] = np.fmax(found[part], scores.max(axis=1))
    return rounded(found)


def count_above(queries: Rows, blocks: Blocks, limits: Scores) -> Numbers:
    """Return how many rows have a higher score with each query than its limit, (Q,)."""
    found = np.zeros(len(queries), dtype=np.int64)
    for _, rows in blocks:
        for part in _parts(len(queries)):
            found[part] += (rounded(queries[part] @ rows.T) > rounded(limits[part])[:, None]).sum(axis=1)
    return found


def rounded(scores: npt.NDArray[np.floating]) -> Scores:
    """Return scores as they are compared, without negative zeros."""
    found = np.round(np.asarray(scores, dtype=np.float64), DIGITS) + 0.0
    return np.asarray(found, dtype=np.float64)


def _merge(best: Numbers, scores: Rows, start: int, count: int) -> Numbers:
    """Return the keys of the `count` best of what was best so far and a block's scores, in any order."""
    if best.shape[1] < count:
        block = _keys(scores, np.arange(start, start + scores.shape[1]))
        keys = np.concatenate([best, block], axis=1)
        return np.partition(keys, -count, axis=1)[:, -count:] if keys.shape[1] > count else keys
    # Few scores of a later block are any better, and only these are looked at again.
    least = (best.min(axis=1) >> _BITS) + 0.4
    queries, columns = np.nonzero(scores > (least / 10**DIGITS).astype(np.float32)[:, None])
    if not len(queries):
        return best
    affected, owner = np.unique(queries, return_inverse=True)
    owners = np.concatenate([np.repeat(np.arange(len(affected)), count), owner])
    keys = np.concatenate([best[affected].reshape(-1), _keys(scores[queries, columns], start + columns)])
    order = np.lexsort((keys, owners))
    ends = np.cumsum(np.bincount(owners))
    merged = best.copy()
    merged[affected] = keys[order][ends[:, None] - np.arange(1, count + 1)]
    return merged


def _keys(scores: npt.NDArray[np.floating], numbers: npt.NDArray[np.signedinteger]) -> Numbers:
    """Return one integer a score, all different, whose order is by score and then by the row's number."""
    codes: Numbers = np.rint(np.asarray(scores, dtype=np.float64) * 10**DIGITS).astype(np.int64)
    keys: Numbers = (codes << _BITS) + (_LAST - numbers)
    return keys


def _parts(count: int) -> Iterator[slice]:
    for start in range(0, count, QUERIES_AT_ONCE):
        yield slice(start, min(start + QUERIES_AT_ONCE, count))
