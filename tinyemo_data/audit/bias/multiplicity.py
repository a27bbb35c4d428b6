"""p values of many pairs, adjusted so that the share of false ones among those that are flagged is bounded."""

import numpy as np

from tinyemo_data.audit.bias.attributes import Floats


def benjamini_hochberg(p: Floats) -> Floats:
    """Return q values of any shape; NaN (not tested) stays NaN and counts as no test.

    Benjamini & Hochberg 1995: flagging q <= 0.05 keeps the expected share of false flags under 0.05 where tests
    are independent or positively dependent.
    """
    return _step_up(p, penalty=1.0)


def benjamini_yekutieli(p: Floats) -> Floats:
    """Return q values that hold under any dependence: Hochberg's times 1 + 1/2 + … + 1/m.

    Benjamini & Yekutieli 2001, theorem 1.3.
    """
    return _step_up(p, penalty=float(np.sum(1.0 / np.arange(1, count_tests(p) + 1))))


def count_tests(p: Floats) -> int:
    """Return how many tests there are, those that could not be made (NaN) left out."""
    return int(np.isfinite(p).sum())


def _step_up(p: Floats, penalty: float) -> Floats:
    q = np.full(p.shape, np.nan)
    tested = np.isfinite(p)
    values = p[tested]
    m = len(values)
    order = np.argsort(values, kind="stable")
    raised = values[order] * m * penalty / np.arange(1, m + 1)
    lowest_from_here = np.minimum.accumulate(raised[::-1])[::-1]
    adjusted = np.empty(m)
    adjusted[order] = np.minimum(lowest_from_here, 1.0)
    q[tested] = adjusted
    return q
