"""Do two people who decided about the same slices decide alike, beyond chance? Cohen's kappa."""

import itertools
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

SHARE = 0.2  # of the decided slices that a second person looks at


@dataclass(frozen=True)
class Agreement:
    """Two reviewers on the slices that both decided."""

    first: str
    second: str
    slices: int
    agreed: float  # share, 0–1
    kappa: float | None  # None where chance alone would make them agree on all


def cohen_kappa(first: Sequence[str], second: Sequence[str]) -> float | None:
    """Return (p_o - p_e) / (1 - p_e) of two people's decisions on the same things (Cohen 1960); None where p_e is 1."""
    n = len(first)
    observed = sum(one == other for one, other in zip(first, second, strict=True)) / n
    left, right = Counter(first), Counter(second)
    expected = sum(left[word] * right[word] for word in left) / n**2
    return None if expected == 1 else (observed - expected) / (1 - expected)


def agreements(decisions: Mapping[str, Mapping[str, str]]) -> list[Agreement]:
    """Return every two reviewers' agreement, of decisions by slice and reviewer."""
    reviewers = sorted({name for of_slice in decisions.values() for name in of_slice})
    found = []
    for first, second in itertools.combinations(reviewers, 2):
        both = [(of[first], of[second]) for of in decisions.values() if first in of and second in of]
        if both:
            left, right = [one for one, _ in both], [other for _, other in both]
            share = sum(one == other for one, other in both) / len(both)
            found.append(Agreement(first, second, len(both), share, cohen_kappa(left, right)))
    return found


def second_look(decisions: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Return the slices that a second person is still asked to decide about: a fifth of those that are decided.

    Which ones is told by their ids, which are digests: nobody chooses them.
    """
    wanted = sorted(decisions)[: math.ceil(SHARE * len(decisions))]
    return [name for name in wanted if len(decisions[name]) < 2]
