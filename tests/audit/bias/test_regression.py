"""The joint regression against statsmodels, and its group-robust errors against refitting without each group."""

import numpy as np
import pytest
import statsmodels.api as sm

from tests.audit.bias.conftest import Draw, Drawn, pictures
from tinyemo_data.audit.bias.attributes import Floats
from tinyemo_data.audit.bias.design import Design
from tinyemo_data.audit.bias.regression import Effects, regress


def fitted(drawn: Drawn, classes: int = 3, own_class: bool = False) -> tuple[Design, Effects]:
    design = Design(drawn.pictures, classes)
    return design, regress(design, drawn.outcomes, np.ones((classes, design.columns), bool), own_class)


def columns(drawn: Drawn, rows: np.ndarray, classes: int) -> Floats:
    """Attributes and an intercept a class, as a textbook has them."""
    labels = drawn.pictures.labels[rows]
    kept = [c for c in range(classes) if (labels == c).any()]
    return np.column_stack([drawn.pictures.attributes.values[rows], *(labels == c for c in kept)]).astype(float)


@pytest.mark.parametrize("own_class", [False, True], ids=["other classes", "own class"])
def test_regress_equals_statsmodels_ols_with_hc3_for_every_emotion(make_drawn: Draw, own_class: bool) -> None:
    drawn = make_drawn()
    _, effects = fitted(drawn, own_class=own_class)
    for e in range(3):
        labels = drawn.pictures.labels
        rows = np.flatnonzero(labels == e if own_class else labels != e)
        for kind in range(2):
            result = sm.OLS(drawn.outcomes[kind, e, rows], columns(drawn, rows, 3)).fit(cov_type="HC3")
            assert effects.coefficients[kind, e] == pytest.approx(result.params[:4], rel=1e-9)
            assert effects.standard_errors[kind, e] == pytest.approx(result.bse[:4], rel=1e-9)
            assert effects.degrees[e] == result.df_resid


def test_regress_gives_the_jackknife_over_image_groups(make_drawn: Draw) -> None:
    """CR3: the squared changes of the coefficients when each group is left out, one after another."""
    drawn = make_drawn(rows=90, group_size=3)
    _, effects = fitted(drawn)
    labels, groups = drawn.pictures.labels, drawn.pictures.groups
    for e in range(3):
        rows = np.flatnonzero(labels != e)
        whole = np.linalg.lstsq(columns(drawn, rows, 3), drawn.outcomes[0, e, rows], rcond=None)[0]
        variance = np.zeros(4)
        for group in np.unique(groups[rows]):
            left = rows[groups[rows] != group]
            without = np.linalg.lstsq(columns(drawn, left, 3), drawn.outcomes[0, e, left], rcond=None)[0]
            variance += np.square(whole - without)[:4]
        assert effects.standard_errors[0, e] == pytest.approx(np.sqrt(variance), rel=1e-8)


def test_groups_of_copies_tell_no_more_than_one_picture_each(make_drawn: Draw) -> None:
    """Every picture ten times over, as groups of ten: the errors stay as they were."""
    drawn = make_drawn(rows=300)
    once = fitted(drawn)[1].standard_errors
    tenfold = drawn.pictures.rows(np.repeat(np.arange(300), 10))
    copied = Drawn(tenfold, np.repeat(drawn.outcomes, 10, axis=2))
    assert fitted(copied)[1].standard_errors == pytest.approx(once, rel=0.03)
    alone = Drawn(pictures(tenfold.attributes.values, tenfold.labels), copied.outcomes)
    assert (fitted(alone)[1].standard_errors < 0.5 * once).all()


