"""A canonical request as the Messages API takes it; the same for single messages and for batches.

Source: Claude API documentation, version 2026-10-21. The picture stands before the text; the system text is the same
bytes for every request of a prompt, so that it can be cached.
"""

import base64
from typing import Any

import orjson

from tinyemo_data.synthesis.output_schema import in_written_order
from tinyemo_data.synthesis.recipe import WITHOUT_THINKING


def message_params(body: dict[str, Any], picture: bytes | None) -> dict[str, Any]:
    """Return the parameters of one message."""
    content: list[dict[str, Any]] = []
    if picture is not None:
        data = base64.b64encode(picture).decode()
        content.append({"type": "image", "source": {"type": "base64", "media_type": "image/jpeg", "data": data}})
    content.append({"type": "text", "text": body["text"]})
    thinking = WITHOUT_THINKING.get(body["model"])
    return {
        **({"thinking": thinking} if thinking else {}),
        "model": body["model"],
        "max_tokens": body["max_tokens"],
        "system": [
            {"type": "text", "text": body["system"], "cache_control": {"type": "ephemeral", "ttl": "1h"}},
        ],
        "messages": [{"role": "user", "content": content}],
        "output_config": {"format": {"type": "json_schema", "schema": in_written_order(body["schema"])}},
    }


def message_bytes(body: dict[str, Any], picture: bytes | None) -> bytes:
    """Return the parameters of one message as JSON."""
    return orjson.dumps(message_params(body, picture))
