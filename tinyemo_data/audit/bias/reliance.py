"""Model reliance: how much an attribute moves a picture's margin towards an emotion that it does not have.

The effect d of (attribute a, emotion e) is the change of e's margin when a is present, in standard deviations of
that margin within classes, the class and all other attributes held fixed, over pictures whose true emotion is not
e. Conditioning on the true emotion makes a biased audit set harmless. Its mirror, over pictures of e itself, tells
**suppression**: d far below zero.
"""

from dataclasses import dataclass

import numpy as np

from tinyemo_data.audit.bias.attributes import Flags, Floats
from tinyemo_data.audit.bias.design import LEAST_UNKNOWN, Design
from tinyemo_data.audit.bias.minimum_effect import p_above, p_below, wald_interval
from tinyemo_data.audit.bias.regression import Effects, regress


@dataclass(frozen=True)
class Reliance:
    """Effects (E, p) in standard deviations; NaN where a pair is not testable."""

    d: Floats
    standard_error: Floats
    low: Floats  # 95 % interval, closed form
    high: Floats
    p: Floats  # one-sided, of an effect beyond the minimum
    effects: Effects


def measure_reliance(
    design: Design, margin: Floats, testable: Flags, delta: float, own_class: bool = False
) -> Reliance:
    """Return effects on margins (E, N), with p of d > delta, or of d < -delta where `own_class`.

    `testable` (E, p) says which pairs have the support; the others are in no regression.
    """
    effects = regress(design, margin[None], with_patterns(design, testable, own_class), own_class)
    d, error = in_deviations(effects, 0, effects.deviations[0])
    degrees = effects.degrees[:, None]
    p = (p_below if own_class else p_above)(d, error, delta, degrees)
    low, high = wald_interval(d, error, degrees)
    return Reliance(d, error, low, high, p, effects)


def in_deviations(effects: Effects, kind: int, deviations: Floats) -> tuple[Floats, Floats]:
    """Return the coefficients and standard errors (E, p) of outcome `kind` in the given deviations (E,).

    The deviation is taken as known: over thousands of pictures its own error is a hundredth of the effect's.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.where(deviations > 0, 1 / deviations, np.nan)[:, None]
    return effects.coefficients[kind] * scale, effects.standard_errors[kind] * scale


def with_patterns(design: Design, testable: Flags, own_class: bool) -> Flags:
    """Return which columns take part, (E, p + k): testable attributes, and patterns of unknowns with variation."""
    unknown = np.stack([design.patterns[design.labels == c].sum(axis=0) for c in range(design.classes)])
    known = design.counts[:, None] - unknown
    if not own_class:
        unknown, known = unknown.sum(axis=0) - unknown, known.sum(axis=0) - known
    return np.concatenate([testable, (unknown >= LEAST_UNKNOWN) & (known >= LEAST_UNKNOWN)], axis=1)
