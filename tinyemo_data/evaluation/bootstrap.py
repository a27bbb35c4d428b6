"""Bootstrap intervals over pictures: how far a figure would move had other pictures been drawn.

Drawing N of N pictures with replacement and averaging a per-picture score is a multinomial draw over the
*distinct* scores, of which there are few (0 and 1 for one model). So the bootstrap below is the exact one at
the cost of B × K numbers instead of B × N (N up to hundreds of thousands).
"""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Interval = tuple[float, float]

LEVEL = 0.95


def resampled_means(per_picture: Floats, resamples: int, seed: int) -> Floats:
    """Return the mean score of each resample, (B,); `per_picture` is (N,) with N at least 1."""
    values, counts = np.unique(per_picture, return_counts=True)  # (K,)
    n = len(per_picture)
    draws = np.random.default_rng(seed).multinomial(n, counts / n, size=resamples)  # (B, K)
    means: Floats = draws @ values / n
    return means


def percentile_interval(per_picture: Floats, resamples: int, seed: int) -> Interval:
    """Return the percentile 95 % interval of the mean score (Efron & Tibshirani 1993, section 13.3).

    `per_picture` (N,) is 1 where a picture was classified rightly and 0 elsewhere, or a mean of such over
    seeds. It tells of the pictures alone, not of the seeds nor of how the split was drawn.
    """
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(resampled_means(per_picture, resamples, seed), [tail, 1 - tail])
    return float(low), float(high)


def paired_difference(first: Floats, second: Floats, resamples: int, seed: int) -> tuple[float, float, float]:
    """Return (difference, low, high): `first` less `second`, with its paired 95 % interval.

    Both are (N,) in the same picture order; each resample takes the same pictures of both.
    """
    if first.shape != second.shape:
        raise ValueError(f"paired scores of different pictures: {first.shape} against {second.shape}")
    difference = first - second
    return float(difference.mean()), *percentile_interval(difference, resamples, seed)
