"""What a chat-completions server checks before it answers, as vLLM's does."""

import functools
import re
from typing import Any

import orjson

from tinyemo_data.synthesis.rehearsal.api_error import ApiError, invalid
from tinyemo_data.synthesis.rehearsal.fitting import unfitted
from tinyemo_data.synthesis.rehearsal.picture import MEDIA, picture_tokens, read_picture_data
from tinyemo_data.synthesis.rehearsal.prompt_blocks import TURN_TOKENS, refuse_too_long, text_tokens
from tinyemo_data.synthesis.rehearsal.schema_reference import malformation

DATA_URL = re.compile(r"data:(image/[a-z]+);base64,")
ROLES = ("system", "developer", "user", "assistant")
CONTEXT = 32_768  # tokens: a usual --max-model-len
ANY_OBJECT = {
    "type": "object",
    "properties": {"answer": {"type": "string"}},
    "required": ["answer"],
    "additionalProperties": False,
}


def check_chat(body: Any, models: tuple[str, ...], strict: bool) -> int:
    """Return the prompt's tokens. Raises ApiError for what such a server refuses."""
    if not isinstance(body, dict):
        raise invalid("the body should be an object")
    if not isinstance(body.get("model"), str):
        raise invalid("model: Field required")
    if models and body["model"] not in models:
        raise ApiError("not_found_error", f"The model `{body['model']}` does not exist.")
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise invalid("messages: Field required")
    if body.get("stream"):
        raise invalid("stream: the rehearsal server does not stream")
    limit = limit_of(body)
    if not isinstance(limit, int) or limit < 1:
        raise invalid(f"max_tokens must be at least 1, got {limit}.")
    tokens = sum(_turn_tokens(message, index, strict) for index, message in enumerate(messages))
    refuse_too_long(tokens, CONTEXT)
    schema_wanted(body)
    return tokens


def limit_of(body: dict[str, Any]) -> int:
    """Return how many tokens the answer may have."""
    for name in ("max_completion_tokens", "max_tokens"):
        if body.get(name) is not None:
            limit: int = body[name]
            return limit
    return CONTEXT


def schema_wanted(body: dict[str, Any]) -> dict[str, Any] | None:
    """Return the schema that the answer must fit, or None. Raises ApiError for a format that there is not."""
    form = body.get("response_format")
    kind = form.get("type") if isinstance(form, dict) else None
    if form is None or kind == "text":
        return None
    if kind == "json_object":
        return ANY_OBJECT
    wanted = form.get("json_schema") if kind == "json_schema" else None
    schema = wanted.get("schema") if isinstance(wanted, dict) else None
    if not isinstance(schema, dict):
        raise invalid("response_format: expected type text, json_object, or json_schema with a json_schema.schema")
    if flaw := _schema_flaw(orjson.dumps(schema)):
        raise invalid(f"response_format.json_schema.schema: {flaw}")
    return schema


@functools.lru_cache(maxsize=256)
def _schema_flaw(document: bytes) -> str | None:
    schema = orjson.loads(document)
    if flaw := malformation(schema):
        return flaw
    keyword = unfitted(schema)
    return f"the rehearsal server makes nothing up that fits '{keyword}'" if keyword else None


def _turn_tokens(message: Any, index: int, strict: bool) -> int:
    role = message.get("role") if isinstance(message, dict) else None
    if role not in ROLES:
        raise invalid(f"messages[{index}].role: expected one of {', '.join(ROLES)}; found {role!r}")
    content = message.get("content")
    if isinstance(content, str):
        return text_tokens(content) + TURN_TOKENS
    if not isinstance(content, list):
        raise invalid(f"messages[{index}].content: expected text or a list of parts")
    return TURN_TOKENS + sum(
        _part_tokens(part, f"messages[{index}].content[{at}]", strict) for at, part in enumerate(content)
    )


def _part_tokens(part: Any, where: str, strict: bool) -> int:
    kind = part.get("type") if isinstance(part, dict) else None
    if kind == "text" and isinstance(part.get("text"), str):
        return text_tokens(part["text"])
    if kind != "image_url":
        raise invalid(f"{where}: expected a part of type text or image_url; found {kind!r}")
    image = part.get("image_url")
    url = image.get("url") if isinstance(image, dict) else None
    match = DATA_URL.match(url) if isinstance(url, str) else None
    if not isinstance(url, str) or match is None or match[1] not in MEDIA:
        raise invalid(f"{where}.image_url.url: expected data:image/jpeg;base64,… (or png, gif, webp)")
    head = read_picture_data(url[match.end() :], match[1], where, strict)
    return picture_tokens(head.width, head.height)
