"""Triggers: the one detail of a picture that most evokes its emotion."""

from collections.abc import Mapping
from typing import Any

from tinyemo_data.synthesis.subject import Subject
from tinyemo_data.synthesis.tasks.notes import notes_with_emotion
from tinyemo_data.synthesis.tasks.task import Asked, Assembled, Setting, Task, drafted_question, exchange, tidy


def ask(subject: Subject, setting: Setting) -> Asked:
    """Draw one wording of the question, which names the emotion."""
    wording = setting.draws.pick("question", setting.prompt.choices["question"])
    question = wording.replace("{emotion}", str(subject.emotion))
    attributes = notes_with_emotion(subject, setting)
    return Asked({"emotion": subject.emotion, "question": question, "attributes": attributes}, question)


def assemble(draft: Mapping[str, Any], fields: Mapping[str, Any]) -> list[Assembled]:
    """Return one exchange; the answer names the detail, which is a field of its own for whoever checks it."""
    return [Assembled("", exchange(drafted_question(draft), tidy(fields["answer"])))]


TASK = Task(needs_label=True, ask=ask, assemble=assemble)
