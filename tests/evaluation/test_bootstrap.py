"""The bootstrap against the slow one that draws every picture."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyemo_data.evaluation.bootstrap import paired_difference, percentile_interval, resampled_means


def slow_means(per_picture: list[float], resamples: int, seed: int) -> list[float]:
    """Draw N pictures with replacement, picture by picture."""
    rng = np.random.default_rng(seed)
    n = len(per_picture)
    return [float(np.mean([per_picture[i] for i in rng.integers(0, n, n)])) for _ in range(resamples)]


@pytest.mark.parametrize(
    "per_picture",
    [[1.0] * 40 + [0.0] * 20, [0.0, 1 / 3, 2 / 3, 1.0] * 12, [-1.0] * 5 + [0.0] * 40 + [1.0] * 9],
    ids=["one model", "mean of three seeds", "difference of two models"],
)
def test_resampled_means_have_the_distribution_of_the_slow_bootstrap(per_picture: list[float]) -> None:
    fast = resampled_means(np.array(per_picture), 4000, seed=0)
    slow = np.array(slow_means(per_picture, 4000, seed=1))
    deviation = np.std(per_picture) / np.sqrt(len(per_picture))  # of a mean, in theory
    assert fast.mean() == pytest.approx(np.mean(per_picture), abs=0.1 * deviation)
    assert fast.std() == pytest.approx(slow.std(), rel=0.06)
    np.testing.assert_allclose(
        np.quantile(fast, [0.025, 0.25, 0.5, 0.75, 0.975]),
        np.quantile(slow, [0.025, 0.25, 0.5, 0.75, 0.975]),
        atol=0.25 * deviation + 1 / len(per_picture),
    )


@given(st.lists(st.booleans(), min_size=1, max_size=60), st.integers(0, 99))
def test_interval_is_ordered_within_0_and_1_and_repeats_for_its_seed(right: list[bool], seed: int) -> None:
    scores = np.array(right, dtype=float)
    low, high = percentile_interval(scores, 200, seed)
    assert 0 <= low <= high <= 1
    assert (low, high) == percentile_interval(scores, 200, seed)
    assert (low, high) == percentile_interval(scores[::-1].copy(), 200, seed)  # pictures have no order


def test_interval_is_as_wide_as_theory_says() -> None:
    scores = np.array([1.0] * 450 + [0.0] * 144)  # the 594 pictures of Emotion6's published test part
    low, high = percentile_interval(scores, 10_000, seed=0)
    p = 450 / 594
    assert (high - low) / 2 == pytest.approx(1.96 * np.sqrt(p * (1 - p) / 594), rel=0.05)


def test_interval_has_no_width_when_every_picture_is_right() -> None:
    assert percentile_interval(np.ones(50), 500, seed=0) == (1.0, 1.0)


def test_paired_interval_is_narrower_than_the_single_ones_when_models_err_alike() -> None:
    rng = np.random.default_rng(0)
    first = (rng.random(400) < 0.7).astype(float)
    second = first.copy()
    second[:12] = 1 - second[:12]
    difference, low, high = paired_difference(first, second, 2000, seed=0)
    single = percentile_interval(first, 2000, seed=0)
    assert difference == pytest.approx(first.mean() - second.mean())
    assert low <= difference <= high
    assert high - low < (single[1] - single[0]) / 2


def test_paired_difference_refuses_scores_of_different_pictures() -> None:
    with pytest.raises(ValueError, match="different pictures"):
        paired_difference(np.ones(3), np.ones(4), 100, seed=0)
