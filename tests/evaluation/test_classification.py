"""The rows of one dataset: every method, every seed, with and without twins."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from statistics import fmean, stdev

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, f1_score

from tinyemo_data.errors import CheckpointError, FeatureError, TableError, TinyEmoError, UnknownLabelError
from tinyemo_data.evaluation.classification import evaluate_dataset, find_twins
from tinyemo_data.evaluation.prediction import ProjectorLike
from tinyemo_data.evaluation.row import Row
from tinyemo_data.features.table import LabelledFeatures, concatenate
from tinyemo_data.settings import EvaluationSettings

Draw = Callable[..., LabelledFeatures]
Projecting = Callable[..., ProjectorLike]
COUNTS = {"anger": 12, "disgust": 9, "fear": 9, "joy": 15, "sadness": 9, "surprise": 9}
METHODS = ["projector"] * 4 + ["projector_ensemble", "majority", "nearest_class_mean", "logistic"]


def row_of(rows: Sequence[Row], method: str, *, seed: int | None = None, twins_removed: bool = False) -> Row:
    found = [r for r in rows if (r.method, r.seed, r.twins_removed) == (method, seed, twins_removed)]
    assert len(found) == 1
    return found[0]


@pytest.fixture
def train(draw: Draw) -> LabelledFeatures:
    return draw(COUNTS, noise=1.5)


@pytest.fixture
def test(draw: Draw) -> LabelledFeatures:
    return draw(COUNTS, noise=1.5, seed=1, split="test")


@pytest.fixture
def rows(
    test: LabelledFeatures, train: LabelledFeatures, projector_of: Projecting, settings: EvaluationSettings
) -> list[Row]:
    return evaluate_dataset(
        test, train, projector_of(train), settings, "emotion6", "test", trained_on=["emotion6", "emoset"]
    )


def test_evaluate_dataset_has_a_row_a_seed_their_mean_the_ensemble_and_the_baselines(rows: list[Row]) -> None:
    assert [row.method for row in rows] == METHODS
    assert [row.seed for row in rows] == [0, 1, 2, None, None, None, None, None]
    assert {(r.dataset, r.split, r.taxonomy, r.n, r.twins, r.twins_removed) for r in rows} == {
        ("emotion6", "test", "ekman6", 63, 0, False)
    }
    assert row_of(rows, "projector").fitted_on == ["emotion6/train", "emoset/train"]
    assert row_of(rows, "logistic").fitted_on == ["emotion6/train"]


def test_rows_agree_with_their_own_confusion(rows: list[Row]) -> None:
    for row in rows:
        if row.confusion is None:
            continue
        confusion = np.array(row.confusion)
        assert confusion.sum() == row.n
        assert row.top1 == pytest.approx(confusion.trace() / row.n, abs=1e-6)
        assert dict(zip(row.labels, confusion.sum(axis=1), strict=True)) == row.support == COUNTS
        assert row.ci95[0] <= row.top1 <= row.ci95[1]
        assert row.top1 <= row.top2 <= 1


def test_ensemble_row_equals_sklearn_on_the_mean_similarity(
    rows: list[Row], test: LabelledFeatures, train: LabelledFeatures, projector_of: Projecting
) -> None:
    labels = sorted(COUNTS)
    mean = projector_of(train).similarities(test.features, labels).double().mean(dim=0)
    predicted = [labels[int(code)] for code in mean.argmax(dim=1)]
    ensemble = row_of(rows, "projector_ensemble")
    assert ensemble.top1 == pytest.approx(accuracy_score(test.emotions, predicted), abs=1e-6)
    assert ensemble.macro_f1 == pytest.approx(f1_score(test.emotions, predicted, average="macro"), abs=1e-6)
    assert ensemble.seeds == 3


def test_mean_row_is_the_mean_of_the_seed_rows(rows: list[Row]) -> None:
    seeds = [row_of(rows, "projector", seed=seed) for seed in (0, 1, 2)]
    mean = row_of(rows, "projector")
    assert mean.top1 == pytest.approx(fmean(row.top1 for row in seeds), abs=2e-6)
    assert mean.top1_sd == pytest.approx(stdev(row.top1 for row in seeds), abs=2e-6)
    assert mean.macro_f1 == pytest.approx(fmean(row.macro_f1 for row in seeds), abs=2e-6)
    assert mean.recall["joy"] == pytest.approx(fmean(row.recall["joy"] or 0 for row in seeds), abs=2e-6)
    assert mean.confusion is None
    assert mean.seeds == 3


def test_mean_row_has_no_deviation_when_there_is_one_seed(
    test: LabelledFeatures, train: LabelledFeatures, projector_of: Projecting, settings: EvaluationSettings
) -> None:
    rows = evaluate_dataset(test, train, projector_of(train, seeds=(4,)), settings, "emotion6", "test")
    assert row_of(rows, "projector").top1_sd is None
    assert row_of(rows, "projector").top1 == row_of(rows, "projector", seed=4).top1


def test_lead_is_the_paired_difference_to_each_baseline(rows: list[Row]) -> None:
    ensemble = row_of(rows, "projector_ensemble")
    assert set(ensemble.lead) == {"majority", "nearest_class_mean", "logistic"}
    for method, (difference, low, high) in ensemble.lead.items():
        assert difference == pytest.approx(ensemble.top1 - row_of(rows, method).top1, abs=2e-6)
        assert low <= difference <= high
    assert ensemble.lead["majority"][1] > 0


def test_majority_row_equals_the_class_frequency_exactly(rows: list[Row]) -> None:
    majority = row_of(rows, "majority")
    assert majority.top1 == round(COUNTS["joy"] / 63, 6)
    assert majority.recall == {label: float(label == "joy") for label in COUNTS}


def test_evaluate_dataset_gives_equal_rows_again(
    rows: list[Row],
    test: LabelledFeatures,
    train: LabelledFeatures,
    projector_of: Projecting,
    settings: EvaluationSettings,
) -> None:
    trained_on = ["emotion6", "emoset"]
    again = evaluate_dataset(test, train, projector_of(train), settings, "emotion6", "test", trained_on=trained_on)
    assert again == rows


def test_rows_without_twins_leave_out_what_has_the_bytes_of_a_train_picture_or_is_excluded(
    test: LabelledFeatures, train: LabelledFeatures, projector_of: Projecting, settings: EvaluationSettings
) -> None:
    leaky = concatenate([test, train.select([0, 5])])
    assert find_twins(leaky, train, {test.sample_ids[3]}) == [3, 63, 64]
    rows = evaluate_dataset(
        leaky, train, projector_of(train), settings, "emotion6", "test", exclude={test.sample_ids[3]}
    )
    assert [row.method for row in rows] == METHODS * 2
    kept, removed = row_of(rows, "logistic"), row_of(rows, "logistic", twins_removed=True)
    assert (kept.n, removed.n, kept.twins, removed.twins) == (65, 62, 3, 3)
    rest = test.select([row for row in range(63) if row != 3])
    alone = evaluate_dataset(rest, train, projector_of(train), settings, "emotion6", "test")
    for row in rows[len(METHODS) :]:
        assert replace(row, twins=0, twins_removed=False) == row_of(alone, row.method, seed=row.seed)


def test_no_rows_without_twins_when_every_picture_has_one(
    train: LabelledFeatures, projector_of: Projecting, settings: EvaluationSettings
) -> None:
    rows = evaluate_dataset(train, train, projector_of(train), settings, "emotion6", "test")
    assert {(row.twins_removed, row.twins) for row in rows} == {(False, len(train))}


@pytest.mark.parametrize("absent", [None, "empty"])
def test_no_baselines_when_there_is_no_train_split(
    absent: str | None,
    test: LabelledFeatures,
    train: LabelledFeatures,
    projector_of: Projecting,
    settings: EvaluationSettings,
) -> None:
    own = None if absent is None else train.select([])
    rows = evaluate_dataset(test, own, projector_of(train), settings, "emotion6", "test", labels=sorted(COUNTS))
    assert [row.method for row in rows] == METHODS[:5]
    assert row_of(rows, "projector_ensemble").lead == {}


def test_an_emotion_absent_from_the_evaluated_split_has_no_recall_but_stays_a_candidate(
    train: LabelledFeatures, draw: Draw, projector_of: Projecting, settings: EvaluationSettings
) -> None:
    counts = {label: count for label, count in COUNTS.items() if label != "disgust"}
    test = draw(counts, noise=3, seed=1, split="test")
    rows = evaluate_dataset(test, train, projector_of(train), settings, "emotion6", "test")
    ensemble = row_of(rows, "projector_ensemble")
    assert ensemble.recall["disgust"] is None
    assert ensemble.support["disgust"] == 0
    assert ensemble.labels == sorted(COUNTS)
    assert sum(line[1] for line in ensemble.confusion or []) > 0  # predicted, and each time an error


def test_a_label_that_train_lacks_is_never_found_by_a_baseline(
    test: LabelledFeatures, draw: Draw, projector_of: Projecting, settings: EvaluationSettings
) -> None:
    train = draw({label: 9 for label in COUNTS if label != "fear"}, noise=1.5)
    rows = evaluate_dataset(test, train, projector_of(train), settings, "emotion6", "test")
    assert {row_of(rows, method).recall["fear"] for method in METHODS[5:]} == {0.0}


def test_a_class_of_three_pictures_is_evaluated(
    draw: Draw, projector_of: Projecting, settings: EvaluationSettings
) -> None:
    train = draw({"anger": 3, "joy": 40}, dataset="abstract")
    test = draw({"anger": 3, "joy": 20}, dataset="abstract", split="test", seed=1)
    rows = evaluate_dataset(test, train, projector_of(train), settings, "abstract", "test")
    assert row_of(rows, "logistic").support == {"anger": 3, "joy": 20}
    assert row_of(rows, "nearest_class_mean").recall == {"anger": 1.0, "joy": 1.0}


@pytest.mark.parametrize("split", ["test", "train"])
@pytest.mark.parametrize("value", [float("nan"), float("inf")], ids=["nan", "inf"])
def test_evaluate_dataset_names_the_picture_when_a_feature_is_not_finite(
    split: str,
    value: float,
    test: LabelledFeatures,
    train: LabelledFeatures,
    projector_of: Projecting,
    settings: EvaluationSettings,
) -> None:
    (test if split == "test" else train).features[5, 2] = value
    words = f"emotion6: 1 of 63 {split} features hold NaN .*emotion6/{split}/anger/5.*features/emotion6"
    with pytest.raises(FeatureError, match=words):
        evaluate_dataset(test, train, projector_of(train), settings, "emotion6", "test")


def test_evaluate_dataset_names_dataset_and_mend_when_the_split_is_empty(
    test: LabelledFeatures, train: LabelledFeatures, projector_of: Projecting, settings: EvaluationSettings
) -> None:
    with pytest.raises(TableError, match=r"emotion6: .*validation split, found none.*materialize"):
        evaluate_dataset(test.select([]), train, projector_of(train), settings, "emotion6", "validation")


def two_taxonomies(part: LabelledFeatures) -> LabelledFeatures:
    return replace(part, taxonomies=["mikels8", *part.taxonomies[1:]])


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (two_taxonomies, TableError, "expected one taxonomy, found ekman6, mikels8"),
        (lambda part: replace(part, datasets=["fi", *part.datasets[1:]]), TableError, "is of fi"),
        (lambda part: replace(part, features=part.features[:-1]), FeatureError, "one feature for each of 63"),
        (lambda part: replace(part, features=part.features[:, :-1]), FeatureError, "16 dimensions.*15"),
    ],
    ids=["taxonomies", "another dataset", "a feature lacks", "another encoder"],
)
def test_evaluate_dataset_refuses_train_rows_that_do_not_fit(
    change: Callable[[LabelledFeatures], LabelledFeatures],
    error: type[TinyEmoError],
    words: str,
    test: LabelledFeatures,
    train: LabelledFeatures,
    projector_of: Projecting,
    settings: EvaluationSettings,
) -> None:
    with pytest.raises(error, match=words):
        evaluate_dataset(test, change(train), projector_of(train), settings, "emotion6", "test")


def test_evaluate_dataset_refuses_a_label_that_is_no_candidate(
    test: LabelledFeatures, train: LabelledFeatures, projector_of: Projecting, settings: EvaluationSettings
) -> None:
    with pytest.raises(UnknownLabelError, match="has the label 'surprise'"):
        evaluate_dataset(
            test,
            None,
            projector_of(train),
            settings,
            "emotion6",
            "test",
            labels=["anger", "disgust", "fear", "joy", "sadness"],
        )


def test_evaluate_dataset_names_seed_and_label_when_similarities_are_not_finite(
    test: LabelledFeatures, train: LabelledFeatures, projector_of: Projecting, settings: EvaluationSettings
) -> None:
    damaged = train.select(list(range(len(train))))
    damaged.features[0] = torch.nan  # an anger: its mean is NaN for every seed that drew it
    with pytest.raises(CheckpointError, match=r"similarity of picture 0 to 'anger' is nan"):
        evaluate_dataset(test, train, projector_of(damaged), settings, "emotion6", "test")


def test_evaluate_dataset_names_both_shapes_when_similarities_have_another(
    test: LabelledFeatures, train: LabelledFeatures, projector_of: Projecting, settings: EvaluationSettings
) -> None:
    class Squeezed:
        seeds, digest, temperature = (0,), "d" * 64, 0.1

        def similarities(self, features: torch.Tensor, labels: Sequence[str]) -> torch.Tensor:
            return projector_of(train, seeds=(0,)).similarities(features, labels)[0]

    with pytest.raises(CheckpointError, match=r"= \(1, 63, 6\), found \(63, 6\)"):
        evaluate_dataset(test, train, Squeezed(), settings, "emotion6", "test")


def test_evaluate_dataset_is_sane_on_real_features(
    emotion6: dict[str, LabelledFeatures], projector_of: Projecting, settings: EvaluationSettings
) -> None:
    train, validation = emotion6["train"], emotion6["validation"]
    rows = evaluate_dataset(
        validation, train, projector_of(train), settings, "emotion6", "validation", trained_on=["emotion6"]
    )
    figures = {row.method: row.top1 for row in rows if row.seed is None}
    frequent = max(sorted(set(train.emotions)), key=Counter(train.emotions).__getitem__)
    assert figures["majority"] == round(Counter(validation.emotions)[frequent] / len(validation), 6)
    assert figures["majority"] < figures["projector_ensemble"] < 0.85
    assert figures["projector_ensemble"] == pytest.approx(figures["nearest_class_mean"], abs=0.05)
    assert 0.7 < figures["logistic"] < 0.85
    low, high = row_of(rows, "logistic").ci95
    assert 0.06 < high - low < 0.14  # 292 pictures: about ± 5 points
    assert row_of(rows, "projector").twins == 0
