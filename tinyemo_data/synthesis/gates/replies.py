"""Replies: what a stored reply must be before records can be made of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import jsonschema_rs
import orjson

from tinyemo_data.synthesis.gates.gate import SHOWN
from tinyemo_data.synthesis.reply import read_reply

FENCE = "```"
SHOWN_FAILURE = 300  # characters


class StoredReply(Protocol):
    """What a ledger knows of a request."""

    @property
    def state(self) -> str:
        """Return answered or failed; anything else is still waited for."""

    @property
    def raw(self) -> bytes | None:
        """Return the service's body, where it was answered."""

    @property
    def failure(self) -> str | None:
        """Return why the request can't be answered, where it failed."""

    @property
    def input_tokens(self) -> int:
        """Return the tokens of the question, as the service counted them."""

    @property
    def output_tokens(self) -> int:
        """Return the tokens of the answer."""

    @property
    def usd(self) -> float:
        """Return what it cost."""

    @property
    def backend(self) -> str | None:
        """Return who answered."""

    @property
    def model(self) -> str | None:
        """Return the model, as the service names it."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Why nothing can be made of a reply."""

    gate: str
    reason: str
    detail: str


def is_waiting(reply: StoredReply | None) -> bool:
    """Tell whether a request has neither an answer nor a final failure yet."""
    return reply is None or reply.state not in ("answered", "failed")


def read_fields(reply: StoredReply, schema: jsonschema_rs.Validator) -> dict[str, Any] | Refused:
    """Return the fields of a reply that was answered and fits the schema, or why there are none."""
    if reply.state == "failed" or reply.raw is None:
        return Refused("failed_request", "request_failed", (reply.failure or "no reason was kept")[:SHOWN_FAILURE])
    answer = read_reply(reply.raw)
    if answer.stop != "complete":
        return Refused(answer.stop, f"reply_{answer.stop}", answer.detail[:SHOWN_FAILURE] or "no detail was given")
    try:
        fields = orjson.loads(strip_fence(answer.text))
    except orjson.JSONDecodeError as exc:
        shown = answer.text[:SHOWN] if answer.text.strip() else "an empty text"
        return Refused("not_json", "reply_is_no_json", f"{exc}: {shown}")
    return _check(fields, schema)


def strip_fence(text: str) -> str:
    """Return a text without the Markdown fence that models like to put around JSON."""
    stripped = text.strip()
    if not stripped.startswith(FENCE) or not stripped.endswith(FENCE):
        return stripped
    return stripped[len(FENCE) : -len(FENCE)].strip().removeprefix("json").lstrip()


def _check(fields: Any, schema: jsonschema_rs.Validator) -> dict[str, Any] | Refused:
    if schema.is_valid(fields) and isinstance(fields, dict):
        return fields
    error = next(schema.iter_errors(fields), None)
    if error is None:
        return Refused("schema", "reply_breaks_schema", f"a JSON {type(fields).__name__}")
    where = "/".join(str(step) for step in error.instance_path) or "the reply"
    return Refused("schema", "reply_breaks_schema", f"{where}: {error.message}"[:SHOWN_FAILURE])


def make_validator(schema: Mapping[str, Any]) -> jsonschema_rs.Validator:
    """Return the validator of a prompt's output schema."""
    return jsonschema_rs.validator_for(dict(schema))


__all__ = ["Refused", "StoredReply", "is_waiting", "make_validator", "read_fields", "strip_fence"]
