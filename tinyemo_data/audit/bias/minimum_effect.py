"""One-sided tests that an effect exceeds the least one that matters, instead of that it is exactly zero.

Directions of attributes and of emotions are never orthogonal, so that "no effect at all" is false of nearly
every pair: tests of it flag a fifth of the pairs where nothing was planted.
"""

import numpy as np
import scipy.stats

from tinyemo_data.audit.bias.attributes import Floats


def p_above(estimate: Floats, standard_error: Floats, minimum: float, degrees: Floats | float = np.inf) -> Floats:
    """Return p of "the effect is at most `minimum`" against "it is larger"; NaN where there is no estimate."""
    with np.errstate(divide="ignore", invalid="ignore"):
        p: Floats = scipy.stats.t.sf((estimate - minimum) / standard_error, degrees)
    return p


def p_below(estimate: Floats, standard_error: Floats, minimum: float, degrees: Floats | float = np.inf) -> Floats:
    """Return p of "the effect is at least -`minimum`" against "it is smaller": the mirror of `p_above`."""
    return p_above(-estimate, standard_error, minimum, degrees)


def wald_interval(
    estimate: Floats, standard_error: Floats, degrees: Floats | float = np.inf, level: float = 0.95
) -> tuple[Floats, Floats]:
    """Return the ends of the two-sided interval of an estimate."""
    reach = scipy.stats.t.ppf(0.5 + level / 2, degrees) * standard_error
    return estimate - reach, estimate + reach


def both(first: Floats, second: Floats) -> Floats:
    """Return p of "at least one of two null hypotheses holds": the larger p, NaN where one is.

    The intersection-union test (Berger 1982, theorem 1): valid whatever the dependence of the two, and it
    costs no level.
    """
    return np.maximum(first, second)
