"""Weights of training pictures under which the accepted slices' attributes say nothing about their emotions.

Only the pictures of an accepted slice's own emotion change weight: the attribute's weighted share among them becomes
that among all other pictures, so that the odds ratio is 1, by iterative proportional fitting (Deming & Stephan 1940)
where an emotion has several. The weight of each emotion, and what people called a legitimate cue, stay.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tinyemo_data.audit.bias.attributes import ABSENT, PRESENT, Floats, Integers, Ternary
from tinyemo_data.errors import AuditError

PASSES, CLOSE = 50, 1e-6


@dataclass(frozen=True)
class Wanted:
    """An attribute that shall say nothing about an emotion."""

    attribute: str
    emotion: int
    values: Ternary  # (M,) of the training pictures


def weigh(labels: Integers, wanted: Sequence[Wanted], emotions: Sequence[str]) -> Floats:
    """Return weights (M,) of training pictures with `labels` (M,), of mean 1 within each emotion.

    Raises AuditError where an emotion has no picture with the attribute, or none without.
    """
    weights = np.ones(len(labels))
    groups = {emotion: [one for one in wanted if one.emotion == emotion] for emotion in {one.emotion for one in wanted}}
    for one in wanted:
        _refuse_one_sided(one, labels, emotions)
    # An emotion's weights move what is "elsewhere" of another: all are gone through until none moves.
    for _ in range(PASSES):
        before = weights.copy()
        for emotion, of_emotion in sorted(groups.items()):
            own = np.flatnonzero(labels == emotion)
            shares = [_share_elsewhere(one, labels, weights) for one in of_emotion]
            weights[own] = _even_out([one.values[own] for one in of_emotion], shares)
        if np.abs(weights - before).max(initial=0.0) < CLOSE:
            break
    return weights


def effective_share(weights: Floats) -> float:
    """Return (Σw)² / (M Σw²): the part of the pictures that as many equal ones would be."""
    return float(weights.sum() ** 2 / (len(weights) * np.square(weights).sum()))


def weighted_odds_ratio(labels: Integers, one: Wanted, weights: Floats) -> float:
    """Return the odds ratio of attribute and emotion among weighted pictures; 1 where neither tells of the other."""
    own = labels == one.emotion
    cells: Mapping[tuple[bool, int], float] = {
        (side, value): float(weights[(own == side) & (one.values == value)].sum())
        for side in (True, False)
        for value in (PRESENT, ABSENT)
    }
    return cells[True, PRESENT] * cells[False, ABSENT] / (cells[True, ABSENT] * cells[False, PRESENT])


def _share_elsewhere(one: Wanted, labels: Integers, weights: Floats) -> float:
    elsewhere = labels != one.emotion
    present = weights[elsewhere & (one.values == PRESENT)].sum()
    return float(present / (present + weights[elsewhere & (one.values == ABSENT)].sum()))


def _refuse_one_sided(one: Wanted, labels: Integers, emotions: Sequence[str]) -> None:
    name = emotions[one.emotion]
    for side, whose in ((labels == one.emotion, f"'{name}'"), (labels != one.emotion, f"other emotions than '{name}'")):
        present, absent = (int((one.values[side] == value).sum()) for value in (PRESENT, ABSENT))
        if not present or not absent:
            raise AuditError(
                f"Of the training pictures of {whose} {present} have '{one.attribute}' and {absent} have it not: no "
                "weights can make it even. Choose another action, such as collect, in audit/review.csv."
            )


def _even_out(columns: Sequence[Ternary], shares: Sequence[float]) -> Floats:
    weights = np.ones(len(columns[0]))
    for _ in range(PASSES):
        before = weights.copy()
        for values, share in zip(columns, shares, strict=True):
            has, has_not = values == PRESENT, values == ABSENT
            present, absent = weights[has].sum(), weights[has_not].sum()
            weights[has] *= share * (present + absent) / present
            weights[has_not] *= (1 - share) * (present + absent) / absent
        if np.abs(weights - before).max() < CLOSE:
            break
    return weights
