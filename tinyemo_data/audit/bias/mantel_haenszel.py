"""The same question in percentage points: how much oftener is e predicted of pictures with the attribute?

Mantel & Haenszel's pooled risk difference of `pred = e`, stratified by the true emotion, with Sato's interval
(Sato 1989, "On the variance estimator for the Mantel-Haenszel risk difference", Biometrics 45), and the pooled odds
ratio. Strata are the other emotions than e; attributes are taken one at a time here, so that a twin of an attribute
shows its figure too.
"""

from dataclasses import dataclass

import numpy as np
import scipy.stats

from tinyemo_data.audit.bias.attributes import ABSENT, PRESENT, Flags, Floats, Integers, Ternary

LEVEL = 0.95


@dataclass(frozen=True)
class RiskDifference:
    """Pooled over strata, (E, p); NaN where no stratum holds both sides."""

    difference: Floats  # -1 to 1
    low: Floats
    high: Floats
    odds_ratio: Floats
    p: Floats  # Cochran-Mantel-Haenszel, two-sided, of no association


def risk_difference(labels: Integers, predicted: Integers, values: Ternary, classes: int) -> RiskDifference:
    """Pool the strata of every attribute and emotion. `labels` and `predicted` are (N,), `values` (N, p)."""
    with_it = _predicted(labels, predicted, values == PRESENT, classes)  # (C, E, p)
    without = _predicted(labels, predicted, values == ABSENT, classes)
    elsewhere = ~np.eye(classes, dtype=bool)[:, :, None]  # (C, E, 1)
    n1, n0 = (with_it.sum(axis=1, keepdims=True), without.sum(axis=1, keepdims=True))  # (C, 1, p)
    a, b, n = with_it, without, n1 + n0
    counted = elsewhere & (n1 > 0) & (n0 > 0)

    def pooled(terms: Floats) -> Floats:
        total: Floats = np.where(counted, terms, 0.0).sum(axis=0)
        return total

    with np.errstate(divide="ignore", invalid="ignore"):
        weight = pooled(n1 * n0 / n)
        difference = pooled((a * n0 - b * n1) / n) / weight
        p_s = pooled((n1**2 * b - n0**2 * a + n1 * n0 * (n0 - n1) / 2) / n**2)
        q_s = pooled((a * (n0 - b) + b * (n1 - a)) / (2 * n))
        error = np.sqrt(difference * p_s + q_s) / weight
        odds = pooled(a * (n0 - b) / n) / pooled(b * (n1 - a) / n)
        m1 = a + b
        variance = pooled(n1 * n0 * m1 * (n - m1) / (n**2 * np.maximum(n - 1, 1)))
        statistic = pooled(a - n1 * m1 / n) ** 2 / variance
    reach = scipy.stats.norm.ppf(0.5 + LEVEL / 2) * error
    p: Floats = scipy.stats.chi2.sf(statistic, 1)
    return RiskDifference(difference, difference - reach, difference + reach, odds, p)


def _predicted(labels: Integers, predicted: Integers, flags: Flags, classes: int) -> Floats:
    """Return how many flagged pictures of class C were predicted to be E, (C, E, p)."""
    counts = np.zeros((classes, classes, flags.shape[1]))
    for label in range(classes):
        for emotion in range(classes):
            counts[label, emotion] = flags[(labels == label) & (predicted == emotion)].sum(axis=0)
    return counts
