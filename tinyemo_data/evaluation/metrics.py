"""Classification metrics on integer codes, each a small formula.

Symbols: N pictures, L labels; `truth` and `predicted` are int64 (N,) codes into the list of labels; `scores`
are float64 (N, L), higher is likelier. N is at least 1: an empty split is refused before it comes here.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tinyemo_data.errors import UnknownLabelError, nearest

Codes = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float64]

CALIBRATION_BINS = 15  # Guo et al. 2017, section 3


def encode(emotions: Sequence[str], labels: Sequence[str]) -> Codes:
    """Return each emotion's position in `labels`, int64 (N,). Two labels are the same only if equal.

    Raises UnknownLabelError naming the first row whose emotion is none of the labels.
    """
    position = {label: code for code, label in enumerate(labels)}
    for row, emotion in enumerate(emotions):
        if emotion not in position:
            raise UnknownLabelError(
                f"Row {row} has the label '{emotion}'; expected one of {', '.join(labels)}."
                f"{nearest(emotion, labels)} Map its spelling in the dataset's source module."
            )
    return np.array([position[emotion] for emotion in emotions], dtype=np.int64)


def predict(scores: Scores) -> Codes:
    """Return the label with the highest score, (N,); of equal scores the first in label order."""
    best: Codes = np.argmax(scores, axis=1).astype(np.int64)
    return best


def top1(truth: Codes, predicted: Codes) -> float:
    """Return the share of pictures whose predicted label equals the true one, 0–1."""
    return float((truth == predicted).mean())


def top_k(scores: Scores, truth: Codes, k: int) -> float:
    """Return the share of pictures whose true label is among the k best; of ties the first in label order."""
    best = np.argsort(-scores, axis=1, kind="stable")[:, :k]  # (N, k)
    return float((best == truth[:, None]).any(axis=1).mean())


def confusion_matrix(truth: Codes, predicted: Codes, n_labels: int) -> Codes:
    """Return counts (L, L): row = true label, column = predicted label."""
    cells = np.bincount(truth * n_labels + predicted, minlength=n_labels * n_labels)
    return cells.reshape(n_labels, n_labels).astype(np.int64)


def recall(confusion: Codes) -> list[float | None]:
    """Return each label's recall, 0–1; None where no picture has the label (0 / 0 is no recall of 0)."""
    support = confusion.sum(axis=1)
    found = confusion.diagonal()
    return [float(hit / n) if n else None for hit, n in zip(found, support, strict=True)]


def macro_f1(confusion: Codes) -> float:
    """Return the unweighted mean of F1 = 2 TP / (2 TP + FP + FN), 0–1.

    It runs over the labels that occur in truth or prediction: a label that was predicted but never true
    counts as 0, a label that is in neither says nothing and is left out (scikit-learn's default).
    """
    doubled_hits = 2 * confusion.diagonal()
    occurrences = confusion.sum(axis=0) + confusion.sum(axis=1)  # 2 TP + FP + FN
    present = occurrences > 0
    return float((doubled_hits[present] / occurrences[present]).mean())


def expected_calibration_error(probabilities: Scores, truth: Codes, bins: int = CALIBRATION_BINS) -> float:
    """Return sum_b |B_b| / N · |accuracy(B_b) − confidence(B_b)|, 0–1 (Guo et al. 2017, equation 3).

    Confidence is the highest probability; bin b of M equal-width ones holds ((b − 1) / M, b / M].
    """
    confidence = probabilities.max(axis=1)
    correct = predict(probabilities) == truth
    upper_edges = np.linspace(0.0, 1.0, bins + 1)[1:]
    # Rounding may lift a probability just above 1: it belongs to the last bin.
    bin_of = np.minimum(np.searchsorted(upper_edges, confidence, side="left"), bins - 1)
    gaps = np.bincount(bin_of, weights=correct - confidence, minlength=bins)
    return float(np.abs(gaps).sum() / len(truth))
