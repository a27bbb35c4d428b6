"""How these tests talk to the server: the vendor's own client, and requests by hand where it would not send them."""

import asyncio
import http.client
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import anthropic
import orjson

from tinyemo_data.synthesis.rehearsal.process import RunningServer

T = TypeVar("T")

MODEL = "claude-haiku-5-5"
SCHEMA = {
    "type": "object",
    "properties": {
        "caption": {"type": "string"},
        "emotion": {"type": "string", "enum": ["awe", "anger", "fear"]},
        "tags": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["caption", "emotion", "tags"],
    "additionalProperties": False,
}
FORMAT = {"format": {"type": "json_schema", "schema": SCHEMA}}
KEY = {"x-api-key": "rehearsal", "anthropic-version": "2023-06-01"}


def question(text: str = "What is in the picture?", **changes: Any) -> dict[str, Any]:
    """Return the parameters of a message; changes of None take a parameter away."""
    body = {"model": MODEL, "max_tokens": 1_000, "messages": [{"role": "user", "content": text}], **changes}
    return {name: value for name, value in body.items() if value is not None}


def talk(
    server: RunningServer, scenario: Callable[[anthropic.AsyncAnthropic], Awaitable[T]], *, aiohttp: bool = True
) -> T:
    """Run `scenario` with a client that tries nothing again."""

    async def run() -> T:
        transport: Any = anthropic.DefaultAioHttpClient() if aiohttp else anthropic.DefaultAsyncHttpxClient()
        async with anthropic.AsyncAnthropic(
            base_url=server.url, api_key="rehearsal", max_retries=0, timeout=20, http_client=transport
        ) as client:
            return await scenario(client)

    return asyncio.run(run())


def ask(server: RunningServer, **parameters: Any) -> anthropic.types.Message:
    """Send one message and return the reply."""

    async def scenario(client: anthropic.AsyncAnthropic) -> anthropic.types.Message:
        message: anthropic.types.Message = await client.messages.create(**parameters)
        return message

    return talk(server, scenario)


def ask_all(server: RunningServer, count: int, **parameters: Any) -> list[anthropic.types.Message | Exception]:
    """Send `count` different questions one after the other; return replies and errors in their order."""

    async def scenario(client: anthropic.AsyncAnthropic) -> list[anthropic.types.Message | Exception]:
        outcomes: list[anthropic.types.Message | Exception] = []
        for number in range(count):
            try:
                outcomes.append(await client.messages.create(**question(f"Question {number}", **parameters)))
            except anthropic.AnthropicError as exc:
                outcomes.append(exc)
        return outcomes

    return talk(server, scenario)


def text_of(message: anthropic.types.Message) -> str:
    """Return a reply's text."""
    return "".join(block.text for block in message.content if block.type == "text")


def send(
    server: RunningServer, path: str, body: Any, headers: dict[str, str] = KEY, method: str = "POST"
) -> tuple[int, dict[str, str], Any]:
    """Send JSON (or bytes) by hand; return status, headers and the JSON of the answer."""
    connection = http.client.HTTPConnection(server.host, server.port, timeout=20)
    try:
        content = body if isinstance(body, bytes) or body is None else orjson.dumps(body)
        connection.request(method, path, content, headers)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), orjson.loads(answer.read())
    finally:
        connection.close()
