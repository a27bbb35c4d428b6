"""A check of the closed form: p of the same hypothesis by permuting pictures within their class.

Freedman & Lane 1983: what the reduced model (effect = the minimum) leaves of the outcome is dealt out anew among the
pictures of a class. The statistic is divided by its own standard error, so that the test also holds where variances
differ (DiCiccio & Romano 2017). Image groups are not kept together: it is a check, not what decides.
"""

from collections.abc import Sequence

import numpy as np

from tinyemo_data.audit.bias.attributes import Floats, Integers
from tinyemo_data.audit.bias.pair_scores import PairScores


def permutation_p(
    scores: Sequence[PairScores], labels: Integers, minimum: float, permutations: int, seed: int
) -> list[float]:
    """Return p of "the effect is at most `minimum`" for each pair; every pair sees the same permutations."""
    rng = np.random.default_rng(seed)
    classes = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    remainders = [np.zeros(len(labels)) for _ in scores]
    for remainder, score in zip(remainders, scores, strict=True):
        remainder[score.rows] = score.partial - minimum * score.x
    observed = [_statistic(score, remainder) for score, remainder in zip(scores, remainders, strict=True)]
    reached = np.ones(len(scores))  # the permutation that leaves all in place counts
    for _ in range(permutations):
        shuffled = np.arange(len(labels))
        for members in classes:
            shuffled[members] = rng.permutation(members)
        for number, (score, remainder) in enumerate(zip(scores, remainders, strict=True)):
            reached[number] += _statistic(score, remainder[shuffled]) >= observed[number]
    return [float(count) / (permutations + 1) for count in reached]


def _statistic(score: PairScores, remainder: Floats) -> float:
    products = score.x * remainder[score.rows]
    return float(products.sum() / np.sqrt(np.square(products).sum()))
