"""A checked message request becomes a reply and its token counts; the same for single messages and for batches."""

from dataclasses import dataclass
from typing import Any

from tinyemo_data.synthesis.rehearsal.answer import Answer, seed_of, write_answer
from tinyemo_data.synthesis.rehearsal.faults import Faults
from tinyemo_data.synthesis.rehearsal.message_checks import schema_of
from tinyemo_data.synthesis.rehearsal.prices import Tokens
from tinyemo_data.synthesis.rehearsal.prompt_blocks import Block
from tinyemo_data.synthesis.rehearsal.prompt_cache import Reading
from tinyemo_data.synthesis.rehearsal.thinking import may_think, think


@dataclass(frozen=True, slots=True)
class MessageReply:
    """A reply of the Messages API."""

    document: dict[str, Any]  # the JSON body
    tokens: Tokens


def reply_to(
    body: dict[str, Any], blocks: list[Block], digest: str, number: int, reading: Reading, faults: Faults, tier: str
) -> MessageReply:
    """Answer a request that was checked; `tier` is standard or batch. Equal bodies get equal answers."""
    content: list[dict[str, Any]] = []
    thought = 0
    if may_think(body) and body["max_tokens"] and faults.meet("thinking", number, digest):
        block, thought = think(body, seed_of(digest))
        content.append(block)
    if thought >= body["max_tokens"]:  # it stops before there is any text
        answer = Answer("", "max_tokens", body["max_tokens"])
    else:
        answer = write_answer(schema_of(body), digest, number, body["max_tokens"], thought, faults)
    if answer.text:
        content.append({"type": "text", "text": answer.text})
    tokens = Tokens(
        sum(block.tokens for block in blocks) - reading.total,
        answer.output_tokens,
        reading.written.get("5m", 0),
        reading.written.get("1h", 0),
        reading.read,
    )
    document = {
        "id": f"msg_{digest[:24]}",
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": content if answer.stop != "refusal" else [],
        "stop_reason": answer.stop,
        "stop_sequence": None,
        "stop_details": _stop_details(answer, faults),
        "usage": _usage(tokens, min(thought, answer.output_tokens), tier),
    }
    return MessageReply(document, tokens)


def _stop_details(answer: Answer, faults: Faults) -> dict[str, Any] | None:
    if answer.stop != "refusal":
        return None
    explanation = "The request could be related to an area that was determined as harmful."
    return {"type": "refusal", "category": faults.refusal_category, "explanation": explanation}


def _usage(tokens: Tokens, thought: int, tier: str) -> dict[str, Any]:
    return {
        "input_tokens": tokens.input,
        "cache_creation_input_tokens": tokens.cache_write_5m + tokens.cache_write_1h,
        "cache_read_input_tokens": tokens.cache_read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": tokens.cache_write_5m,
            "ephemeral_1h_input_tokens": tokens.cache_write_1h,
        },
        "output_tokens": tokens.output,
        "output_tokens_details": {"thinking_tokens": thought},
        "service_tier": tier,
    }
