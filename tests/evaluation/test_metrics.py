"""Metrics against scikit-learn and against explicit loops."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix as sklearn_confusion
from sklearn.metrics import f1_score, recall_score, top_k_accuracy_score

from tinyemo_data.errors import UnknownLabelError
from tinyemo_data.evaluation import metrics

LABELS = ["anger", "awe", "fear", "joy"]


@st.composite
def predictions(draw: st.DrawFn) -> tuple[metrics.Codes, metrics.Scores]:
    """Draw true codes (N,) and probabilities (N, L), with labels that may be absent and with ties."""
    n, seed = draw(st.integers(1, 40)), draw(st.integers(0, 10_000))
    steps = draw(st.sampled_from([2, 5, 1000]))  # few steps: many equal scores
    rng = np.random.default_rng(seed)
    scores = rng.integers(1, steps + 1, size=(n, len(LABELS))).astype(float)
    truth = rng.integers(0, draw(st.integers(1, len(LABELS))), size=n)
    return truth, scores / scores.sum(axis=1, keepdims=True)


def test_top1_counts_no_substring_as_right_when_one_label_holds_another() -> None:
    labels = ["enjoyment", "joy"]
    truth = metrics.encode(["joy", "joy", "enjoyment"], labels)
    predicted = metrics.encode(["enjoyment", "joy", "joy"], labels)
    assert metrics.top1(truth, predicted) == pytest.approx(1 / 3)


def test_encode_names_row_label_and_nearest_when_the_label_is_unknown() -> None:
    with pytest.raises(UnknownLabelError, match=r"Row 1 has the label 'joyy'.*Did you mean 'joy'"):
        metrics.encode(["joy", "joyy"], LABELS)


@given(predictions())
def test_confusion_and_recall_equal_sklearn(drawn: tuple[metrics.Codes, metrics.Scores]) -> None:
    truth, scores = drawn
    predicted = metrics.predict(scores)
    codes = list(range(len(LABELS)))
    confusion = metrics.confusion_matrix(truth, predicted, len(LABELS))
    assert confusion.tolist() == sklearn_confusion(truth, predicted, labels=codes).tolist()
    expected = recall_score(truth, predicted, labels=codes, average=None, zero_division=np.nan)
    found = [np.nan if value is None else value for value in metrics.recall(confusion)]
    np.testing.assert_allclose(found, expected)


@given(predictions())
def test_macro_f1_equals_sklearn_over_labels_in_truth_or_prediction(
    drawn: tuple[metrics.Codes, metrics.Scores],
) -> None:
    truth, scores = drawn
    predicted = metrics.predict(scores)
    confusion = metrics.confusion_matrix(truth, predicted, len(LABELS))
    assert metrics.macro_f1(confusion) == pytest.approx(f1_score(truth, predicted, average="macro"))


def test_macro_f1_counts_zero_when_a_label_is_predicted_but_never_true() -> None:
    confusion = metrics.confusion_matrix(np.array([0, 0]), np.array([0, 1]), 3)
    assert metrics.macro_f1(confusion) == pytest.approx((2 / 3 + 0) / 2)  # the third label is in neither


@given(predictions())
def test_top_k_equals_a_loop_over_ranks(drawn: tuple[metrics.Codes, metrics.Scores]) -> None:
    truth, scores = drawn
    found = 0
    for code, row in zip(truth, scores, strict=True):
        better = sum(1 for other in range(len(row)) if (-row[other], other) < (-row[code], code))
        found += better < 2
    assert metrics.top_k(scores, truth, 2) == pytest.approx(found / len(truth))
    assert metrics.top_k(scores, truth, 1) == pytest.approx(metrics.top1(truth, metrics.predict(scores)))
    assert metrics.top_k(scores, truth, len(LABELS)) == 1


def test_top_k_equals_sklearn_when_no_scores_tie() -> None:
    rng = np.random.default_rng(3)
    truth, scores = rng.integers(0, 4, 200), rng.random((200, 4))
    assert metrics.top_k(scores, truth, 2) == top_k_accuracy_score(truth, scores, k=2, labels=range(4))


@given(predictions())
def test_calibration_error_equals_a_loop_over_bins(drawn: tuple[metrics.Codes, metrics.Scores]) -> None:
    truth, probabilities = drawn
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == truth
    total = 0.0
    for edge in range(15):
        low, high = np.linspace(0, 1, 16)[edge : edge + 2]
        inside = [i for i, c in enumerate(confidence) if low < c <= high]
        if inside:
            gap = np.mean([right[i] for i in inside]) - np.mean([confidence[i] for i in inside])
            total += len(inside) / len(truth) * abs(gap)
    assert metrics.expected_calibration_error(probabilities, truth) == pytest.approx(total)


def test_calibration_error_is_one_less_accuracy_when_every_confidence_is_one() -> None:
    probabilities = np.eye(4)[[0, 0, 0, 1]]
    assert metrics.expected_calibration_error(probabilities, np.array([0, 1, 2, 1])) == pytest.approx(0.5)


def test_calibration_error_takes_confidences_that_rounding_lifted_over_one() -> None:
    probabilities = np.array([[np.nextafter(1.0, 2.0), 0.0]])
    assert metrics.expected_calibration_error(probabilities, np.array([0])) == pytest.approx(0)
