"""Captions: what can be seen, and nothing of feelings. The label is not told."""

from collections.abc import Mapping
from typing import Any

from tinyemo_data.synthesis.subject import Subject
from tinyemo_data.synthesis.tasks.notes import notes_without_emotion
from tinyemo_data.synthesis.tasks.task import Asked, Assembled, Setting, Task, drafted_question, exchange, tidy


def ask(subject: Subject, setting: Setting) -> Asked:
    """Draw one wording of the request."""
    question = setting.draws.pick("question", setting.prompt.choices["question"])
    attributes = notes_without_emotion(subject, setting)
    return Asked({"question": question, "attributes": attributes}, question)


def assemble(draft: Mapping[str, Any], fields: Mapping[str, Any]) -> list[Assembled]:
    """Return one exchange: the drafted request and the caption."""
    return [Assembled("", exchange(drafted_question(draft), tidy(fields["caption"])))]


TASK = Task(needs_label=False, ask=ask, assemble=assemble)
