"""One question and its answer, both by the model: of what is seen (VQA), or of what it evokes (SQA)."""

from collections.abc import Mapping
from typing import Any

from tinyemo_data.synthesis.subject import Subject
from tinyemo_data.synthesis.tasks.notes import notes_with_emotion, notes_without_emotion
from tinyemo_data.synthesis.tasks.task import Asked, Assembled, Setting, Task, exchange, tidy


def ask_of_the_seen(subject: Subject, setting: Setting) -> Asked:
    """Draw what the question is about. The label is not told."""
    kind = setting.draws.pick("kind", setting.prompt.choices["kind"])
    return Asked({"kind": kind, "attributes": notes_without_emotion(subject, setting)})


def ask_of_the_felt(subject: Subject, setting: Setting) -> Asked:
    """Draw what the question is about, and tell the model the label, which its question must not name."""
    kind = setting.draws.pick("kind", setting.prompt.choices["kind"])
    attributes = notes_with_emotion(subject, setting)
    return Asked({"kind": kind, "emotion": subject.emotion, "attributes": attributes})


def assemble(_draft: Mapping[str, Any], fields: Mapping[str, Any]) -> list[Assembled]:
    """Return one exchange."""
    return [Assembled("", exchange(tidy(fields["question"]), tidy(fields["answer"])))]


VQA = Task(needs_label=False, ask=ask_of_the_seen, assemble=assemble)
SQA = Task(needs_label=True, ask=ask_of_the_felt, assemble=assemble)
