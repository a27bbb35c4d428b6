"""Questions about the emotion of a picture, worded as the reasoning sets word them: the label told, or withheld."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

# Of prompts/finetune/reasoning.md; a test sees to it that they stay among its wordings.
GIVEN = "This picture evokes {emotion}. Explain why, and end with the label. The options are: {options}."
WITHHELD = "Which of these emotions does this picture evoke: {options}? Give your reasons, then the predicted label."


@dataclass(frozen=True)
class Question:
    """One question about one picture."""

    picture: Path | Image.Image
    text: str
    options: tuple[str, ...]  # labels that an answer may state


def ask(picture: Path | Image.Image, options: Sequence[str], label: str | None = None) -> Question:
    """Ask why a picture evokes `label`, given or predicted; with None which of `options` it evokes, and why."""
    wording = WITHHELD if label is None else GIVEN
    return Question(picture, wording.format(emotion=label, options=", ".join(options)), tuple(options))
