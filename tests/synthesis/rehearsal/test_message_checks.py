"""What the service refuses, the rehearsal refuses; in the shape that the vendor's client reads."""

from typing import Any

import anthropic
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.synthesis.rehearsal.pictures import encode_picture, image_block
from tests.synthesis.rehearsal.talking import KEY, ask, question, send, talk
from tinyemo_data.synthesis.rehearsal.api_error import ApiError
from tinyemo_data.synthesis.rehearsal.faults import Faults
from tinyemo_data.synthesis.rehearsal.message_checks import check_message
from tinyemo_data.synthesis.rehearsal.message_reply import reply_to
from tinyemo_data.synthesis.rehearsal.process import RunningServer, running_server
from tinyemo_data.synthesis.rehearsal.prompt_cache import NOTHING

PNG = encode_picture("PNG", 40, 30)


def user(*content: Any) -> list[dict[str, Any]]:
    return [{"role": "user", "content": list(content)}]


def form(schema: Any) -> dict[str, Any]:
    return {"format": {"type": "json_schema", "schema": schema}}


def source(**changes: Any) -> dict[str, Any]:
    block = image_block(PNG, "PNG")
    block["source"].update(changes)
    return block


def cached(text: str, ttl: str = "5m") -> dict[str, Any]:
    return {"type": "text", "text": text, "cache_control": {"type": "ephemeral", "ttl": ttl}}


OPEN_OBJECT = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
CLOSED = OPEN_OBJECT | {"additionalProperties": False}
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no model": ({"model": None}, "model: Field required"),
    "no max_tokens": ({"max_tokens": None}, "max_tokens: Field required"),
    "no messages": ({"messages": None}, "messages: Field required"),
    "empty messages": ({"messages": []}, "at least one message is required"),
    "negative max_tokens": ({"max_tokens": -1}, "max_tokens: Input should be greater"),
    "too many max_tokens": ({"max_tokens": 128_001}, "maximum allowed number of output tokens"),
    "unknown key": ({"max_token": 5}, "max_token: Extra inputs are not permitted"),
    "temperature": ({"temperature": 0.7}, "`temperature` is deprecated for this model"),
    "top_p": ({"top_p": 1}, "`top_p` is deprecated for this model"),
    "top_k": ({"top_k": 40}, "`top_k` is deprecated for this model"),
    "temperature and top_p": ({"temperature": 1, "top_p": 0.99}, "cannot both be specified"),
    "prefill": (
        {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "{"}]},
        "does not support assistant message prefill",
    ),
    "assistant first": (
        {"messages": [{"role": "assistant", "content": "a"}, {"role": "user", "content": "q"}]},
        'first message must use the "user" role',
    ),
    "unknown role": ({"messages": [{"role": "human", "content": "q"}]}, "messages.0.role"),
    "empty content": ({"messages": user()}, "all messages must have non-empty content"),
    "empty text": ({"messages": user({"type": "text", "text": ""})}, "text content blocks must be non-empty"),
    "blank text": ({"messages": user({"type": "text", "text": " \n"})}, "must contain non-whitespace text"),
    "unknown block": ({"messages": user({"type": "sound"})}, "does not match any of the expected tags"),
    "thinking budget": ({"thinking": {"type": "enabled", "budget_tokens": 1024}}, "manual extended thinking"),
    "thinking off on sonnet": (
        {"model": "claude-sonnet-5-5", "thinking": {"type": "disabled"}},
        '"thinking": {"type": "between_tools"} instead of {"type": "disabled"}',
    ),
    "thinking off on opus": (
        {"model": "claude-opus-5-5", "thinking": {"type": "disabled"}},
        "thinking cannot be disabled",
    ),
    "thinking off at high effort": (
        {"thinking": {"type": "disabled"}, "output_config": {"effort": "max"}},
        "not supported at effort 'max'",
    ),
    "unknown effort": ({"output_config": {"effort": "extreme"}}, "output_config.effort"),
    "stream": ({"stream": True}, "does not stream"),
    "tools": ({"tools": [{"name": "t", "input_schema": CLOSED}]}, "does not rehearse it"),
    "picture of another type": (
        {"messages": user(source(media_type="image/jpeg"))},
        "specified using the image/jpeg media type, but is image/png",
    ),
    "picture type unknown": ({"messages": user(source(media_type="image/bmp"))}, "media_type: Input should be"),
    "picture no base64": ({"messages": user(source(data="?" * 40))}, "not provided as valid base64"),
    "picture cut base64": ({"messages": user(source(data="iVBOR"))}, "not provided as valid base64"),
    "picture no picture": ({"messages": user(source(data="AAAA" * 10))}, "Could not process image"),
    "picture too wide": (
        {"messages": user(image_block(encode_picture("PNG", 8_001, 1), "PNG"))},
        "exceed max allowed size: 8000 pixels",
    ),
    "picture too heavy": ({"messages": user(source(data="A" * (7 * 2**20)))}, "image exceeds 5 MB maximum"),
    "picture source unknown": ({"messages": user(source(type="path"))}, "Input tag 'path' found"),
    "picture URL without protocol": (
        {"messages": user({"type": "image", "source": {"type": "url", "url": "example.org/a.jpg"}})},
        "URL must be a valid http or https URL",
    ),
    "cache_control of another type": (
        {"system": [{"type": "text", "text": "s", "cache_control": {"type": "persistent"}}]},
        "cache_control.type: Input should be 'ephemeral'",
    ),
    "cache_control for a day": ({"system": [cached("s", "1d")]}, "ttl: Input should be '5m' or '1h'"),
    "five breakpoints": ({"system": [cached("s")] * 5}, "A maximum of 4 blocks with cache_control may be provided"),
    "short before long": ({"system": [cached("s"), cached("t", "1h")]}, "must not come after a ttl='5m'"),
    "format of another type": ({"output_config": {"format": {"type": "json"}}}, "format.type: Input should be"),
    "open object": ({"output_config": form(OPEN_OBJECT)}, "'additionalProperties' must be explicitly set to false"),
    "open object inside": (
        {"output_config": form(CLOSED | {"properties": {"a": {"type": "array", "items": OPEN_OBJECT}}})},
        "'additionalProperties' must be explicitly set to false",
    ),
    "prompt too long": ({"messages": user({"type": "text", "text": "x" * 2_600_000})}, "prompt is too long"),
}
CONSTRAINTS: dict[str, dict[str, Any]] = {
    "string": {"minLength": 1, "maxLength": 9, "pattern": "^a"},
    "integer": {"minimum": 0, "maximum": 9, "multipleOf": 3, "exclusiveMinimum": 0},
    "number": {"exclusiveMaximum": 1, "minimum": 0.5},
    "array": {"maxItems": 3, "uniqueItems": True},
}


