"""`anthropic`: one message a request, online, through the vendor's own client.

Replies stay raw bytes: building typed objects of them would halve what a core can take in.
"""

import asyncio
from typing import Any, Self

import anthropic
import httpx2
import orjson

from tinyemo_data.synthesis.backends.anthropic_client import open_client, translated
from tinyemo_data.synthesis.backends.message import message_bytes
from tinyemo_data.synthesis.backends.online import Arrived
from tinyemo_data.synthesis.failures import TransientError
from tinyemo_data.synthesis.reply import Reply, Usage

NAME = "anthropic"
JSON: Any = {"headers": {"Content-Type": "application/json"}}


class AnthropicMessages:
    """The Messages API at ANTHROPIC_BASE_URL (default: the vendor's)."""

    name = NAME
    sends_pictures = True

    def __init__(self, concurrency: int) -> None:
        """Keep at most `concurrency` connections. Raises StoppedError where there is no key."""
        self._client: anthropic.AsyncAnthropic = open_client(concurrency)

    async def send(self, digest: str, body: dict[str, Any], picture: bytes | None) -> Arrived:
        """Send one message and return its raw reply with the token counts that it was billed by."""
        with translated():
            response = await self._client.post(
                "/v1/messages", content=message_bytes(body, picture), cast_to=httpx2.Response, options=JSON
            )
            content = await response.aread()
        return Arrived(read_message(digest, content, NAME), response.headers)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await asyncio.shield(self._client.close())


def read_message(digest: str, content: bytes, backend: str, batch_id: str | None = None) -> Reply:
    """Return a message's raw body as a reply. Raises TransientError where it is no message (billed, perhaps)."""
    try:
        message = orjson.loads(content)
        usage = usage_of(message["usage"])
        return Reply(digest, content, usage, backend, str(message["model"]), batch_id)
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError, ValueError) as exc:
        what = f"the service's reply is no message ({type(exc).__name__}: {exc})"
        raise TransientError(what, maybe_billed=True) from exc


def usage_of(found: dict[str, Any]) -> Usage:
    """Return the token counts of the API's `usage`."""
    return Usage(
        int(found["input_tokens"]),
        int(found["output_tokens"]),
        int(found.get("cache_creation_input_tokens") or 0),
        int(found.get("cache_read_input_tokens") or 0),
    )
