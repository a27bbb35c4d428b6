"""`openai_compatible`: chat completions of a server of one's own (vLLM, SGLang, Ollama), or of a vendor.

Plain aiohttp: a request is one POST, and at a thousand a second the vendor's client would be most of the work.
Source of the shapes: vLLM's OpenAI-compatible server, chat completions with `response_format` json_schema.
"""

import asyncio
import base64
from typing import Any, Self

import aiohttp
import orjson

from tinyemo_data.synthesis.backends.anthropic_client import retry_after
from tinyemo_data.synthesis.backends.online import Arrived
from tinyemo_data.synthesis.failures import OwnFaultError, RateLimitedError, StoppedError, TransientError
from tinyemo_data.synthesis.output_schema import in_written_order
from tinyemo_data.synthesis.redaction import key_of, redacted, without_credentials
from tinyemo_data.synthesis.reply import Reply, Usage

NAME = "openai_compatible"
KEY = "OPENAI_API_KEY"
SECONDS = 600.0
GATEWAY = (502, 504)  # said by what stands between: the server may have answered
SHOWN = 300  # characters of a server's own words


class OpenAICompatible:
    """A chat-completions server at `base_url`, such as `http://localhost:8000/v1`."""

    name = NAME
    sends_pictures = True

    def __init__(self, base_url: str, concurrency: int) -> None:
        """Keep at most `concurrency` connections; a key, where the server wants one, is in OPENAI_API_KEY."""
        self._url = base_url.rstrip("/") + "/chat/completions"
        self._shown = without_credentials(self._url)
        self._concurrency = concurrency
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        key = key_of(KEY)
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._concurrency),
            timeout=aiohttp.ClientTimeout(total=SECONDS),
            headers=headers,
        )
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._session is not None:
            await asyncio.shield(self._session.close())

    async def send(self, digest: str, body: dict[str, Any], picture: bytes | None) -> Arrived:
        """Send one chat completion and return its raw reply."""
        assert self._session is not None  # entered
        try:
            async with self._session.post(self._url, data=completion_bytes(body, picture)) as response:
                content = await response.read()
                if response.status != 200:
                    raise _of_status(response.status, content, retry_after(response.headers), self._shown)
                return Arrived(_read_completion(digest, content, body["model"]), response.headers)
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError, ValueError) as exc:
            raise StoppedError(f"{self._shown} or {KEY} can't be sent to ({redacted(str(exc))}). Mend it.") from exc
        except aiohttp.ClientConnectorError as exc:
            raise TransientError(f"{self._shown} can't be reached ({exc.os_error})") from exc
        except aiohttp.ConnectionTimeoutError as exc:
            raise TransientError(f"{self._shown} gives no connection in time") from exc
        except (aiohttp.ClientError, TimeoutError) as exc:
            raise TransientError(f"connection lost ({type(exc).__name__})", maybe_billed=True) from exc


def completion_bytes(body: dict[str, Any], picture: bytes | None) -> bytes:
    """Return a canonical request's body as the JSON of a chat completion; the picture stands before the text."""
    content: Any = body["text"]
    if picture is not None:
        url = "data:image/jpeg;base64," + base64.b64encode(picture).decode()
        content = [{"type": "image_url", "image_url": {"url": url}}, {"type": "text", "text": body["text"]}]
    return orjson.dumps(
        {
            "model": body["model"],
            "max_tokens": body["max_tokens"],
            "seed": body["seed"],
            "messages": [{"role": "system", "content": body["system"]}, {"role": "user", "content": content}],
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "reply", "schema": in_written_order(body["schema"]), "strict": True},
            },
        }
    )


def _read_completion(digest: str, content: bytes, asked: str) -> Reply:
    try:
        found = orjson.loads(content)
        if not found.get("choices"):
            raise TransientError(f"the server's reply has no answer ({_words(content)})")
        counts = found.get("usage") or {}
        usage = Usage(int(counts.get("prompt_tokens") or 0), int(counts.get("completion_tokens") or 0))
        return Reply(digest, content, usage, NAME, str(found.get("model") or asked))
    except (orjson.JSONDecodeError, AttributeError, TypeError, ValueError) as exc:
        raise TransientError(f"the server's reply is no completion ({exc})", maybe_billed=True) from exc


def _of_status(status: int, content: bytes, wait: float | None, url: str) -> Exception:
    words = _words(content)
    if status == 429:
        if "insufficient_quota" in words:
            return StoppedError(f"{url}: the service's own spending limit is reached ({words}). All answers are kept.")
        return RateLimitedError(f"429: {words}", wait)
    if status in (401, 402, 403):
        return StoppedError(f"{url} refuses the key ({status}: {words}). Mend {KEY}; all that was answered is kept.")
    if status == 404:
        return StoppedError(f"{url} knows no such model or path (404: {words}). Mend synthesis.model or .base_url.")
    if status in (408, 409) or status >= 500:
        return TransientError(f"{status}: {words}", wait, maybe_billed=status in GATEWAY)
    return OwnFaultError(f"{status}: {words}")


def _words(content: bytes) -> str:
    try:
        error = orjson.loads(content).get("error")
    except (orjson.JSONDecodeError, AttributeError):
        error = content.decode("utf-8", "replace")
    if isinstance(error, dict):
        error = " ".join(str(error[key]) for key in ("code", "message") if error.get(key))
    return redacted(str(error))[:SHOWN]
