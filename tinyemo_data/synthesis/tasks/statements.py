"""Statements: a true and a false one about the same picture, to be judged."""

from collections.abc import Mapping
from typing import Any

from tinyemo_data.synthesis.subject import Subject
from tinyemo_data.synthesis.tasks.notes import notes_with_emotion
from tinyemo_data.synthesis.tasks.task import Asked, Assembled, Setting, Task, exchange, tidy

QUESTION = "True or false: "


def ask(subject: Subject, setting: Setting) -> Asked:
    """Draw what the statements are about, and in which way the false one is false."""
    draws, choices = setting.draws, setting.prompt.choices
    values = {
        "emotion": subject.emotion,
        "topic": draws.pick("topic", choices["topic"]),
        "falsehood": draws.pick("falsehood", choices["falsehood"]),
        "attributes": notes_with_emotion(subject, setting),
    }
    return Asked(values)


def assemble(_draft: Mapping[str, Any], fields: Mapping[str, Any]) -> list[Assembled]:
    """Return two conversations, `/true` and `/false`; the second says what is false."""
    true, false = (tidy(fields[name]) for name in ("true_statement", "false_statement"))
    return [
        Assembled("/true", exchange(QUESTION + true, "True.")),
        Assembled("/false", exchange(QUESTION + false, f"False. {tidy(fields['what_is_false'])}")),
    ]


TASK = Task(needs_label=True, ask=ask, assemble=assemble, records=2)
