"""A row of a batch's results, and how the sending of its request ended by it. Pure."""

from typing import Any

import orjson

from tinyemo_data.synthesis.backends.anthropic_messages import usage_of
from tinyemo_data.synthesis.backends.batches.batch import NAME
from tinyemo_data.synthesis.ledger import Settlement
from tinyemo_data.synthesis.pricing import Price
from tinyemo_data.synthesis.redaction import redacted
from tinyemo_data.synthesis.reply import Reply

SHOWN = 300  # characters of the service's own words
ERRORED = "errored: "  # begins what the ledger says of a request that the service failed at
MOST_ERRORS = 3  # batches in which one request may end so
OWN_FAULT = "invalid_request_error"
MALFORMED = (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError)


def read_row(line: bytes) -> tuple[str, dict[str, Any]] | None:
    """Return a row's custom_id and result; None where the line is no row."""
    try:
        found = orjson.loads(line)
        custom_id, result = found["custom_id"], found["result"]
    except MALFORMED:
        return None
    return (custom_id, result) if isinstance(custom_id, str) and isinstance(result, dict) else None


def settle_row(
    digest: str, result: dict[str, Any], batch_id: str, price: Price, reserved_usd: float, errors: int = 0
) -> Settlement | None:
    """Return how a request ended: answered, failed (its own fault), or released, to be asked again.

    `errors` is in how many batches before this one the service failed at it: in its MOST_ERRORSth it is given up. None
    where the result says nothing of the kind. Source of the kinds: "Batch processing", result types; errored, canceled
    and expired requests are not billed.
    """
    kind = result.get("type")
    if kind == "succeeded":
        return _answered(digest, result, batch_id, price, reserved_usd)
    if kind == "errored":
        return _errored(digest, result, reserved_usd, errors + 1)
    if kind in ("expired", "canceled"):
        return Settlement(digest, "released", reserved_usd, NAME, detail=kind)
    return None


def _answered(
    digest: str, result: dict[str, Any], batch_id: str, price: Price, reserved_usd: float
) -> Settlement | None:
    try:
        message = result["message"]
        usage, model = usage_of(message["usage"]), str(message["model"])
    except MALFORMED:
        return None
    reply = Reply(digest, orjson.dumps(message), usage, NAME, model, batch_id)
    return Settlement(digest, "answered", reserved_usd, NAME, price.cost(usage, batch=True), reply)


def _errored(digest: str, result: dict[str, Any], reserved_usd: float, errors: int) -> Settlement:
    # The error stands within an error response: {"type": "error", "error": {"type": …, "message": …}}.
    error = result.get("error")
    if isinstance(error, dict) and isinstance(error.get("error"), dict):
        error = error["error"]
    kind, words = (error.get("type"), error.get("message")) if isinstance(error, dict) else (None, None)
    what = redacted(f"{kind or 'error'}: {words or ''}")[:SHOWN]
    if kind == OWN_FAULT:
        return Settlement(digest, "failed", reserved_usd, NAME, detail=what)
    if errors >= MOST_ERRORS:
        return Settlement(digest, "failed", reserved_usd, NAME, detail=f"errored in {errors} batches, at last {what}")
    return Settlement(digest, "released", reserved_usd, NAME, detail=ERRORED + what)
