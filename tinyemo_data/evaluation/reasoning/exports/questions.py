"""The questions that are exported: the emotion of each picture, and its statements, with their answers as options."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tinyemo_data.evaluation.reasoning.held_out import HeldOut
from tinyemo_data.evaluation.reasoning.statements import Pair
from tinyemo_data.mm_llm.question import ask
from tinyemo_data.synthesis.tasks.statements import QUESTION

EMOTION, STATEMENTS = "tinyemo_emotion", "tinyemo_statements"
VERDICTS = ("True", "False")
KEEP = (
    "The pictures are of datasets for research, and are copied here for this machine alone: do not pass these files "
    "on, and do not publish them."
)


@dataclass(frozen=True)
class Exported:
    """One question with its options and the right one of them."""

    question_id: str
    picture: HeldOut
    text: str
    options: tuple[str, ...]
    answer: str


def exported_sets(pictures: Sequence[HeldOut], pairs: Sequence[Pair]) -> dict[str, list[Exported]]:
    """Return the sets that are exported, by name; one without questions is left out."""
    sets = {EMOTION: list(_emotions(pictures)), STATEMENTS: list(_statements(pairs))}
    return {name: questions for name, questions in sets.items() if questions}


def _emotions(pictures: Sequence[HeldOut]) -> Iterator[Exported]:
    for one in pictures:
        yield Exported(one.sample_id, one, ask(one.path, one.options).text, one.options, one.emotion)


def _statements(pairs: Sequence[Pair]) -> Iterator[Exported]:
    for pair in pairs:
        for statement, verdict in ((pair.true, VERDICTS[0]), (pair.false, VERDICTS[1])):
            name = f"{pair.picture.sample_id}/{verdict.lower()}"
            yield Exported(name, pair.picture, QUESTION + statement, VERDICTS, verdict)
