"""Intervals for figures that are no mean of per-picture scores: macro-F1, and ratios of sums."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from tinyemo_data.evaluation.bootstrap import LEVEL, Floats, Interval
from tinyemo_data.evaluation.metrics import Codes

DECIMALS = 6  # the last bits of a float depend on the machine's arithmetic library; reports must not


def weights(n: int, resamples: int, seed: int) -> npt.NDArray[np.int64]:
    """Return how often each of n pictures is in each resample, (B, n); n is at least 1."""
    return np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=resamples)


def ratio_interval(over: Floats, under: Floats, resamples: int, seed: int) -> Interval | None:
    """Return the 95 % interval of Σ over / Σ under, both (N,) a picture; None where Σ under is 0.

    Resamples in which nothing is counted say nothing, and are left out.
    """
    if not under.sum():
        return None
    drawn = weights(len(over), resamples, seed)
    above, below = drawn @ over, drawn @ under
    return interval_of(above[below > 0] / below[below > 0])


def ratio_difference(
    first: tuple[Floats, Floats], second: tuple[Floats, Floats], resamples: int, seed: int
) -> tuple[float, float, float] | None:
    """Return (difference, low, high) of two ratios of sums over the same pictures, paired; None without a count.

    Each is (over, under), (N,) each; a resample takes the same pictures of both.
    """
    if not first[1].sum() or not second[1].sum():
        return None
    drawn = weights(len(first[0]), resamples, seed)
    below = [drawn @ under for _, under in (first, second)]
    counted = (below[0] > 0) & (below[1] > 0)
    rates = [(drawn @ over)[counted] / under[counted] for (over, _), under in zip((first, second), below, strict=True)]
    difference = float(first[0].sum() / first[1].sum() - second[0].sum() / second[1].sum())
    return difference, *interval_of(rates[0] - rates[1])


def statistic_interval(
    truth: Codes, found: Codes, statistic: Callable[[Codes, Codes], float], resamples: int, seed: int
) -> Interval:
    """Return the 95 % interval of a figure of (truth, found), int64 (N,) each, over resampled pictures."""
    generator = np.random.default_rng(seed)
    rows = generator.integers(len(truth), size=(resamples, len(truth)))
    return interval_of(np.array([statistic(truth[chosen], found[chosen]) for chosen in rows]))


def interval_of(resampled: Floats) -> Interval:
    """Return the percentile interval of resampled figures."""
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(resampled, [tail, 1 - tail])
    return rounded(low), rounded(high)


def rounded(value: float) -> float:
    """Return a figure as reports write it."""
    return round(float(value), DECIMALS)
