"""Asking a model all that its rows of the table need, in one go, and what each answer states."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from tinyemo_data.evaluation.reasoning.conditions import Condition
from tinyemo_data.evaluation.reasoning.held_out import HeldOut
from tinyemo_data.mm_llm.question import Question, ask
from tinyemo_data.mm_llm.stated_label import stated_label
from tinyemo_data.progress import Report
from tinyemo_data.synthesis.order import rank_of

Named = Literal["one", "none", "several"]


class SaidLike(Protocol):
    """What is read of a model's answer."""

    @property
    def text(self) -> str:
        """All of the answer."""

    @property
    def label(self) -> str | None:
        """The option that it states; None: none, or no single one."""

    @property
    def is_cut(self) -> bool:
        """It had not ended at the limit."""


class ReasonerLike(Protocol):
    """What answers questions: a loaded MM-LLM."""

    def answer(self, questions: Sequence[Question], report: Report | None = None) -> Sequence[SaidLike]:
        """Return an answer a question, in their order."""


@dataclass(frozen=True)
class Answered:
    """One answer about one picture, and what it states."""

    question: str
    text: str
    label: str | None  # the option that it states
    named: Named  # none or several: why it states none
    is_cut: bool


def questions_of(condition: Condition, pictures: Sequence[HeldOut], seed: int) -> list[Question]:
    """Return one question a picture, in their order; where they are shuffled, each shows another one's picture."""
    paths = [one.path for one in pictures] if condition.shown == "own" else shuffled_paths(pictures, seed)
    rows = zip(paths, pictures, strict=True)
    return [ask(path, picture.options, told_label(condition, picture)) for path, picture in rows]


def told_label(condition: Condition, picture: HeldOut) -> str | None:
    """Return the label that a question tells under a condition."""
    labels = {"given": picture.emotion, "predicted": picture.predicted}
    return labels.get(condition.told)


def shuffled_paths(pictures: Sequence[HeldOut], seed: int) -> list[Path]:
    """Return the pictures' paths moved round one seeded ring, so that none of at least two keeps its own."""
    ring = sorted(range(len(pictures)), key=lambda row: rank_of(seed, f"shuffled/{pictures[row].sample_id}"))
    found = [Path()] * len(pictures)
    for row, other in zip(ring, [*ring[1:], *ring[:1]], strict=True):
        found[row] = pictures[other].path
    return found


def answer_conditions(
    reasoner: ReasonerLike,
    conditions: Sequence[Condition],
    pictures: Sequence[HeldOut],
    seed: int,
    report: Report | None = None,
) -> dict[Condition, list[Answered]]:
    """Return a model's answers under each condition, in the order of the pictures."""
    asked = [question for condition in conditions for question in questions_of(condition, pictures, seed)]
    said = reasoner.answer(asked, report)
    answers = [as_answered(question, one) for question, one in zip(asked, said, strict=True)]
    n = len(pictures)
    return {condition: answers[n * place : n * (place + 1)] for place, condition in enumerate(conditions)}


def as_answered(question: Question, said: SaidLike) -> Answered:
    """Return what an answer states, and where it states no label, whether it names none or several."""
    named: Named = "one"
    if said.label is None:
        count = sum(stated_label(said.text, [option]) is not None for option in question.options)
        named = "several" if count else "none"
    return Answered(question.text, said.text, said.label, named, said.is_cut)
