"""Errors in the shapes of the two services."""

from dataclasses import dataclass, field
from typing import Any

import orjson

# https://platform.claude.com/docs/en/api/errors
STATUS = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "overloaded_error": 529,
}
# What vLLM calls them (its ErrorInfo has a class name for a type, and the status for a code).
CHAT_TYPES = {400: "BadRequestError", 401: "Unauthorized", 404: "NotFoundError", 429: "RateLimitError"}


@dataclass
class ApiError(Exception):
    """A request that is answered with an error."""

    kind: str  # a key of STATUS
    message: str
    error_code: str | None = None  # what the SDK picks its finer classes by
    headers: dict[str, str] = field(default_factory=dict)
    fault: str | None = None  # the fault that it is due to; None where the request itself is at fault

    @property
    def status(self) -> int:
        """Return the HTTP status."""
        return STATUS[self.kind]

    def document(self, request_id: str) -> dict[str, Any]:
        """Return the error as the Messages API words it."""
        error: dict[str, Any] = {"type": self.kind, "message": self.message}
        if self.error_code is not None:
            error["details"] = {"error_code": self.error_code}
        return {"type": "error", "error": error, "request_id": request_id}

    def chat_document(self) -> dict[str, Any]:
        """Return the error as vLLM's chat completions word it."""
        kind = CHAT_TYPES.get(self.status, "InternalServerError")
        return {"error": {"message": self.message, "type": kind, "param": None, "code": self.status}}

    def body(self, request_id: str, chat: bool) -> bytes:
        """Return the error as JSON, for the Messages API or for chat completions."""
        return orjson.dumps(self.chat_document() if chat else self.document(request_id))


def invalid(message: str) -> ApiError:
    """Return the error of a request that is at fault itself."""
    return ApiError("invalid_request_error", message)
