"""Emotional reasoning: why a picture evokes its label, given options.

Half of the questions tell the label, as the original's do; the other half withhold it, so that answering them can be
measured.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from tinyemo_data import taxonomy
from tinyemo_data.synthesis.order import Draws
from tinyemo_data.synthesis.subject import Subject
from tinyemo_data.synthesis.tasks.notes import notes_with_emotion
from tinyemo_data.synthesis.tasks.task import Asked, Assembled, Setting, Task, drafted_question, exchange, tidy

FEWEST_OPTIONS = 3
GIVEN, WITHHELD = "given", "withheld"
HEADING = "Reasoning:"


def ask(subject: Subject, setting: Setting, all_options: bool) -> Asked:
    """Draw variant, options, wording and point of view of one question."""
    draws, choices, emotion = setting.draws, setting.prompt.choices, str(subject.emotion)
    labels = taxonomy.get(str(subject.taxonomy)).labels
    options = labels if all_options else draw_options(labels, emotion, draws)
    variant = WITHHELD if draws.happens("variant", setting.withheld_share) else GIVEN
    wording = draws.pick("question", choices[variant])
    question = wording.replace("{options}", ", ".join(options)).replace("{emotion}", emotion)
    values = {
        "emotion": emotion,
        "question": question,
        "view": draws.pick("view", choices["view"]),
        "attributes": notes_with_emotion(subject, setting),
    }
    return Asked(values, question, tuple(options), variant)


def draw_options(labels: tuple[str, ...], emotion: str, draws: Draws) -> tuple[str, ...]:
    """Return a shuffled subset of three to all labels that holds `emotion`."""
    size = draws.pick("number of options", range(min(FEWEST_OPTIONS, len(labels)), len(labels) + 1))
    options = draws.sample("options", [label for label in labels if label != emotion], size - 1)
    options.insert(draws.pick("place of the label", range(size)), emotion)
    return tuple(options)


def assemble(draft: Mapping[str, Any], fields: Mapping[str, Any]) -> list[Assembled]:
    """Return one exchange: the drafted question, and the reasoning with the label that the model stated."""
    reasoning = tidy(tidy(fields["reasoning"]).removeprefix(HEADING))
    answer = f"{HEADING} {reasoning}\nPredicted Label: {tidy(fields['label'])}"
    return [Assembled("", exchange(drafted_question(draft), answer))]


SOME_OPTIONS = Task(needs_label=True, ask=partial(ask, all_options=False), assemble=assemble)
ALL_OPTIONS = Task(needs_label=True, ask=partial(ask, all_options=True), assemble=assemble)
