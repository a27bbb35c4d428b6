"""Emotion consistency: the emotion that a text states, against the dataset's label and the projector's prediction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tinyemo_data.evaluation.bootstrap import Floats, Interval, percentile_interval
from tinyemo_data.evaluation.metrics import Codes, confusion_matrix
from tinyemo_data.evaluation.reasoning.answering import Answered
from tinyemo_data.evaluation.reasoning.held_out import HeldOut
from tinyemo_data.evaluation.reasoning.resampling import rounded, statistic_interval

# The three-way table: text, dataset's label (truth) and projector.
AGREEMENTS = ("all agree", "text = label", "text = projector", "label = projector", "all differ", "nothing stated")


@dataclass(frozen=True)
class Agreement:
    """How often two sides name the same emotion, fractions 0–1; a text that states none agrees with nobody."""

    top1: float
    ci95: Interval
    macro_f1: float  # over the labels of each taxonomy apart, that occur on either side
    macro_f1_ci95: Interval


@dataclass(frozen=True)
class Consistency:
    """What one row's texts state."""

    with_label: Agreement
    with_projector: Agreement
    three_way: dict[str, int]  # AGREEMENTS -> pictures
    stated: int  # texts that state one emotion
    none_stated: int
    several_stated: int
    by_dataset: dict[str, "OfDataset"]


@dataclass(frozen=True)
class OfDataset:
    """Agreement with the label on the pictures of one dataset."""

    n: int
    top1: float
    ci95: Interval


def measure_consistency(
    pictures: Sequence[HeldOut], answers: Sequence[Answered], resamples: int, seed: int
) -> Consistency:
    """Return the figures of one row; `answers` are in the order of `pictures`, of which there is at least one."""
    codes = _Codes(pictures)
    truth, predicted = codes.of([one.emotion for one in pictures]), codes.of([one.predicted for one in pictures])
    stated = codes.of([one.label for one in answers])
    three_way = dict.fromkeys(AGREEMENTS, 0)
    for row in range(len(pictures)):
        three_way[_agreement(truth[row], predicted[row], stated[row], codes.none)] += 1
    named = [one.named for one in answers]
    return Consistency(
        _agree(truth, stated, codes.none, resamples, seed),
        _agree(predicted, stated, codes.none, resamples, seed),
        three_way,
        named.count("one"),
        named.count("none"),
        named.count("several"),
        _by_dataset(pictures, hits(pictures, answers), resamples, seed),
    )


def hits(pictures: Sequence[HeldOut], answers: Sequence[Answered]) -> Floats:
    """Return 1 where a text states the dataset's label and 0 elsewhere, float64 (N,)."""
    rows = zip(pictures, answers, strict=True)
    return np.array([float(answer.label == picture.emotion) for picture, answer in rows])


def projector_hits(pictures: Sequence[HeldOut], answers: Sequence[Answered]) -> Floats:
    """Return 1 where a text states the projector's label and 0 elsewhere, float64 (N,)."""
    rows = zip(pictures, answers, strict=True)
    return np.array([float(answer.label == picture.predicted) for picture, answer in rows])


def macro_f1(truth: Codes, found: Codes, none: int) -> float:
    """Return the mean of F1 = 2 TP / (2 TP + FP + FN) over the labels that occur in truth or found, 0–1.

    The code `none`, the highest, stands for no label: it is missed where it is found, and is no label of its own.
    """
    confusion = confusion_matrix(truth, found, none + 1)
    doubled = 2 * confusion.diagonal()[:none]
    occurrences = (confusion.sum(axis=0) + confusion.sum(axis=1))[:none]
    present = occurrences > 0
    return float((doubled[present] / occurrences[present]).mean())


def chance_of(pictures: Sequence[HeldOut], commonest: Mapping[str, float]) -> float:
    """Return the top-1 of answers that don't look: always each dataset's commonest label, 0–1.

    `commonest` is that label's share among all held-out pictures of a dataset: among a few drawn ones the share of
    whichever label happens to be the commonest would be higher.
    """
    return rounded(sum(commonest[one.dataset] for one in pictures) / len(pictures))


class _Codes:
    """Numbers for the labels of each taxonomy apart: fear of Ekman's six is not fear of Mikels's eight."""

    def __init__(self, pictures: Sequence[HeldOut]) -> None:
        pairs = sorted({(one.taxonomy, label) for one in pictures for label in one.options})
        self._codes = {pair: code for code, pair in enumerate(pairs)}
        self._taxonomies = [one.taxonomy for one in pictures]
        self.none = len(pairs)

    def of(self, labels: Sequence[str | None]) -> Codes:
        """Return the codes of one label a picture, int64 (N,)."""
        pairs = zip(self._taxonomies, labels, strict=True)
        return np.array(
            [self.none if label is None else self._codes[name, label] for name, label in pairs], dtype=np.int64
        )


def _agree(truth: Codes, stated: Codes, none: int, resamples: int, seed: int) -> Agreement:
    same = np.equal(truth, stated).astype(np.float64)
    low, high = percentile_interval(same, resamples, seed)

    def f1(some_truth: Codes, some_stated: Codes) -> float:
        return macro_f1(some_truth, some_stated, none)

    return Agreement(
        rounded(same.mean()),
        (rounded(low), rounded(high)),
        rounded(f1(truth, stated)),
        statistic_interval(truth, stated, f1, resamples, seed),
    )


def _agreement(truth: int, predicted: int, stated: int, none: int) -> str:
    if stated == none:
        return "nothing stated"
    if stated == truth:
        return "all agree" if truth == predicted else "text = label"
    if stated == predicted:
        return "text = projector"
    return "label = projector" if truth == predicted else "all differ"


def _by_dataset(pictures: Sequence[HeldOut], right: Floats, resamples: int, seed: int) -> dict[str, OfDataset]:
    found = {}
    for dataset in dict.fromkeys(one.dataset for one in pictures):
        of_dataset = right[[one.dataset == dataset for one in pictures]]
        low, high = percentile_interval(of_dataset, resamples, seed)
        found[dataset] = OfDataset(len(of_dataset), rounded(of_dataset.mean()), (rounded(low), rounded(high)))
    return found
