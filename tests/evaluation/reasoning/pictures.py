"""Held-out pictures and answers, made by hand."""

from pathlib import Path
from typing import Any

from tinyemo_data import taxonomy
from tinyemo_data.evaluation.reasoning.answering import Answered, as_answered
from tinyemo_data.evaluation.reasoning.held_out import HeldOut
from tinyemo_data.mm_llm.question import Question
from tinyemo_data.mm_llm.reasoning import Answer
from tinyemo_data.mm_llm.stated_label import stated_label
from tinyemo_data.synthesis.subject import Facts

EKMAN = taxonomy.get("ekman6").labels
MIKELS = taxonomy.get("mikels8").labels
KNOWN = Facts(
    brightness=0.2, colourfulness=10.0, width=120, height=80, scene="meadow", objects=("cat", "bare tree", "cloud")
)


def picture(number: int, emotion: str = "fear", predicted: str | None = None, **changed: Any) -> HeldOut:
    """Return a picture of EmoSet whose facts are KNOWN."""
    made: dict[str, Any] = {
        "sample_id": f"emoset/p{number}", "dataset": "emoset", "split": "test", "path": Path(f"p{number}.png"),
        "sha256": f"{number:064x}", "taxonomy": "mikels8", "options": MIKELS, "emotion": emotion,
        "predicted": predicted or emotion, "facts": KNOWN,
    }  # fmt: skip
    return HeldOut(**(made | changed))


def said(text: str, options: tuple[str, ...] = MIKELS) -> Answered:
    """Return a text as an answer, with what it states."""
    return as_answered(Question(Path("p.png"), "?", options), Answer(text, stated_label(text, options), 1, False))


def states(label: str | None, options: tuple[str, ...] = MIKELS) -> Answered:
    """Return an answer that states a label, or none."""
    return said("It is a picture." if label is None else f"Reasoning: so it is.\nPredicted Label: {label}", options)
