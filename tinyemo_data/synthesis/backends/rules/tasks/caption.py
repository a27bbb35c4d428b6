"""Captions: what can be seen, and no feeling."""

from typing import Any

from tinyemo_data.synthesis.backends.rules.narrative import narrate
from tinyemo_data.synthesis.backends.rules.question import Question

SENTENCES = (2, 4)  # fewest and most; fewer where less is known


def answer(question: Question) -> dict[str, Any]:
    """Return a paragraph of two to four sentences."""
    fewest, most = SENTENCES
    return {
        "caption": " ".join(
            narrate(question.slots, question.rng, fewest + int(question.rng.random() * (most - fewest + 1)))
        )
    }
