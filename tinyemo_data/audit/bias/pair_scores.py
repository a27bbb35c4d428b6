"""One pair's part of a joint regression: the attribute less what class and other attributes say of it.

By the theorem of Frisch & Waugh and Lovell the coefficient is that of the outcome on this remainder alone, so that
resampling a pair takes N numbers instead of the whole design.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyemo_data.audit.bias.attributes import Floats, Integers
from tinyemo_data.audit.bias.design import Design


@dataclass(frozen=True)
class PairScores:
    """Pictures (n) of the pair's regression, in the order of their rows."""

    attribute: int
    emotion: int
    rows: Integers  # (n,)
    x: Floats  # (n,): the attribute's remainder
    residual: Floats  # (n,): of the outcome
    squares: Floats  # (n,): of the deviations' outcome about its class mean, in squared deviations
    effect: float  # in deviations

    @property
    def partial(self) -> Floats:
        """The outcome less what class and the other attributes say of it, (n,)."""
        return self.residual + self.effect * self.x


def pair_scores(
    design: Design,
    pairs: Sequence[tuple[int, int]],
    outcome: Floats,
    deviations_of: Floats,
    inverses: Floats,
    coefficients: Floats,
) -> list[PairScores]:
    """Return the scores of pairs (attribute, emotion) of a regression over pictures of other emotions.

    `outcome` and `deviations_of` are (E, N), both in deviations; `inverses` (E, q, q) and `coefficients` (E, q)
    are of the regression of `outcome`.
    """
    found = []
    for attribute, emotion in pairs:
        rows = np.flatnonzero((design.labels != emotion) & (design.counts[design.labels] >= 2))
        inverse, beta = inverses[emotion], np.nan_to_num(coefficients[emotion])
        x, fitted = np.empty(len(rows)), np.empty(len(rows))
        for start in range(0, len(rows), 8_192):
            part = slice(start, start + 8_192)
            block = design.centred(rows[part])
            x[part] = block @ inverse[:, attribute] / inverse[attribute, attribute]
            fitted[part] = block @ beta
        residual = _less_class_mean(design, outcome[emotion], rows) - fitted
        squares = np.square(_less_class_mean(design, deviations_of[emotion], rows))
        found.append(PairScores(attribute, emotion, rows, x, residual, squares, float(beta[attribute])))
    return found


def _less_class_mean(design: Design, outcome: Floats, rows: Integers) -> Floats:
    sums = np.bincount(design.labels, weights=outcome, minlength=design.classes)
    centred: Floats = outcome[rows] - (sums / np.maximum(design.counts, 1))[design.labels[rows]]
    return centred
