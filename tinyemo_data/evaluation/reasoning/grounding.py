"""Grounding: hallucinated mentions over mentions, after CHAIR (Rohrbach et al., EMNLP 2018, "Object Hallucination").

CHAIR asks of each object that a caption mentions whether it is annotated. Here mentions are of objects, scenes, actions
and faces, in the words of the annotations themselves. Annotators list some of what is there, so that a share of the
"hallucinated" mentions is right: the figures compare rows with one another and are no truth about one of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyemo_data.evaluation.bootstrap import Floats, Interval
from tinyemo_data.evaluation.reasoning.answering import Answered
from tinyemo_data.evaluation.reasoning.held_out import HeldOut
from tinyemo_data.evaluation.reasoning.mentions import Vocabulary, annotated_names, known_names
from tinyemo_data.evaluation.reasoning.resampling import ratio_interval, rounded


@dataclass(frozen=True)
class Mentions:
    """Counts a picture, float64 (N,), of the pictures that have a list of objects."""

    rows: list[int]  # their places among all pictures
    said: Floats  # names mentioned
    hallucinated: Floats  # of those, names that are not annotated


@dataclass(frozen=True)
class Grounding:
    """Figures of one row; rates are fractions 0–1, None where nothing was mentioned."""

    n: int  # pictures with a list of objects
    mentions: int
    hallucinated: int
    rate: float | None  # CHAIR_i
    ci95: Interval | None
    texts_with_hallucination: float | None  # CHAIR_s
    covered: float | None  # names annotated that are mentioned


def datasets_with_lists(pictures: Sequence[HeldOut]) -> set[str]:
    """Return the datasets whose annotators list objects: a single one a picture is what it was searched by."""
    return {one.dataset for one in pictures if len(one.facts.objects) > 1}


def count_mentions(
    pictures: Sequence[HeldOut], answers: Sequence[Answered], vocabulary: Vocabulary, datasets: set[str]
) -> Mentions:
    """Count what the answers mention, of the pictures of `datasets` that have objects."""
    rows = [row for row, one in enumerate(pictures) if one.dataset in datasets and one.facts.objects]
    said = [vocabulary.find(answers[row].text) for row in rows]
    known = [known_names(pictures[row].facts) for row in rows]
    wrong = [len(names - theirs) for names, theirs in zip(said, known, strict=True)]
    return Mentions(rows, np.array([float(len(names)) for names in said]), np.array(wrong, dtype=np.float64))


def measure_grounding(counted: Mentions, pictures: Sequence[HeldOut], resamples: int, seed: int) -> Grounding:
    """Return the figures of one row's counts."""
    n, mentions, wrong = len(counted.rows), int(counted.said.sum()), int(counted.hallucinated.sum())
    known = sum(len(annotated_names(pictures[row].facts)) for row in counted.rows)
    return Grounding(
        n,
        mentions,
        wrong,
        rounded(wrong / mentions) if mentions else None,
        ratio_interval(counted.hallucinated, counted.said, resamples, seed) if n else None,
        rounded((counted.hallucinated > 0).mean()) if n else None,
        rounded((mentions - wrong) / known) if known else None,
    )
