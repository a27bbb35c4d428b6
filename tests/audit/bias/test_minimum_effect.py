import numpy as np
import pytest
import scipy.stats

from tinyemo_data.audit.bias.minimum_effect import both, p_above, p_below, wald_interval


def test_p_is_one_half_at_the_minimum_and_falls_as_the_effect_grows() -> None:
    p = p_above(np.array([0.1, 0.2, 0.3]), np.full(3, 0.05), 0.2)
    assert p[1] == pytest.approx(0.5)
    assert p[0] > p[1] > p[2] == pytest.approx(scipy.stats.norm.sf(2))


def test_the_mirror_tests_effects_below_the_negative_minimum() -> None:
    estimate, error = np.array([-0.3, 0.3]), np.array([0.05, 0.05])
    assert p_below(estimate, error, 0.2) == pytest.approx(p_above(-estimate, error, 0.2))


def test_at_the_boundary_a_twentieth_is_significant_at_one_in_twenty() -> None:
    rng = np.random.default_rng(0)
    drawn = rng.normal(0.2, 0.03, 20_000)
    share = (p_above(drawn, np.full(20_000, 0.03), 0.2) < 0.05).mean()
    assert share == pytest.approx(0.05, abs=0.006)


def test_few_degrees_of_freedom_widen_both_test_and_interval() -> None:
    estimate, error = np.array([0.5]), np.array([0.1])
    assert p_above(estimate, error, 0.2, 4.0) > p_above(estimate, error, 0.2)
    low, high = wald_interval(estimate, error, 4.0)
    assert (low[0], high[0]) == pytest.approx(scipy.stats.t.interval(0.95, 4, 0.5, 0.1))


def test_both_takes_the_larger_p_and_no_test_stays_none() -> None:
    found = both(np.array([0.01, 0.2, np.nan]), np.array([0.05, 0.1, 0.001]))
    assert found[:2].tolist() == [0.05, 0.2]
    assert np.isnan(found[2])
