"""Bias amplification, attribute to task: does the model predict an associated emotion oftener than it occurs?

BiasAmp A→T (Wang & Russakovsky 2021, "Directional Bias Amplification", section 4): where attribute and emotion occur
together oftener than chance in training, `P(pred = e | a) - P(y = e | a)` over the audited pictures; elsewhere the
same with the other sign. Positive: the model goes further than its data.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.stats

from tinyemo_data.audit.bias.attributes import PRESENT, Floats, Integers, Ternary

LEVEL = 0.95


@dataclass(frozen=True)
class Amplification:
    """Per pair, and over all pairs."""

    pairs: Floats  # (E, p), mean over seeds, -1 to 1; NaN where no audited picture has the attribute
    overall: float
    low: float | None  # 95 % over seeds (Student's t); None with one seed
    high: float | None


def amplification(
    labels: Integers,
    similarities: npt.NDArray[np.floating],
    values: Ternary,
    train_present: Floats,
    train_absent: Floats,
) -> Amplification:
    """Return BiasAmp A→T of audited `labels` (N,), `similarities` (S, N, E) and attributes (N, p).

    `train_present` and `train_absent` (E, p) count training pictures.
    """
    seeds, _, classes = similarities.shape
    flags = (values == PRESENT).astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        true = np.eye(classes)[labels].T @ flags / flags.sum(axis=0)  # (E, p): P(y = e | a)
        per_seed = np.stack(
            [np.eye(classes)[similarities[seed].argmax(axis=1)].T @ flags / flags.sum(axis=0) for seed in range(seeds)]
        )
        n = (train_present + train_absent).sum(axis=0)
        expected = (train_present + train_absent) / n * train_present.sum(axis=0) / n
        sign = np.where(train_present / n > expected, 1.0, -1.0)
    signed = sign * (per_seed - true)  # (S, E, p)
    each = np.nanmean(signed.reshape(seeds, -1), axis=1)
    reach = None
    if seeds > 1:
        reach = float(scipy.stats.t.ppf(0.5 + LEVEL / 2, seeds - 1) * each.std(ddof=1) / np.sqrt(seeds))
    overall = float(each.mean())
    low, high = (None, None) if reach is None else (overall - reach, overall + reach)
    return Amplification(signed.mean(axis=0), overall, low, high)
