"""What the rules say of a held-out picture: references to compare with, and pairs of statements to judge.

The rules know the annotations and the measures of a picture, and say nothing else; nothing is asked of any service.
"""

from typing import Any

import orjson

from tinyemo_data.errors import RulesError
from tinyemo_data.evaluation.reasoning.held_out import HeldOut
from tinyemo_data.synthesis.backends.rules import answer
from tinyemo_data.synthesis.draft_rows import facts_as_dict
from tinyemo_data.synthesis.order import Draws

REASONING, STATEMENTS = "finetune/reasoning", "statements/pair"
REFERENCES = 3  # texts a picture; CIDEr wants a consensus of several


def references_of(picture: HeldOut, seed: int) -> list[str]:
    """Return distinct explanations of the dataset's label; none where the rules know nothing of the picture."""
    said = (_say(REASONING, picture, seed, draw) for draw in range(REFERENCES))
    return list(dict.fromkeys(str(fields["reasoning"]) for fields in said if fields is not None))


def statements_of(picture: HeldOut, seed: int) -> tuple[str, str] | None:
    """Return a true and a false statement that differ in one claim; None where nothing known can be swapped."""
    fields = _say(STATEMENTS, picture, seed, 0)
    return None if fields is None else (str(fields["true_statement"]), str(fields["false_statement"]))


def _say(task: str, picture: HeldOut, seed: int, draw: int) -> dict[str, Any] | None:
    body = {
        "seed": Draws(seed, f"{picture.sample_id}#{task}~{draw}").seed(),
        "picture": {"sha256": picture.sha256},
        "known": {
            "task": task,
            "variant": "",
            "emotion": picture.emotion,
            "taxonomy": picture.taxonomy,
            "options": picture.options,
            "question": None,
            "facts": facts_as_dict(picture.facts),
        },
    }
    try:
        fields: dict[str, Any] = orjson.loads(orjson.loads(answer(body))["text"])
    except RulesError:
        return None
    return fields
