import numpy as np
import pytest

from tests.audit.bias.conftest import Draw
from tinyemo_data.audit.bias.amplification import amplification
from tinyemo_data.audit.bias.design import Design
from tinyemo_data.audit.bias.geometry import attribute_directions, cosines_to_prototypes, nearest_words
from tinyemo_data.audit.bias.ranking import guess_origin, rank
from tinyemo_data.audit.bias.support import counts_of
from tinyemo_data.audit.bias.word_association import WordVectors, associate_words
from tinyemo_data.errors import AuditError


def test_attribute_directions_are_the_joint_coefficients_of_every_dimension(make_drawn: Draw) -> None:
    drawn = make_drawn()
    z = np.random.default_rng(0).normal(size=(400, 5))
    labels, values = drawn.pictures.labels, drawn.pictures.attributes.values
    found = attribute_directions(Design(drawn.pictures, 3), z, np.ones(4, bool))
    x = np.column_stack([values, *(labels == c for c in range(3))]).astype(float)
    assert found == pytest.approx(np.linalg.lstsq(x, z, rcond=None)[0][:4])


def test_an_attribute_that_moves_pictures_to_a_prototype_has_its_cosine(make_drawn: Draw) -> None:
    drawn = make_drawn(rows=2_000)
    prototypes = np.random.default_rng(0).normal(size=(3, 8)) + 5
    towards = prototypes[2] - prototypes.mean(axis=0)
    z = np.random.default_rng(1).normal(size=(2_000, 8)) + drawn.pictures.attributes.values[:, [1]] * towards
    cosines = cosines_to_prototypes(attribute_directions(Design(drawn.pictures, 3), z, np.ones(4, bool)), prototypes)
    assert cosines[2, 1] > 0.95
    assert cosines[:, 1].argmax() == 2


def test_nearest_words_looks_past_the_direction_that_all_words_share() -> None:
    vocabulary = np.array([[10.0, 1.0, 0.0], [10.0, -1.0, 0.0], [10.0, -0.2, 0.3], [10.0, 0.2, -0.3]])
    found = nearest_words(np.array([0.0, -1.0, 0.0]), vocabulary, ["up", "down", "aside", "other"], 2)
    assert [word for word, _ in found] == ["down", "aside"]
    assert found[0][1] == pytest.approx(1)


def test_amplification_equals_the_papers_formula_in_a_loop() -> None:
    rng = np.random.default_rng(0)
    labels, train_labels = rng.integers(0, 3, 500), rng.integers(0, 3, 900)
    values = (rng.random((500, 4)) < 0.3).astype(np.int8)
    train = (rng.random((900, 4)) < 0.2 + 0.1 * (train_labels[:, None] == 1)).astype(np.int8)
    similarities = rng.normal(size=(3, 500, 3))
    found = amplification(labels, similarities, values, *counts_of(train_labels, train, 3))
    for t in range(3):
        for a in range(4):
            together = ((train_labels == t) & (train[:, a] == 1)).mean()
            sign = 1 if together > (train_labels == t).mean() * train[:, a].mean() else -1
            has = values[:, a] == 1
            deltas = [(s.argmax(axis=1)[has] == t).mean() - (labels[has] == t).mean() for s in similarities]
            assert found.pairs[t, a] == pytest.approx(sign * np.mean(deltas))
    assert found.overall == pytest.approx(found.pairs.mean())
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.overall < found.high


def test_a_model_that_copies_the_labels_amplifies_nothing_and_one_that_goes_further_does() -> None:
    labels = np.array([0, 0, 0, 1, 0, 1, 1, 1])
    values = np.array([1, 1, 1, 1, 0, 0, 0, 0], np.int8)[:, None]
    copied = np.eye(2)[labels][None]
    further = np.eye(2)[1 - values[:, 0]][None]
    counts = counts_of(labels, values, 2)
    assert amplification(labels, copied, values, *counts).overall == 0
    assert amplification(labels, further, values, *counts).overall == pytest.approx(0.25)
    assert amplification(labels, copied, values, *counts).low is None


def words(seed: int = 0, controls: int = 2_000) -> WordVectors:
    rng = np.random.default_rng(seed)
    shared = 3 * rng.normal(size=16)
    emotions = rng.normal(size=(4, 16)) + shared
    near = emotions[2] + 0.3 * rng.normal(size=16)
    return WordVectors({"near": near}, emotions, rng.normal(size=(controls, 16)) + shared)


def test_a_word_near_an_emotions_word_stands_out_from_control_words() -> None:
    found = associate_words(words(), ["near", "without a word"])
    assert found.effect[:, 0].argmax() == 2
    assert found.p[2, 0] < 0.01
    assert found.p[0, 0] > 0.2
    assert np.isnan(found.effect[:, 1]).all()


def test_random_words_are_significant_as_often_as_the_level_says() -> None:
    base = words()
    rng = np.random.default_rng(3)
    mean = base.controls.mean(axis=0)
    random = {f"w{n}": rng.normal(size=16) + mean for n in range(300)}
    found = associate_words(WordVectors(random, base.emotions, base.controls), list(random))
    assert (found.p < 0.05).mean() == pytest.approx(0.05, abs=0.02)


def test_too_few_control_words_are_refused() -> None:
    with pytest.raises(AuditError, match="20 control words"):
        associate_words(words(controls=20), ["near"])


def test_rank_weighs_the_lower_end_by_the_root_of_the_support() -> None:
    assert rank(np.array([0.1, 0.3, 0.2]), np.array([900.0, 49.0, 400.0])).tolist() == [2, 3, 1]


@pytest.mark.parametrize(
    ("flagged", "taught", "relied", "p", "expected"),
    [
        (True, True, False, float("nan"), "training data"),
        (True, True, True, 0.01, "training data and language model"),
        (False, True, True, 0.5, "training data, in place of another attribute"),
        (False, False, True, 0.01, "language model"),
        (False, False, True, 0.5, "picture features"),
        (False, False, False, 0.01, "none"),
    ],
)
def test_guess_origin(flagged: bool, taught: bool, relied: bool, p: float, expected: str) -> None:
    assert guess_origin(flagged, taught, relied, p) == expected
