"""Dataset association of each attribute with the others held fixed: logistic regression of `label = e` on all.

A twin of an associated attribute is associated too, counted alone; held fixed beside the other, it is not. Newton's
method, a block of pictures at a time; standard errors are the sandwich's over image groups, so that a picture which
is there twice counts once.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tinyemo_data.audit.bias.attributes import PRESENT, UNKNOWN, Flags, Floats, Integers
from tinyemo_data.audit.bias.design import LEAST_UNKNOWN, Design
from tinyemo_data.audit.bias.minimum_effect import p_above

STEPS, TOLERANCE = 50, 1e-8
FARTHEST = 3.0  # of one step: the first may overshoot
# A weak normal prior on log odds: an attribute that never meets an emotion gets a finite estimate.
PRIOR_DEVIATION = 5.0


@dataclass(frozen=True)
class AdjustedAssociation:
    """Log odds ratios (E, p) given the other attributes; NaN where a pair took no part."""

    log_odds: Floats
    standard_error: Floats
    p: Floats  # one-sided, of an odds ratio beyond the minimum


def adjust(design: Design, taken: Flags, odds_ratio: float) -> AdjustedAssociation:
    """Return the adjusted associations of training pictures; `taken` (E, p) says which attributes take part.

    An unknown attribute counts as the mean of all pictures, and patterns of unknowns are columns of their own.
    """
    log_odds, error = np.full(taken.shape, np.nan), np.full(taken.shape, np.nan)
    parts = _parts(design)
    unknown = design.patterns.sum(axis=0)
    varying = np.flatnonzero((unknown >= LEAST_UNKNOWN) & (len(design.labels) - unknown >= LEAST_UNKNOWN))
    for e in range(design.classes):
        used = np.r_[0, 1 + np.flatnonzero(taken[e]), 1 + design.attributes + varying]
        if taken[e].any():
            beta, errors = _fit(parts, e, used, design.counts[e] / design.counts.sum())
            width = int(taken[e].sum())
            log_odds[e, taken[e]], error[e, taken[e]] = beta[1 : 1 + width], errors[1 : 1 + width]
    return AdjustedAssociation(log_odds, error, p_above(log_odds, error, float(np.log(odds_ratio))))


@dataclass(frozen=True)
class _Part:
    x: Floats  # (n, 1 + p + k): one, attributes, patterns of unknowns
    labels: Integers  # (n,)
    starts: Integers  # (G,): where each image group begins


def _parts(design: Design) -> list[_Part]:
    """Return the columns of all pictures, widened once: every step of every emotion reads them."""
    known = np.maximum((design.values != UNKNOWN).sum(axis=0), 1)
    means = (design.values == PRESENT).sum(axis=0) / known
    parts = []
    for piece in design.pieces():
        values = design.values[piece.rows]
        attributes = np.where(values == UNKNOWN, means, values)
        x = np.concatenate([np.ones((len(values), 1)), attributes, design.patterns[piece.rows]], axis=1)
        parts.append(_Part(x, piece.labels, np.flatnonzero(np.r_[True, np.diff(piece.groups) != 0])))
    return parts


def _fit(parts: list[_Part], e: int, used: Integers, share: float) -> tuple[Floats, Floats]:
    """Return the coefficients of the columns `used` on the log odds of class e, and their standard errors."""
    precision = np.full(parts[0].x.shape[1], PRIOR_DEVIATION**-2)
    precision[0] = 0.0  # the intercept has no prior
    square = np.ix_(used, used)
    beta = np.zeros(len(precision))
    beta[0] = np.log(share / (1 - share))
    information = np.diag(precision)
    for _ in range(STEPS):
        information, score = np.diag(precision), -precision * beta
        for part, chance in _chances(parts, beta):
            information += (part.x * (chance * (1 - chance))[:, None]).T @ part.x
            score += ((part.labels == e) - chance) @ part.x
        step = np.linalg.solve(information[square], score[used])
        beta[used] += np.clip(step, -FARTHEST, FARTHEST)
        if np.abs(step).max() < TOLERANCE:
            break
    inverse = np.linalg.inv(information[square])
    spread = inverse @ _meat(parts, e, beta)[square] @ inverse
    return beta[used], np.sqrt(np.diag(spread))


def _chances(parts: list[_Part], beta: Floats) -> Iterator[tuple[_Part, Floats]]:
    for part in parts:
        yield part, 1 / (1 + np.exp(-np.clip(part.x @ beta, -30, 30)))


def _meat(parts: list[_Part], e: int, beta: Floats) -> Floats:
    """Return the sum over image groups of the outer product of their scores."""
    total = np.zeros((len(beta), len(beta)))
    for part, chance in _chances(parts, beta):
        scores = np.add.reduceat(part.x * ((part.labels == e) - chance)[:, None], part.starts, axis=0)
        total += scores.T @ scores
    groups = sum(len(part.starts) for part in parts)
    return total * (groups / max(groups - 1, 1))
