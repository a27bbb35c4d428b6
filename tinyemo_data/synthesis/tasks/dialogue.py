"""Dialogues: two to four questions and answers about how a picture works on people."""

from collections.abc import Mapping
from typing import Any

from tinyemo_data.synthesis.subject import Subject
from tinyemo_data.synthesis.tasks.notes import notes_with_emotion
from tinyemo_data.synthesis.tasks.task import GPT, HUMAN, IMAGE, Asked, Assembled, Setting, Task, tidy


def ask(subject: Subject, setting: Setting) -> Asked:
    """Draw who asks, how many questions, and where the talk begins."""
    draws, choices = setting.draws, setting.prompt.choices
    values = {
        "emotion": subject.emotion,
        "person": draws.pick("person", choices["person"]),
        "length": draws.pick("length", choices["length"]),
        "opening": draws.pick("opening", choices["opening"]),
        "attributes": notes_with_emotion(subject, setting),
    }
    return Asked(values)


def assemble(_draft: Mapping[str, Any], fields: Mapping[str, Any]) -> list[Assembled]:
    """Return one conversation of as many exchanges as the model wrote, the picture in the first question."""
    turns: list[tuple[str, str]] = []
    for turn in fields["turns"]:
        start = "" if turns else IMAGE
        turns += [(HUMAN, start + tidy(turn["question"])), (GPT, tidy(turn["answer"]))]
    return [Assembled("", turns)]


TASK = Task(needs_label=True, ask=ask, assemble=assemble)