@pytest.mark.parametrize(("changes", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_a_bad_request_is_refused_in_the_services_words(
    server: RunningServer, changes: dict[str, Any], words: str
) -> None:
    status, _, body = send(server, "/v1/messages", question(**changes))
    assert (status, body["type"], body["error"]["type"]) == (400, "error", "invalid_request_error")
    assert words in body["error"]["message"]
    assert body["request_id"].startswith("req_")
    assert server.bill().paid == 0


@pytest.mark.parametrize(
    ("kind", "keyword", "value"),
    [(kind, keyword, value) for kind, found in CONSTRAINTS.items() for keyword, value in found.items()],
)
def test_a_schema_with_a_constraint_is_refused(server: RunningServer, kind: str, keyword: str, value: Any) -> None:
    schema = CLOSED | {"properties": {"a": {"type": kind, keyword: value}}}
    with pytest.raises(anthropic.BadRequestError, match=f"For '{kind}' type, property '{keyword}' is not supported"):
        ask(server, **question(output_config=form(schema)))


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "array", "items": {"type": "string"}, "minItems": 2}, "'minItems' values other than 0 or 1"),
        ({"$ref": "#/$defs/a", "$defs": {"a": CLOSED | {"properties": {"a": {"$ref": "#/$defs/a"}}}}}, "Recursive"),
        ({"$ref": "#/$defs/b", "$defs": {}}, r"\$ref not found"),
        ({"$ref": "https://example.org/schema"}, r"External \$ref"),
        ({"type": "string", "format": "regex"}, "format 'regex' is not supported"),
        ({"type": "objekt"}, "objekt"),
        ({"description": "nothing said"}, "must have one of"),
        ({"enum": []}, "at least one member"),
        ({"enum": [{"a": 1}]}, "enum members must be"),
        ({"oneOf": [{"type": "string"}]}, "'oneOf' is not supported"),
        (["string"], "valid dictionary|not of type|not of types"),
    ],
)
def test_a_schema_that_cannot_be_used_is_refused(server: RunningServer, schema: Any, words: str) -> None:
    with pytest.raises(anthropic.BadRequestError, match=words):
        ask(server, **question(output_config=form(schema)))


