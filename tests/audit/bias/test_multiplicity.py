import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from tinyemo_data.audit.bias.multiplicity import benjamini_hochberg, benjamini_yekutieli, count_tests

PROBABILITIES = st.lists(st.floats(0, 1), min_size=1, max_size=40)


@given(PROBABILITIES)
def test_q_values_equal_those_of_statsmodels(p: list[float]) -> None:
    values = np.array(p)
    assert benjamini_hochberg(values) == pytest.approx(multipletests(values, method="fdr_bh")[1])
    assert benjamini_yekutieli(values) == pytest.approx(multipletests(values, method="fdr_by")[1])


@given(PROBABILITIES, st.lists(st.integers(0, 60), max_size=5))
def test_pairs_that_were_not_tested_count_for_nothing(p: list[float], places: list[int]) -> None:
    holes = [min(place, len(p)) for place in places]
    values = np.insert(np.array(p), holes, np.nan)
    q = benjamini_hochberg(values)
    assert count_tests(values) == len(p)
    assert np.array_equal(np.isnan(q), np.isnan(values))
    assert q[~np.isnan(q)] == pytest.approx(benjamini_hochberg(np.array(p)))


def test_q_values_keep_the_shape_and_nothing_tested_is_no_error() -> None:
    assert benjamini_hochberg(np.full((2, 3), 0.5)).shape == (2, 3)
    assert np.isnan(benjamini_yekutieli(np.full(3, np.nan))).all()
    assert benjamini_hochberg(np.empty(0)).shape == (0,)
