"""What a model says: a function of the request's bytes alone, and of the faults that change it."""

import math
import random
from dataclasses import dataclass
from typing import Any

import orjson

from tinyemo_data.synthesis.rehearsal.api_error import invalid
from tinyemo_data.synthesis.rehearsal.faults import Faults
from tinyemo_data.synthesis.rehearsal.fitting import Fitter
from tinyemo_data.synthesis.rehearsal.prompt_blocks import CHARACTERS_PER_TOKEN, text_tokens
from tinyemo_data.synthesis.rehearsal.prose import write_prose
from tinyemo_data.synthesis.rehearsal.schema_reference import SchemaFlawError

REFUSAL_TOKENS = 12
CLOSING_TOKENS = 3  # that an answer has beside its text
SEED_DIGITS = 16  # hexadecimal ones of the digest


@dataclass(frozen=True, slots=True)
class Answer:
    """The text of a reply, why it ended, and what it is long."""

    text: str
    stop: str  # end_turn, max_tokens or refusal
    output_tokens: int


def seed_of(digest: str) -> int:
    """Return the number that everything said about a request is drawn by."""
    return int(digest[:SEED_DIGITS], 16)


def write_answer(
    schema: dict[str, Any] | None, digest: str, number: int, max_tokens: int, spent: int, faults: Faults
) -> Answer:
    """Answer the request with this digest; `spent` tokens of `max_tokens` were used up by thinking."""
    if faults.meet("refused", number, digest):
        return Answer("", "refusal", spent + REFUSAL_TOKENS)
    text = _say(schema, seed_of(digest))
    if faults.meet("malformed", number, digest):
        text = f"Here is the answer:\n\n{text[:-1]}"
    elif faults.meet("off_schema", number, digest):
        text = orjson.dumps({"unasked": text}).decode()
    room = max(0, math.floor((max_tokens - spent - CLOSING_TOKENS) * CHARACTERS_PER_TOKEN))
    if len(text) > room:
        return Answer(text[:room], "max_tokens", max_tokens)
    if faults.meet("cut_off", number, digest):
        return Answer(text[: len(text) // 2], "max_tokens", max_tokens)
    return Answer(text, "end_turn", spent + text_tokens(text) + CLOSING_TOKENS)


def _say(schema: dict[str, Any] | None, seed: int) -> str:
    if schema is None:
        return write_prose(random.Random(seed))
    try:
        return orjson.dumps(Fitter(schema, seed).fit()).decode()
    except SchemaFlawError as exc:
        raise invalid(str(exc)) from exc
