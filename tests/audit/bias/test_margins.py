import numpy as np
import pytest

from tests.audit.bias.conftest import Draw
from tinyemo_data.audit.bias.contrast import measure_contrast
from tinyemo_data.audit.bias.design import Design
from tinyemo_data.audit.bias.margins import margins, mean_margins, predictions
from tinyemo_data.audit.bias.reliance import measure_reliance


def test_margins_are_the_distance_to_the_nearest_other_emotion() -> None:
    similarities = np.random.default_rng(0).normal(size=(2, 5, 4)).astype(np.float32)
    found = margins(similarities)
    for seed in range(2):
        for row in range(5):
            for e in range(4):
                others = np.delete(similarities[seed, row], e).astype(np.float64)
                assert found[seed, row, e] == pytest.approx(similarities[seed, row, e] - others.max())
    assert mean_margins(similarities) == pytest.approx(found.mean(axis=0).T)
    assert predictions(similarities).tolist() == similarities.mean(axis=0).argmax(axis=1).tolist()


def test_two_equal_nearest_emotions_have_no_margin() -> None:
    assert margins(np.array([[[0.5, 0.5, 0.1]]])).tolist() == [[[0.0, 0.0, -0.4]]]


def test_reliance_is_the_coefficient_in_deviations_within_classes(make_drawn: Draw) -> None:
    drawn = make_drawn(rows=2_000)
    margin = drawn.outcomes[0]
    testable = np.ones((3, 4), bool)
    found = measure_reliance(Design(drawn.pictures, 3), margin, testable, 0.2)
    scaled = measure_reliance(Design(drawn.pictures, 3), 7 * margin, testable, 0.2)
    assert scaled.d == pytest.approx(found.d)
    assert scaled.p == pytest.approx(found.p)
    assert found.d == pytest.approx(found.effects.coefficients[0] / found.effects.deviations[0][:, None])
    assert ((found.low < found.d) & (found.d < found.high)).all()


def test_suppression_mirrors_reliance_on_the_emotions_own_pictures(make_drawn: Draw) -> None:
    drawn = make_drawn(rows=2_000)
    design, testable = Design(drawn.pictures, 3), np.ones((3, 4), bool)
    found = measure_reliance(design, drawn.outcomes[0], testable, 0.2, own_class=True)
    mirrored = measure_reliance(design, -drawn.outcomes[0], testable, 0.2, own_class=True)
    assert found.d == pytest.approx(-mirrored.d)
    assert ((found.p < 0.5) == (found.d < -0.2)).all()


def test_contrast_of_two_equal_projectors_is_zero_and_never_significant(make_drawn: Draw) -> None:
    drawn = make_drawn(rows=600)
    similarities = np.random.default_rng(0).normal(size=(3, 600, 3)).astype(np.float32)
    found = measure_contrast(Design(drawn.pictures, 3), similarities, similarities, np.ones((3, 4), bool), 0.05)
    assert found.d == pytest.approx(0)
    assert found.seed_deviation == pytest.approx(0)
    assert (found.p == 1).all()


def test_contrast_finds_what_the_plain_projector_has_beyond_the_raked_one(make_drawn: Draw) -> None:
    drawn = make_drawn(rows=3_000)
    raked = np.random.default_rng(0).normal(size=(2, 3_000, 3)).astype(np.float32)
    plain = raked.copy()
    plain[:, :, 1] += 0.5 * drawn.pictures.attributes.values[:, 2]
    found = measure_contrast(Design(drawn.pictures, 3), plain, raked, np.ones((3, 4), bool), 0.05)
    others = np.delete(found.d.ravel(), 1 * 4 + 2)
    assert found.d[1, 2] > 0.2 > 0.05 > others.max()
    assert found.p[1, 2] < 1e-9


def test_contrast_is_less_sure_where_seeds_disagree(make_drawn: Draw) -> None:
    drawn = make_drawn(rows=1_000)
    rng = np.random.default_rng(0)
    raked = np.repeat(rng.normal(size=(1, 1_000, 3)), 4, axis=0).astype(np.float32)
    swing = np.array([0.4, -0.4, 0.4, -0.4])[:, None] * drawn.pictures.attributes.values[:, 0]
    plain = raked.copy()
    plain[:, :, 0] += swing
    design, testable = Design(drawn.pictures, 3), np.ones((3, 4), bool)
    agreed = measure_contrast(design, plain[:1], raked[:1], testable, 0.05)
    found = measure_contrast(design, plain, raked, testable, 0.05)
    assert agreed.seed_deviation is None
    assert found.seed_deviation is not None
    assert found.seed_deviation > 0.05
    assert found.standard_error[0, 0] >= found.seed_deviation / 2
