"""A request's prompt as the service reads it: one block after the other, each with its tokens, checked on the way."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tinyemo_data.synthesis.rehearsal.api_error import invalid
from tinyemo_data.synthesis.rehearsal.picture import source_tokens

# "1M tokens is roughly … 2.5M Unicode characters on the current tokenizer":
# https://platform.claude.com/docs/en/models/haiku-5-5/overview
CHARACTERS_PER_TOKEN = 2.5
TURN_TOKENS = 4  # what a turn adds beside its content
MOST_BREAKPOINTS = 4
ROLES = ("user", "assistant", "system")
KEPT_TYPES = ("thinking", "redacted_thinking")  # of earlier replies, sent back as they came


@dataclass(frozen=True, slots=True)
class Block:
    """One block of the system prompt or of a turn."""

    role: str
    content: Any  # the block, or the text that stands for it
    tokens: int
    ttl: str | None = None  # "5m" or "1h" where the prompt cache is asked to keep everything up to here


def text_tokens(text: str) -> int:
    """Return about how many tokens a text has."""
    return math.ceil(len(text) / CHARACTERS_PER_TOKEN)


def read_prompt(body: dict[str, Any], strict: bool, only_base64: bool = False) -> list[Block]:
    """Return the blocks of system prompt and turns. Raises ApiError where the service would refuse them."""
    blocks = [*_system_blocks(body.get("system")), *_turn_blocks(body["messages"], strict, only_base64)]
    if body.get("cache_control") is not None and blocks:
        last = blocks[-1]
        blocks[-1] = Block(last.role, last.content, last.tokens, _ttl(body["cache_control"], "cache_control"))
    _check_breakpoints([block.ttl for block in blocks if block.ttl])
    return blocks


def _system_blocks(system: Any) -> Iterator[Block]:
    if system is None:
        return
    if isinstance(system, str):
        yield Block("system", system, text_tokens(system) + TURN_TOKENS)
        return
    if not isinstance(system, list):
        raise invalid("system: Input should be a valid string or list")
    for index, block in enumerate(system):
        if not isinstance(block, dict) or block.get("type") != "text":
            raise invalid(f"system.{index}.type: Input should be 'text'")
        yield _text_block(block, "system", f"system.{index}")


def _turn_blocks(messages: Any, strict: bool, only_base64: bool) -> Iterator[Block]:
    for index, message in enumerate(messages):
        where = f"messages.{index}"
        role = message.get("role") if isinstance(message, dict) else None
        if role not in ROLES:
            raise invalid(f"{where}.role: Input should be 'user' or 'assistant'")
        content = message.get("content")
        if isinstance(content, str):
            content = [{"type": "text", "text": content}]
        if not isinstance(content, list) or not content:
            raise invalid(f"{where}: all messages must have non-empty content")
        for at, block in enumerate(content):
            yield _turn_block(block, role, f"{where}.content.{at}", strict, only_base64)


def _turn_block(block: Any, role: str, where: str, strict: bool, only_base64: bool) -> Block:
    kind = block.get("type") if isinstance(block, dict) else None
    if kind == "text":
        return _text_block(block, role, where)
    if kind == "image" and role != "assistant":
        tokens = source_tokens(block.get("source"), f"{where}.image.source", strict, only_base64)
        return Block(role, block, tokens, _ttl(block.get("cache_control"), where))
    if kind in KEPT_TYPES and role == "assistant":
        return Block(role, block, 0)
    if kind in ("tool_use", "tool_result", "document", "search_result"):
        raise invalid(f"{where}: the rehearsal server has no blocks of type '{kind}'")
    raise invalid(f"{where}: Input tag {kind!r} found using 'type' does not match any of the expected tags")


def _text_block(block: dict[str, Any], role: str, where: str) -> Block:
    text = block.get("text")
    if not isinstance(text, str):
        raise invalid(f"{where}.text.text: Field required")
    ttl = _ttl(block.get("cache_control"), where)
    if not text:
        raise invalid(
            f"{where}.text: cache_control cannot be set for empty text blocks"
            if ttl
            else f"{where.split('.')[0]}: text content blocks must be non-empty"
        )
    if not text.strip():
        raise invalid(f"{where.split('.')[0]}: text content blocks must contain non-whitespace text")
    return Block(role, block, text_tokens(text) + TURN_TOKENS, ttl)


def _ttl(control: Any, where: str) -> str | None:
    if control is None:
        return None
    if not isinstance(control, dict) or control.get("type") != "ephemeral":
        raise invalid(f"{where}.cache_control.type: Input should be 'ephemeral'")
    ttl = control.get("ttl", "5m")
    if ttl not in ("5m", "1h"):
        raise invalid(f"{where}.cache_control.ephemeral.ttl: Input should be '5m' or '1h'")
    return str(ttl)


def _check_breakpoints(ttls: list[str]) -> None:
    if len(ttls) > MOST_BREAKPOINTS:
        raise invalid(f"A maximum of 4 blocks with cache_control may be provided. Found {len(ttls)}.")
    if "5m" in ttls and "1h" in ttls[ttls.index("5m") :]:
        raise invalid("a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block")


def refuse_too_long(tokens: int, window: int) -> None:
    """Raise ApiError for a prompt that is longer than a model's context window."""
    if tokens > window:
        raise invalid(f"prompt is too long: {tokens} tokens > {window} maximum")
