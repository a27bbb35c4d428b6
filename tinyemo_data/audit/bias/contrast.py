"""Contrast: how much of a reliance the training labels taught.

A second projector learns from the same rows with raked weights, under which no attribute goes with any emotion. What
both projectors do (because attribute and emotion look alike) cancels in the difference of their margins; what the
labels' association taught the first alone is left. The regression is that of `reliance`, with that difference as
the outcome, in the same deviations.
"""

from dataclasses import dataclass

import numpy as np

from tinyemo_data.audit.bias.attributes import Flags, Floats
from tinyemo_data.audit.bias.design import Design
from tinyemo_data.audit.bias.margins import margins
from tinyemo_data.audit.bias.minimum_effect import p_above
from tinyemo_data.audit.bias.regression import regress
from tinyemo_data.audit.bias.reliance import in_deviations, with_patterns
from tinyemo_data.audit.bias.retraining import Similarities


@dataclass(frozen=True)
class Contrast:
    """Differences of effects (E, p), the plain projector's less the raked one's, in the plain one's deviations."""

    d: Floats
    standard_error: Floats  # over pictures and, with several seeds, over training
    p: Floats  # one-sided, of a contrast above the minimum
    margin: Floats  # (E, N): the outcome, mean over seeds, in deviations
    plain: Floats  # (E, N): the plain projector's margins, mean over seeds, in deviations
    inverses: Floats  # (E, q, q) of its regression
    coefficients: Floats  # (E, q)
    seed_deviation: float | None  # of one seed's contrast, pooled over pairs; None with one seed


def measure_contrast(
    design: Design, plain: Similarities, raked: Similarities, testable: Flags, delta: float
) -> Contrast:
    """Regress the mean difference of margins of similarities (S, N, E), and test d > delta.

    The seeds' spread about their mean is pooled over all pairs (a pair's own, of three seeds, would hardly be
    known) and divided by their number.
    """
    first, second = margins(plain), margins(raked)
    per_seed = np.moveaxis(first - second, 2, 1)  # (S, E, N)
    taken = with_patterns(design, testable, own_class=False)
    outcomes = np.stack([np.moveaxis(first, 2, 1).mean(axis=0), per_seed.mean(axis=0), *per_seed])
    effects = regress(design, outcomes, taken)
    deviations = effects.deviations[0]
    d, error = in_deviations(effects, 1, deviations)
    seeds = len(per_seed)
    deviation = None
    if seeds > 1 and np.isfinite(d).any():
        each = np.stack([in_deviations(effects, 2 + seed, deviations)[0] for seed in range(seeds)])
        deviation = float(np.sqrt(np.nanmean(each.var(axis=0, ddof=1))))
        error = np.sqrt(error**2 + deviation**2 / seeds)
    p = p_above(d, error, delta, effects.degrees[:, None])
    scale = 1 / np.where(deviations > 0, deviations, np.nan)[:, None]
    margin, plain_margin, coefficients = (
        values * scale for values in (outcomes[1], outcomes[0], effects.all_coefficients[1])
    )
    return Contrast(d, error, p, margin, plain_margin, effects.inverses, coefficients, deviation)
