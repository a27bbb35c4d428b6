"""Paired statements: a true and a false one about each picture, to be judged one at a time.

A model that says yes to everything, or that guesses by the wording, gets few pairs wholly right (after POPE, Li et al.,
EMNLP 2023, and MMVP, Tong et al., CVPR 2024).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyemo_data.evaluation.bootstrap import Interval, percentile_interval
from tinyemo_data.evaluation.reasoning.answering import ReasonerLike
from tinyemo_data.evaluation.reasoning.held_out import HeldOut
from tinyemo_data.evaluation.reasoning.resampling import rounded
from tinyemo_data.evaluation.reasoning.rule_texts import statements_of
from tinyemo_data.mm_llm.question import Question
from tinyemo_data.progress import Report
from tinyemo_data.synthesis.tasks.statements import QUESTION

VERDICT = re.compile(r"\b(true|yes|false|no)\b", re.IGNORECASE)
ANSWER_TOKENS = 12  # of an answer: the verdict comes first


@dataclass(frozen=True)
class Pair:
    """Two statements about one picture."""

    picture: HeldOut
    true: str
    false: str


@dataclass(frozen=True)
class Verdicts:
    """Figures of one model, fractions 0–1 with their intervals over pairs. Tossing a coin gets 0.25 of pairs right."""

    n: int  # pairs
    both_right: float
    both_right_ci95: Interval
    yes_rate: float  # of all statements; half of them are true
    yes_rate_ci95: Interval
    unclear: float  # of all statements, answers that say neither


def draw_pairs(pictures: Sequence[HeldOut], seed: int) -> list[Pair]:
    """Return the pair of each picture of which something known can be swapped for what is surely false."""
    said = [(one, statements_of(one, seed)) for one in pictures]
    return [Pair(one, *statements) for one, statements in said if statements is not None]


def judge_pairs(
    reasoner: ReasonerLike, pairs: Sequence[Pair], report: Report | None = None
) -> list[tuple[bool | None, bool | None]]:
    """Return a model's verdicts on each pair: of the true statement, and of the false one; None says neither."""
    asked = [
        Question(pair.picture.path, QUESTION + statement, ()) for pair in pairs for statement in (pair.true, pair.false)
    ]
    verdicts = [verdict_of(one.text) for one in reasoner.answer(asked, report)]
    return list(zip(verdicts[::2], verdicts[1::2], strict=True))


def verdict_of(text: str) -> bool | None:
    """Return whether an answer calls its statement true, by the first word that says so; None where none does."""
    found = VERDICT.search(text)
    return None if found is None else found.group(1).lower() in ("true", "yes")


def measure_verdicts(verdicts: Sequence[tuple[bool | None, bool | None]], resamples: int, seed: int) -> Verdicts | None:
    """Return the figures of one model's verdicts; None where there is no pair."""
    if not verdicts:
        return None
    right = np.array([float(true is True and false is False) for true, false in verdicts])
    yes = np.array([((true is True) + (false is True)) / 2 for true, false in verdicts])
    unclear = sum((true is None) + (false is None) for true, false in verdicts)
    right_low, right_high = percentile_interval(right, resamples, seed)
    yes_low, yes_high = percentile_interval(yes, resamples, seed)
    return Verdicts(
        len(verdicts),
        rounded(right.mean()),
        (rounded(right_low), rounded(right_high)),
        rounded(yes.mean()),
        (rounded(yes_low), rounded(yes_high)),
        rounded(unclear / (2 * len(verdicts))),
    )
