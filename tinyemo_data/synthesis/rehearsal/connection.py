"""What all routes do with a connection: read JSON, ask for a key, answer, or close without an answer."""

from typing import Any

import orjson
from aiohttp import web

from tinyemo_data.synthesis.rehearsal.api_error import ApiError, invalid

JSON = "application/json"


async def read_body(request: web.Request, most_bytes: int) -> Any:
    """Return the body's JSON. Raises ApiError where it is too large, or no JSON."""
    try:
        raw = await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise too_large() from None
    if len(raw) > most_bytes:
        raise too_large()
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as exc:
        raise invalid(f"The request body is not valid JSON: {exc}") from None


def too_large() -> ApiError:
    """Return the error of a body with too many bytes."""
    return ApiError("request_too_large", "Request exceeds the maximum allowed number of bytes.")


def check_headers(request: web.Request) -> None:
    """Raise ApiError where a key or the API's version is missing. The key itself is looked at by nobody."""
    headers = request.headers
    if not headers.get("x-api-key") and not headers.get("authorization"):
        raise ApiError("authentication_error", "x-api-key header is required")
    if not headers.get("anthropic-version"):
        raise invalid("anthropic-version: header is required")


def answer_json(document: Any, request_id: str, headers: dict[str, str] | None = None) -> web.Response:
    """Return a 200 with a JSON body."""
    return web.Response(
        body=orjson.dumps(document), content_type=JSON, headers={"request-id": request_id, **(headers or {})}
    )


def answer_error(error: ApiError, request_id: str, chat: bool = False) -> web.Response:
    """Return an error as the Messages API words it, or as chat completions do."""
    headers = {"request-id": request_id, **error.headers}
    return web.Response(body=error.body(request_id, chat), status=error.status, content_type=JSON, headers=headers)


async def answer_half(request: web.Request, content: bytes, content_type: str, request_id: str) -> web.StreamResponse:
    """Send a 200 and the first half of `content`, then close the connection."""
    response = web.StreamResponse(headers={"request-id": request_id, "content-length": str(len(content))})
    response.content_type = content_type
    await response.prepare(request)
    await response.write(content[: len(content) // 2])
    close_without_answer(request)
    return response


def close_without_answer(request: web.Request) -> web.Response:
    """Close the connection as if the machine at the other end had gone; what is returned reaches nobody."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
