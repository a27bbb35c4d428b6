"""Bootstrap intervals of flagged pairs: whole image groups are drawn with replacement.

A resample weighs each group by how often it was drawn and computes the effect and the deviation that it is told in
anew. What class and other attributes say of an attribute is not fitted again: that error is of the second order.
"""

from collections.abc import Sequence

import numpy as np

from tinyemo_data.audit.bias.attributes import Floats, Integers
from tinyemo_data.audit.bias.pair_scores import PairScores

LEVEL = 0.95
AT_ONCE = 50  # resamples, so that memory does not grow with their number


def bootstrap_intervals(
    scores: Sequence[PairScores], groups: Integers, resamples: int, seed: int
) -> list[tuple[float, float]]:
    """Return the percentile 95 % interval of each pair's effect, in deviations.

    `groups` (N,) are the image groups of all audited pictures; every pair sees the same draws.
    """
    if not scores:
        return []
    member = np.unique(groups, return_inverse=True)[1]
    count = int(member.max()) + 1
    sums = np.stack([_group_sums(score, member, count) for score in scores])  # (F, 4, G)
    drawn = np.empty((resamples, len(scores)))
    rng = np.random.default_rng(seed)
    for start in range(0, resamples, AT_ONCE):
        size = min(AT_ONCE, resamples - start)
        times = np.stack([np.bincount(rng.integers(0, count, count), minlength=count) for _ in range(size)])
        products, lengths, squares, pictures = np.einsum("bg,fkg->kbf", times.astype(np.float64), sums, optimize=True)
        drawn[start : start + size] = products / lengths / np.sqrt(squares / pictures)
    spread = np.array([np.sqrt(score.squares.mean()) for score in scores])
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(drawn * spread, [tail, 1 - tail], axis=0)
    return list(zip(low.tolist(), high.tolist(), strict=True))


def _group_sums(score: PairScores, member: Integers, count: int) -> Floats:
    """Return of each group the sums of x·y, x², the squared deviations and 1, (4, G)."""
    groups = member[score.rows]
    columns = (score.x * score.partial, np.square(score.x), score.squares, np.ones(len(groups)))
    return np.stack([np.bincount(groups, weights=column, minlength=count) for column in columns])
