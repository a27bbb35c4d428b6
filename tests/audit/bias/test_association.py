"""Associations of training labels, alone and adjusted, against statsmodels."""

import numpy as np
import pytest
import statsmodels.api as sm
from statsmodels.stats.contingency_tables import Table2x2

from tests.audit.bias.conftest import pictures
from tinyemo_data.audit.bias.adjusted_association import PRIOR_DEVIATION, adjust
from tinyemo_data.audit.bias.association import associate
from tinyemo_data.audit.bias.design import Design
from tinyemo_data.audit.bias.support import counts_of


def associated(rows: int = 3_000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Labels and attributes: 0 goes with class 0, 1 goes with 0 (its twin), 2 with nothing."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, rows)
    first = rng.random(rows) < np.where(labels == 0, 0.4, 0.15)
    second = rng.random(rows) < np.where(first, 0.7, 0.1)
    return labels, np.column_stack([first, second, rng.random(rows) < 0.2]).astype(np.int8)


def test_associate_equals_statsmodels_with_half_a_picture_in_every_cell() -> None:
    labels, values = associated()
    found = associate(*counts_of(labels, values, 3), 1.25)
    for e in range(3):
        for a in range(3):
            cells = [[((labels == e) == own) & (values[:, a] == has) for own in (True, False)] for has in (1, 0)]
            table = Table2x2(np.array([[cell.sum() for cell in row] for row in cells]) + 0.5)
            assert found.log_odds[e, a] == pytest.approx(table.log_oddsratio)
            assert found.standard_error[e, a] == pytest.approx(table.log_oddsratio_se)
            assert (found.low[e, a], found.high[e, a]) == pytest.approx(table.log_oddsratio_confint())


def test_npmi_is_one_always_minus_one_never_and_zero_by_chance() -> None:
    present = np.array([[10.0, 0.0, 5.0], [0.0, 10.0, 15.0]])
    absent = np.array([[0.0, 10.0, 15.0], [30.0, 20.0, 45.0]])
    npmi = associate(present, absent, 1.25).npmi
    assert npmi[0, 0] == pytest.approx(1)
    assert npmi[0, 1] == -1
    assert npmi[0, 2] == pytest.approx(0)


def test_adjust_equals_statsmodels_logit_with_its_robust_errors() -> None:
    labels, values = associated()
    design = Design(pictures(values, labels), 3)
    found = adjust(design, np.ones((3, 3), bool), 1.25)
    for e in range(3):
        result = sm.Logit((labels == e).astype(float), sm.add_constant(values.astype(float))).fit(
            disp=0, cov_type="HC0"
        )
        # The prior of deviation 5 moves an estimate by a thousandth of its error.
        assert found.log_odds[e] == pytest.approx(result.params[1:], abs=2e-3)
        assert found.standard_error[e] == pytest.approx(result.bse[1:], rel=2e-3)


def test_adjust_counts_copies_of_a_picture_once() -> None:
    labels, values = associated(1_500)
    rows = np.repeat(np.arange(1_500), 4)
    once = adjust(Design(pictures(values, labels), 3), np.ones((3, 3), bool), 1.25)
    copied = adjust(Design(pictures(values[rows], labels[rows], rows), 3), np.ones((3, 3), bool), 1.25)
    assert copied.log_odds == pytest.approx(once.log_odds, abs=5e-3)
    assert copied.standard_error == pytest.approx(once.standard_error, rel=0.01)


def test_a_twin_is_associated_alone_and_not_beside_its_parent() -> None:
    labels, values = associated(20_000)
    alone = associate(*counts_of(labels, values, 3), 1.25)
    adjusted = adjust(Design(pictures(values, labels), 3), np.ones((3, 3), bool), 1.25)
    assert alone.p[0, 0] < 1e-9
    assert alone.p[0, 1] < 1e-6
    assert adjusted.p[0, 0] < 1e-9
    assert adjusted.p[0, 1] > 0.5


def test_an_attribute_that_never_meets_an_emotion_gets_a_finite_estimate() -> None:
    labels, values = associated()
    values[labels == 2, 2] = 0
    found = adjust(Design(pictures(values, labels), 3), np.ones((3, 3), bool), 1.25)
    assert -2 * PRIOR_DEVIATION < found.log_odds[2, 2] < -3
    assert np.isfinite(found.standard_error).all()


def test_what_takes_no_part_has_no_figure_and_changes_none() -> None:
    labels, values = associated()
    taken = np.array([[True, True, False], [True, True, True], [False, False, False]])
    found = adjust(Design(pictures(values, labels), 3), taken, 1.25)
    assert np.array_equal(np.isnan(found.log_odds), ~taken)
    two = adjust(Design(pictures(values[:, :2], labels), 3), np.ones((3, 2), bool), 1.25)
    assert found.log_odds[0, :2] == pytest.approx(two.log_odds[0])


def test_values_unknown_at_random_leave_the_association_where_it_was() -> None:
    labels, values = associated(20_000)
    whole = adjust(Design(pictures(values, labels), 3), np.ones((3, 3), bool), 1.25)
    values = values.copy()
    values[np.random.default_rng(5).random(20_000) < 0.3] = -1
    part = adjust(Design(pictures(values, labels), 3), np.ones((3, 3), bool), 1.25)
    assert part.log_odds == pytest.approx(whole.log_odds, abs=0.1)
    assert (part.standard_error > whole.standard_error).all()
