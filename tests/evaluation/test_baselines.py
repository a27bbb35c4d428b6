"""Baselines on separable and on real features."""

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
import torch

from tinyemo_data.evaluation.baselines import BASELINES, Baseline, logistic, majority, nearest_class_mean
from tinyemo_data.evaluation.metrics import encode, predict, top1
from tinyemo_data.features.table import LabelledFeatures

Draw = Callable[..., LabelledFeatures]
LABELS = ["anger", "disgust", "fear", "joy", "sadness", "surprise"]
EACH = pytest.mark.parametrize("baseline", BASELINES.values(), ids=BASELINES.keys())


@EACH
def test_baseline_gives_probabilities_and_zero_to_a_label_that_train_lacks(baseline: Baseline, draw: Draw) -> None:
    train = draw({"anger": 9, "joy": 6, "fear": 3})
    found = baseline(train, draw({"sadness": 4, "joy": 4}, seed=1).features, LABELS)
    assert found.shape == (8, 6)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert (found >= 0).all()
    unlearnt = [LABELS.index(label) for label in ("disgust", "sadness", "surprise")]
    assert (found[:, unlearnt] == 0).all()


@EACH
def test_baseline_is_certain_when_train_has_one_label(baseline: Baseline, draw: Draw) -> None:
    found = baseline(draw({"joy": 5}), draw({"anger": 3}).features, LABELS)
    np.testing.assert_allclose(found[:, LABELS.index("joy")], 1)


@EACH
def test_baseline_gives_the_same_bytes_again(baseline: Baseline, draw: Draw) -> None:
    train, features = draw({"anger": 30, "joy": 30}), draw({"anger": 9}, seed=1).features
    assert baseline(train, features, LABELS).tobytes() == baseline(train, features, LABELS).tobytes()


@pytest.mark.parametrize("baseline", [nearest_class_mean, logistic], ids=["nearest_class_mean", "logistic"])
def test_baseline_separates_what_can_be_separated(baseline: Baseline, draw: Draw) -> None:
    counts = dict.fromkeys(LABELS, 20)
    test = draw(counts, seed=5, split="test")
    found = baseline(draw(counts), test.features, LABELS)
    assert top1(encode(test.emotions, LABELS), predict(found)) == 1


def test_majority_gives_the_train_frequencies_exactly(draw: Draw) -> None:
    found = majority(draw({"anger": 3, "joy": 5}), torch.zeros(2, 16), LABELS)
    assert found.tolist() == [[3 / 8, 0, 0, 5 / 8, 0, 0]] * 2


def test_nearest_class_mean_agrees_with_a_loop_over_classes(draw: Draw) -> None:
    train, test = (
        draw({"anger": 8, "fear": 3, "joy": 5}, noise=2),
        draw({"joy": 9, "fear": 9}, seed=2, noise=2),
    )
    labels = ["anger", "fear", "joy"]
    predicted = predict(nearest_class_mean(train, test.features, labels))
    for row, feature in enumerate(test.features.double()):
        cosines = []
        for label in labels:
            rows = [i for i, emotion in enumerate(train.emotions) if emotion == label]
            mean = sum(train.features[i].double() / train.features[i].double().norm() for i in rows) / len(rows)
            cosines.append(float(torch.dot(feature, mean) / (feature.norm() * mean.norm())))
        assert labels[predicted[row]] == labels[int(np.argmax(cosines))]


def test_logistic_takes_a_feature_that_never_varies(draw: Draw) -> None:
    train = draw({"anger": 9, "joy": 9})
    train.features[:, 3] = 7.0
    assert np.isfinite(logistic(train, train.features, LABELS)).all()


def test_baselines_are_sane_on_real_features(emotion6: dict[str, LabelledFeatures]) -> None:
    train, validation = emotion6["train"], emotion6["validation"]
    truth = encode(validation.emotions, LABELS)
    found = {
        name: top1(truth, predict(baseline(train, validation.features, LABELS))) for name, baseline in BASELINES.items()
    }
    most_frequent = Counter(sorted(train.emotions)).most_common(1)[0][0]
    assert found["majority"] == Counter(validation.emotions)[most_frequent] / len(validation)
    assert 0.6 < found["nearest_class_mean"] < 0.8
    assert 0.7 < found["logistic"] < 0.85