def test_regress_is_the_same_however_pictures_are_ordered_and_cut(
    make_drawn: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = make_drawn(group_size=2, unknown=0.1)
    whole = fitted(drawn)[1]
    order = np.random.default_rng(1).permutation(400)
    monkeypatch.setattr("tinyemo_data.audit.bias.design.ROWS", 7)
    cut = fitted(Drawn(drawn.pictures.rows(order), drawn.outcomes[:, :, order]))[1]
    assert cut.coefficients == pytest.approx(whole.coefficients, rel=1e-8)
    assert cut.standard_errors == pytest.approx(whole.standard_errors, rel=1e-8)


def test_unknown_values_equal_the_class_mean_with_an_indicator_a_pattern(make_drawn: Draw) -> None:
    drawn = make_drawn(rows=500)
    values = drawn.pictures.attributes.values
    unannotated = np.random.default_rng(2).random(500) < 0.2
    values[np.ix_(unannotated, np.array([1, 2]))] = -1  # annotated together: one pattern
    values[np.random.default_rng(3).random(500) < 0.2, 3] = -1
    design, effects = fitted(drawn)
    assert design.patterns.shape[1] == 2
    labels = drawn.pictures.labels
    filled = values.astype(float)
    for c in range(3):
        for column in (1, 2, 3):
            known = (labels == c) & (values[:, column] >= 0)
            filled[(labels == c) & (values[:, column] < 0), column] = values[known, column].mean()
    rows = np.flatnonzero(labels != 1)
    dummies = [labels[rows] == 0, labels[rows] == 2, values[rows, 1] < 0, values[rows, 3] < 0]
    result = sm.OLS(drawn.outcomes[0, 1, rows], np.column_stack([filled[rows], *dummies]).astype(float)).fit()
    assert effects.coefficients[0, 1] == pytest.approx(result.params[:4], rel=1e-8)


def test_a_combination_of_other_attributes_is_told_and_the_others_keep_their_effects(make_drawn: Draw) -> None:
    drawn = make_drawn(attributes=3)
    values = drawn.pictures.attributes.values
    disjoint = np.column_stack([values[:, 0], values[:, 1] & ~values[:, 0], np.zeros(400, np.int8)]).astype(np.int8)
    disjoint[:, 2] = 1 - disjoint[:, 0] - disjoint[:, 1]  # of three values a picture has exactly one
    three = Drawn(pictures(disjoint, drawn.pictures.labels), drawn.outcomes)
    two = Drawn(pictures(disjoint[:, :2], drawn.pictures.labels), drawn.outcomes)
    effects = fitted(three)[1]
    assert (effects.dependent.sum(axis=1) == 1).all()
    assert np.isnan(effects.coefficients[0][effects.dependent]).all()
    # Which of the three is left out is the pivots' choice; the others' effects are then told against it.
    reference = fitted(two)[1].coefficients[0]
    for e, left_out in enumerate(effects.dependent.argmax(axis=1)):
        against = np.r_[reference[e], 0.0] - np.r_[reference[e], 0.0][left_out]
        kept = [column for column in range(3) if column != left_out]
        assert effects.coefficients[0, e, kept] == pytest.approx(against[kept])


def test_deviations_are_those_within_classes(make_drawn: Draw) -> None:
    drawn = make_drawn()
    _, effects = fitted(drawn)
    labels, outcome = drawn.pictures.labels, drawn.outcomes[1, 2]
    squares = sum(np.square(outcome[labels == c] - outcome[labels == c].mean()).sum() for c in (0, 1))
    assert effects.deviations[1, 2] == pytest.approx(np.sqrt(squares / ((labels != 2).sum() - 2)))


def test_a_class_of_one_picture_changes_nothing(make_drawn: Draw) -> None:
    drawn = make_drawn()
    labels = np.r_[drawn.pictures.labels, 3]
    values = np.concatenate([drawn.pictures.attributes.values, np.ones((1, 4), np.int8)])
    outcomes = np.concatenate([drawn.outcomes, drawn.outcomes[:, :1]], axis=1)
    outcomes = np.concatenate([outcomes, np.full((2, 4, 1), 9.0)], axis=2)
    _, more = fitted(Drawn(pictures(values, labels), outcomes), classes=4)
    _, less = fitted(drawn)
    assert more.coefficients[:, :3] == pytest.approx(less.coefficients)
    assert more.standard_errors[:, :3] == pytest.approx(less.standard_errors)
