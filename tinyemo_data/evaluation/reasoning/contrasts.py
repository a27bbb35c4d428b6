"""Rows compared picture by picture: the difference of each figure, with its paired bootstrap interval."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tinyemo_data.evaluation.bootstrap import paired_difference
from tinyemo_data.evaluation.reasoning.conditions import Condition
from tinyemo_data.evaluation.reasoning.resampling import ratio_difference, rounded
from tinyemo_data.evaluation.reasoning.row import Scored

HALLUCINATED = "hallucinated"


@dataclass(frozen=True)
class Contrast:
    """The first row less the second, on the same pictures. An interval that holds 0 decides nothing."""

    first: str
    second: str
    metric: str  # top1, projector, hallucinated, cider_d, rouge_l or chrf
    n: int  # pictures
    difference: float
    low: float
    high: float


def compare(
    scored: Mapping[Condition, Scored], pairs: Sequence[tuple[Condition, Condition]], resamples: int, seed: int
) -> list[Contrast]:
    """Return the contrasts of the pairs of conditions of which both were asked."""
    asked = [(first, second) for first, second in pairs if first in scored and second in scored]
    return [one for first, second in asked for one in _compare(first, second, scored, resamples, seed)]


def _compare(
    first: Condition, second: Condition, scored: Mapping[Condition, Scored], resamples: int, seed: int
) -> Iterator[Contrast]:
    one, other = scored[first], scored[second]
    figures = {"top1": (one.hits, other.hits), "projector": (one.projector_hits, other.projector_hits)}
    figures |= {metric: (scores, other.similarity[metric]) for metric, scores in one.similarity.items()}
    for metric, (left, right) in figures.items():
        difference, low, high = map(rounded, paired_difference(left, right, resamples, seed))
        yield Contrast(first.key, second.key, metric, len(left), difference, low, high)
    counts = [(two.mentions.hallucinated, two.mentions.said) for two in (one, other)]
    found = ratio_difference(counts[0], counts[1], resamples, seed)
    if found is not None:
        yield Contrast(first.key, second.key, HALLUCINATED, len(counts[0][0]), *map(rounded, found))
