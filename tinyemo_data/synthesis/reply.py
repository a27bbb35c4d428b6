"""What a backend sent back, kept raw; and how its text is read, whichever service it came from.

Reading is a pure function of the raw bytes: a mended reader costs nothing, since no question is asked again.
"""

from dataclasses import dataclass
from typing import Any, Literal

import orjson

Stop = Literal["complete", "refused", "cut_off", "unreadable"]


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the service counted them."""

    input_tokens: int = 0  # neither written to nor read from the prompt cache
    output_tokens: int = 0
    cache_write_tokens: int = 0
    cache_read_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer, as it came, and what it cost."""

    digest: str  # of its request
    raw: bytes  # the service's JSON body
    usage: Usage
    backend: str
    model: str  # as the service names it
    batch_id: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The text of a reply, or why there is none."""

    text: str
    stop: Stop
    detail: str = ""  # a refusal's category, or what was found in place of an answer


def read_reply(raw: bytes) -> Answer:
    """Return the text of a raw reply: of the Messages API, of chat completions, or of the rules.

    Content blocks are picked by type, since a thinking block may come first.
    """
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as exc:
        return Answer("", "unreadable", f"no JSON: {exc}")
    if not isinstance(body, dict):
        return Answer("", "unreadable", f"a JSON {type(body).__name__}")
    if isinstance(body.get("content"), list):
        return _message(body)
    if isinstance(body.get("choices"), list) and body["choices"]:
        return _completion(body["choices"][0])
    if isinstance(body.get("rules"), str):
        return Answer(str(body.get("text", "")), "complete")
    return Answer("", "unreadable", f"keys {sorted(body)[:6]}")


def _message(body: dict[str, Any]) -> Answer:
    blocks = [block for block in body["content"] if isinstance(block, dict)]
    text = "".join(str(block.get("text", "")) for block in blocks if block.get("type") == "text")
    reason = body.get("stop_reason")
    if reason == "refusal":
        details = body.get("stop_details")
        return Answer(text, "refused", str(details.get("category") or "") if isinstance(details, dict) else "")
    if reason in ("max_tokens", "model_context_window_exceeded"):
        return Answer(text, "cut_off", str(reason))
    return Answer(text, "complete") if text else Answer("", "unreadable", "no text block")


def _completion(choice: Any) -> Answer:
    if not isinstance(choice, dict) or not isinstance(choice.get("message"), dict):
        return Answer("", "unreadable", "a choice without a message")
    message = choice["message"]
    if message.get("refusal"):
        return Answer("", "refused", "")
    text = message.get("content")
    if choice.get("finish_reason") == "content_filter":
        return Answer("", "refused", "content_filter")
    if not isinstance(text, str) or not text:
        return Answer("", "unreadable", "no text")
    return Answer(text, "cut_off" if choice.get("finish_reason") == "length" else "complete")
