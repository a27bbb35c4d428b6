"""Intervals of ratios and of macro-F1, against resampling written out."""

import numpy as np
import pytest

from tinyemo_data.evaluation.reasoning.resampling import ratio_difference, ratio_interval, statistic_interval, weights


def test_ratio_interval_is_that_of_the_resamples_written_out() -> None:
    over, under = np.array([1.0, 0.0, 2.0, 1.0]), np.array([2.0, 3.0, 2.0, 4.0])
    ratios = []
    for drawn in weights(4, 500, 7):
        rows = [row for row, times in enumerate(drawn) for _ in range(times)]
        ratios.append(sum(over[row] for row in rows) / sum(under[row] for row in rows))
    expected = np.quantile(ratios, [0.025, 0.975])
    assert ratio_interval(over, under, 500, 7) == pytest.approx(tuple(expected), abs=1e-6)


def test_ratio_of_nothing_has_no_interval() -> None:
    nothing = np.zeros(3)
    assert ratio_interval(nothing, nothing, 100, 0) is None
    assert ratio_difference((nothing, nothing), (np.ones(3), np.ones(3)), 100, 0) is None


def test_difference_is_paired() -> None:
    over, under = np.array([3.0, 0.0, 9.0, 1.0]), np.array([10.0, 2.0, 9.0, 8.0])
    assert ratio_difference((over, under), (over, under), 200, 0) == (0.0, 0.0, 0.0)
    found = ratio_difference((over + under, under), (over, under), 200, 0)
    assert found == pytest.approx((1.0, 1.0, 1.0))


def test_statistic_interval_holds_the_statistic() -> None:
    truth, found = np.array([0, 1, 1, 0, 1, 1]), np.array([0, 1, 0, 0, 1, 1])
    low, high = statistic_interval(truth, found, lambda one, other: float((one == other).mean()), 300, 0)
    assert 0 < low < 5 / 6 < high <= 1
    assert statistic_interval(truth, truth, lambda one, other: float((one == other).mean()), 50, 0) == (1.0, 1.0)
