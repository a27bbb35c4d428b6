"""Preferences: a good answer and one with a known flaw, to the same question."""

from collections.abc import Mapping
from typing import Any

from tinyemo_data.synthesis.subject import Subject
from tinyemo_data.synthesis.tasks.notes import notes_with_emotion
from tinyemo_data.synthesis.tasks.task import Asked, Assembled, Setting, Task, drafted_question, exchange, tidy


def ask(subject: Subject, setting: Setting) -> Asked:
    """Draw one wording of the question, and the flaw that the worse answer has. The question tells no label."""
    draws, choices = setting.draws, setting.prompt.choices
    question = draws.pick("question", choices["question"])
    values = {
        "emotion": subject.emotion,
        "question": question,
        "flaw": draws.pick("flaw", choices["flaw"]),
        "attributes": notes_with_emotion(subject, setting),
    }
    return Asked(values, question)


def assemble(draft: Mapping[str, Any], fields: Mapping[str, Any]) -> list[Assembled]:
    """Return one exchange with the better answer, and the worse one beside it."""
    turns = exchange(drafted_question(draft), tidy(fields["chosen"]))
    return [Assembled("", turns, rejected=tidy(fields["rejected"]))]


TASK = Task(needs_label=True, ask=ask, assemble=assemble)
