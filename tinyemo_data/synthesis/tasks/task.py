"""What a task is: how a picture becomes a question, and how a reply becomes conversations. Both are pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tinyemo_data.synthesis.order import Draws
from tinyemo_data.synthesis.prompt import Prompt
from tinyemo_data.synthesis.subject import Subject

IMAGE = "<image>\n"  # what the first human turn starts with: the trainer's place for the picture
HUMAN, GPT = "human", "gpt"


@dataclass(frozen=True, slots=True)
class Setting:
    """What a question is drafted from, besides its picture."""

    prompt: Prompt
    draws: Draws
    withheld_share: float  # 0–1, of questions that do not tell the label
    sends_picture: bool = True


@dataclass(frozen=True, slots=True)
class Asked:
    """One question about one picture."""

    values: Mapping[str, Any]  # of the template's variables
    question: str | None = None  # the human turn without <image>; None where the model writes it
    options: tuple[str, ...] = ()  # labels that the human turn offers
    variant: str = ""  # given, withheld, or empty where that does not apply


@dataclass(frozen=True, slots=True)
class Assembled:
    """One conversation."""

    suffix: str  # of the record's id after the draft's: empty, or /true and /false
    turns: list[tuple[str, str]]  # (human or gpt, text), alternating
    rejected: str | None = None  # the worse answer, where the task has one


Ask = Callable[[Subject, Setting], Asked]
Assemble = Callable[[Mapping[str, Any], Mapping[str, Any]], list[Assembled]]


@dataclass(frozen=True, slots=True)
class Task:
    """A kind of record.

    `assemble` takes a row of the Draft table as a dict and the fields of a reply that fit the prompt's schema.
    """

    needs_label: bool  # asked only of pictures that have one
    ask: Ask
    assemble: Assemble
    records: int = 1  # that a reply becomes


def tidy(text: str) -> str:
    """Return a text as one paragraph: blanks and line breaks become single blanks."""
    return " ".join(text.split())


def exchange(question: str, answer: str) -> list[tuple[str, str]]:
    """Return the two turns of a single question, the picture in the first of them."""
    return [(HUMAN, IMAGE + question), (GPT, answer)]


def drafted_question(draft: Mapping[str, Any]) -> str:
    """Return the question that was drafted; tasks whose question a model writes have none."""
    question = draft["question"]
    assert isinstance(question, str)
    return question