@pytest.mark.parametrize(
    "changes",
    [
        {"temperature": 1},
        {"top_p": 0.99},
        {"output_config": {"effort": "low"}},
        {"model": "claude-sonnet-5-5", "thinking": {"type": "between_tools"}},
        {"metadata": {"user_id": "u"}, "service_tier": "standard_only"},
        {"messages": [{"role": r, "content": r} for r in ("user", "assistant", "user")]},
        {"messages": user({"type": "image", "source": {"type": "url", "url": "https://example.org/a.jpg"}})},
        {"output_config": form(CLOSED | {"properties": {"a": {"anyOf": [{"type": "null"}, {"const": 3}]}}})},
    ],
    ids=str,
)
def test_what_the_service_still_takes_is_taken(server: RunningServer, changes: dict[str, Any]) -> None:
    # By hand: the client no longer has parameters for sampling.
    assert send(server, "/v1/messages", question(**changes))[0] == 200


def test_an_unknown_model_is_not_found(server: RunningServer) -> None:
    with pytest.raises(anthropic.NotFoundError, match="model: claude-unheard-of"):
        ask(server, **question(model="claude-unheard-of"))


def test_a_file_is_not_found_where_there_are_no_files(server: RunningServer) -> None:
    with pytest.raises(anthropic.NotFoundError, match="File not found: file_1"):
        ask(server, **question(messages=user({"type": "image", "source": {"type": "file", "file_id": "file_1"}})))


def test_counting_takes_base64_pictures_alone(server: RunningServer) -> None:
    picture = {"type": "image", "source": {"type": "url", "url": "https://example.org/a.jpg"}}
    body = question(messages=user(picture), max_tokens=None)
    with pytest.raises(anthropic.BadRequestError, match="Input tag 'url'"):
        talk(server, lambda client: client.messages.count_tokens(**body))


@pytest.mark.parametrize(
    ("headers", "status", "kind"),
    [
        ({"anthropic-version": "2023-06-01"}, 401, "authentication_error"),
        ({"x-api-key": "k"}, 400, "invalid_request_error"),
    ],
    ids=["no key", "no version"],
)
def test_a_header_is_missed(server: RunningServer, headers: dict[str, str], status: int, kind: str) -> None:
    found, _, body = send(server, "/v1/messages", question(), headers)
    assert (found, body["error"]["type"]) == (status, kind)


def test_a_bearer_token_is_a_key_too(server: RunningServer) -> None:
    assert send(server, "/v1/messages", question(), {**KEY, "x-api-key": "", "authorization": "Bearer t"})[0] == 200


def test_a_body_that_is_no_json_is_refused(server: RunningServer) -> None:
    status, _, body = send(server, "/v1/messages", b'{"model": ')
    assert (status, body["error"]["type"]) == (400, "invalid_request_error")


def test_an_unknown_path_is_not_found(server: RunningServer) -> None:
    assert send(server, "/v1/complete", {})[0] == 404


def test_a_large_body_is_refused_and_strict_pictures_are_decoded() -> None:
    damaged = bytearray(encode_picture("JPEG", 64, 64))
    damaged[len(damaged) // 3 :] = b""
    body = question(messages=user(image_block(bytes(damaged))))
    with running_server(message_bytes=20_000) as lenient:
        status, _, error = send(lenient, "/v1/messages", question("x" * 20_000))
        assert (status, error["error"]["type"]) == (413, "request_too_large")
        assert send(lenient, "/v1/messages", body)[0] == 200
    with running_server(strict_pictures=True) as strict:
        assert "Could not process image" in send(strict, "/v1/messages", body)[2]["error"]["message"]


WORDS = (
    *("type", "text", "role", "content", "source", "data", "media_type", "cache_control", "ttl", "url", "effort"),
    *("format", "schema", "properties", "items", "enum", "anyOf", "allOf", "$ref", "required", "thinking", "minItems"),
)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text(max_size=3) | st.sampled_from(["text", "user", "5m"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4),
    max_leaves=12,
)


@given(changes=st.dictionaries(st.sampled_from(["messages", "system", "thinking", "output_config"]), JSON_VALUES))
@settings(max_examples=250, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_any_body_is_answered_or_refused_but_never_breaks_the_server(changes: dict[str, Any]) -> None:
    body = question() | changes
    try:
        blocks = check_message(body, {body["model"]}, strict=True)
    except ApiError:
        return
    assert reply_to(body, blocks, "a" * 64, 1, NOTHING, Faults(thinking=1), "standard").tokens.output > 0
