"""The chat-completions server, as a plain HTTP client sees it."""

from typing import Any

import jsonschema_rs
import orjson
import pytest

from tests.synthesis.rehearsal.pictures import encode_picture, image_part
from tests.synthesis.rehearsal.talking import SCHEMA, send
from tinyemo_data.synthesis.rehearsal.faults import Faults
from tinyemo_data.synthesis.rehearsal.limits import Limits
from tinyemo_data.synthesis.rehearsal.process import RunningServer, running_server

PATH = "/v1/chat/completions"
FORMAT = {"type": "json_schema", "json_schema": {"name": "reply", "schema": SCHEMA, "strict": True}}


def chat(text: str = "What is in the picture?", **changes: Any) -> dict[str, Any]:
    turns = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": text}]
    return {"model": "a-model", "messages": turns, "max_tokens": 500, "temperature": 0.7, "seed": 1, **changes}


def choice(server: RunningServer, **changes: Any) -> dict[str, Any]:
    status, _, body = send(server, PATH, chat(**changes), {})
    assert status == 200
    found: dict[str, Any] = body["choices"][0]
    return found


def test_a_chat_is_answered_in_the_schema_and_costs_nothing(server: RunningServer) -> None:
    status, _, body = send(server, PATH, chat(response_format=FORMAT), {})
    assert (status, body["object"], body["model"]) == (200, "chat.completion", "a-model")
    assert body["choices"][0]["finish_reason"] == "stop"
    jsonschema_rs.validate(SCHEMA, orjson.loads(body["choices"][0]["message"]["content"]))
    usage = body["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] > 20
    bill = server.bill()
    assert (bill.paid, bill.usd, bill.by_model["a-model"].output_tokens) == (1, 0, usage["completion_tokens"])


def test_constraints_are_kept_that_the_vendor_would_refuse(server: RunningServer) -> None:
    schema = {
        "type": "object",
        "properties": {
            "title": {"type": "string", "minLength": 5, "maxLength": 20},
            "score": {"type": "integer", "minimum": 1, "maximum": 5},
            "tags": {"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 4},
        },
        "required": ["title", "score", "tags"],
    }
    form = {"type": "json_schema", "json_schema": {"name": "r", "schema": schema}}
    for number in range(20):
        content = choice(server, text=str(number), response_format=form)["message"]["content"]
        jsonschema_rs.validate(schema, orjson.loads(content))


def test_without_a_schema_it_is_prose_and_any_object_where_one_is_asked_for(server: RunningServer) -> None:
    assert choice(server)["message"]["content"].endswith(".")
    content = choice(server, response_format={"type": "json_object"})["message"]["content"]
    assert isinstance(orjson.loads(content), dict)


def test_a_picture_counts_and_is_looked_at(server: RunningServer) -> None:
    words = {"type": "text", "text": "What?"}
    picture = image_part(encode_picture("JPEG", 280, 56))
    sizes = []
    for content in ([words], [picture, words]):
        status, _, body = send(server, PATH, chat(messages=[{"role": "user", "content": content}]), {})
        assert status == 200
        sizes.append(body["usage"]["prompt_tokens"])
    assert sizes[1] - sizes[0] == 20


def test_a_long_answer_is_cut(server: RunningServer) -> None:
    found = choice(server, response_format=FORMAT, max_tokens=10)
    assert found["finish_reason"] == "length"
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(found["message"]["content"])


BAD: dict[str, tuple[dict[str, Any], int, str]] = {
    "no messages": ({"messages": []}, 400, "messages: Field required"),
    "no tokens": ({"max_tokens": 0}, 400, "max_tokens must be at least 1"),
    "odd role": ({"messages": [{"role": "human", "content": "q"}]}, 400, "expected one of system"),
    "remote picture": (
        {
            "messages": [
                {
                    "role": "user",
                    "content": [{"type": "image_url", "image_url": {"url": "https://example.org/a.jpg"}}],
                }
            ]
        },
        400,
        "expected data:image/jpeg",
    ),
    "too long": ({"messages": [{"role": "user", "content": "x" * 90_000}]}, 400, "prompt is too long"),
    "odd format": ({"response_format": {"type": "xml"}}, 400, "response_format"),
    "no schema": (
        {"response_format": {"type": "json_schema", "json_schema": {"schema": {"type": "objekt"}}}},
        400,
        "objekt",
    ),
    "pattern": (
        {"response_format": {"type": "json_schema", "json_schema": {"schema": {"type": "string", "pattern": "^a"}}}},
        400,
        "'pattern'",
    ),
    "circle": (
        {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"schema": {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}},
            }
        },
        400,
        "circle",
    ),
}


@pytest.mark.parametrize(("changes", "status", "words"), BAD.values(), ids=BAD.keys())
def test_a_bad_chat_is_refused_as_vllm_does(
    server: RunningServer, changes: dict[str, Any], status: int, words: str
) -> None:
    found, _, body = send(server, PATH, chat(**changes), {})
    assert (found, body["error"]["code"], body["error"]["type"]) == (status, status, "BadRequestError")
    assert words in body["error"]["message"]
    assert server.bill().paid == 0


def test_faults_and_limits_fall_on_chats_too(server: RunningServer) -> None:
    server.set_faults(Faults(rate_limited="nth:1", server_error="nth:2", refused="nth:3", retry_after=1))
    limited, failed, refused = (send(server, PATH, chat(), {}) for _ in range(3))
    assert (limited[0], limited[1]["retry-after"], limited[2]["error"]["type"]) == (429, "1", "RateLimitError")
    assert (failed[0], failed[2]["error"]["type"]) == (500, "InternalServerError")
    assert refused[2]["choices"][0]["finish_reason"] == "content_filter"
    server.set_limits(Limits(requests_per_minute=60))
    assert [send(server, PATH, chat(), {})[0] for _ in range(2)] == [200, 429]


def test_models_and_keys_are_asked_for_where_they_are_set() -> None:
    with running_server(chat_models=["bunny"], require_bearer=True) as server:
        assert [model["id"] for model in send(server, "/v1/models", None, {}, "GET")[2]["data"]] == ["bunny"]
        key = {"authorization": "Bearer k"}
        assert send(server, PATH, chat(model="bunny"), key)[0] == 200
        assert send(server, PATH, chat(model="bunny"), {})[0] == 401
        status, _, body = send(server, PATH, chat(model="hare"), key)
        assert (status, body["error"]["message"]) == (404, "The model `hare` does not exist.")
