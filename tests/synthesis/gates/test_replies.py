from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyemo_data.synthesis.gates.registry import REPLY_GATES
from tinyemo_data.synthesis.gates.replies import Refused, is_waiting, make_validator, read_fields, strip_fence
from tinyemo_data.synthesis.ledger import StoredReply
from tinyemo_data.synthesis.output_schema import complete_schema

SCHEMA = make_validator(complete_schema({"caption": {"type": "string"}, "label": {"type": "string", "enum": ["awe"]}}))
FIELDS = {"caption": "A boat.", "label": "awe"}


def stored(raw: bytes | None, state: str = "answered", failure: str | None = None) -> StoredReply:
    return StoredReply("d", state, raw, 10, 5, 0.01, "anthropic", "m", None, None, failure)


def message(text: str, stop: str = "end_turn", **more: Any) -> bytes:
    return orjson.dumps({"content": [{"type": "text", "text": text}], "stop_reason": stop, **more})


def test_fields_come_through_when_the_reply_fits_its_schema() -> None:
    assert read_fields(stored(message(orjson.dumps(FIELDS).decode())), SCHEMA) == FIELDS


@pytest.mark.parametrize(
    ("reply", "gate", "detail"),
    [
        (stored(None, "failed", "invalid_request_error: too large"), "failed_request", "too large"),
        (stored(message("", "refusal", stop_details={"category": "harm"})), "refused", "harm"),
        (stored(message('{"caption": "A bo', "max_tokens")), "cut_off", "max_tokens"),
        (stored(b"<html>bad gateway</html>"), "unreadable", "no JSON"),
        (stored(orjson.dumps({"content": []})), "unreadable", "no text block"),
        (stored(message("A boat lies there.")), "not_json", "A boat lies there."),
        (stored(message("  ")), "not_json", "an empty text"),
        (stored(message('{"caption": "A boat."}')), "schema", "label"),
        (stored(message('{"caption": "A boat.", "label": "joy"}')), "schema", "joy"),
        (stored(message('{"caption": 1, "label": "awe"}')), "schema", "caption: 1 is not"),
        (stored(message('{"caption": "A", "label": "awe", "x": 1}')), "schema", "x"),
        (stored(message("[]")), "schema", "the reply: [] is not"),
        (stored(message("null")), "schema", "the reply: null"),
    ],
)
def test_refused_says_which_gate_and_what_was_found(reply: StoredReply, gate: str, detail: str) -> None:
    found = read_fields(reply, SCHEMA)
    assert isinstance(found, Refused)
    assert found.gate == gate
    assert detail in found.detail


def test_a_markdown_fence_around_the_json_is_taken_off() -> None:
    text = orjson.dumps(FIELDS).decode()
    assert [strip_fence(one) for one in (f"```json\n{text}\n```", f" ```\n{text}```\n", text)] == [text] * 3


@pytest.mark.parametrize(
    ("state", "waits"), [("planned", True), ("submitted", True), ("answered", False), ("failed", False)]
)
def test_requests_wait_until_they_are_answered_or_failed(state: str, waits: bool) -> None:
    assert is_waiting(stored(b"", state)) is waits
    assert is_waiting(None)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(codec="utf-8")) | st.sampled_from(list(FIELDS)), inner, max_size=3)
    ),
    max_leaves=6,
)
RAW = (
    st.binary()
    | st.builds(orjson.dumps, st.dictionaries(st.sampled_from(["content", "choices", "rules", "text"]), JSON))
    | st.builds(message, st.text(st.characters(codec="utf-8")))
    | st.builds(
        lambda value: message(orjson.dumps(value).decode()), st.dictionaries(st.sampled_from(list(FIELDS)), JSON)
    )
)


@given(RAW)
def test_any_bytes_give_fields_or_one_refusal_of_a_known_gate(raw: bytes) -> None:
    found = read_fields(stored(raw), SCHEMA)
    assert isinstance(found, dict) or found.gate in {gate.name for gate in REPLY_GATES}
