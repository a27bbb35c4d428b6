"""Dataset association: which attributes the training labels go with, before any model has looked.

For each pair the 2 × 2 table of training pictures gives the log odds ratio with Haldane and Anscombe's correction
(1/2 in every cell), Woolf's interval, and normalised pointwise mutual information (Bouma 2009). It counts each
attribute alone; `adjusted_association` holds the others fixed.
"""

from dataclasses import dataclass

import numpy as np

from tinyemo_data.audit.bias.attributes import Floats
from tinyemo_data.audit.bias.minimum_effect import p_above, wald_interval


@dataclass(frozen=True)
class Association:
    """Associations (E, p)."""

    log_odds: Floats
    standard_error: Floats
    low: Floats  # 95 %
    high: Floats
    npmi: Floats  # -1 never together, 0 independent, 1 always together
    p: Floats  # one-sided, of an odds ratio beyond the minimum


def associate(present: Floats, absent: Floats, odds_ratio: float) -> Association:
    """Return the associations of counts (E, p) of training pictures that have each attribute, or have it not."""
    elsewhere_present, elsewhere_absent = present.sum(axis=0) - present, absent.sum(axis=0) - absent
    cells = [cell + 0.5 for cell in (present, absent, elsewhere_present, elsewhere_absent)]
    log_odds: Floats = np.log(cells[0] * cells[3] / (cells[1] * cells[2]))
    error = np.sqrt(sum(1 / cell for cell in cells))
    low, high = wald_interval(log_odds, error)
    p = p_above(log_odds, error, float(np.log(odds_ratio)))
    return Association(log_odds, error, low, high, _npmi(present, absent), p)


def _npmi(present: Floats, absent: Floats) -> Floats:
    n = (present + absent).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        joint = present / n
        expected = (present + absent) / n * present.sum(axis=0) / n
        npmi: Floats = np.log(joint / expected) / -np.log(joint)
    # Never together is the limit -1; where either never occurs nothing is said.
    return np.where((present == 0) & (expected > 0), -1.0, npmi)
