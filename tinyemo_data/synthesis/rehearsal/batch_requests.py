"""What is asked of the Message Batches API: the requests of a new batch, and the page of a listing."""

import hashlib
import re
from typing import Any

import orjson

from tinyemo_data.synthesis.rehearsal.api_error import invalid

CUSTOM_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
MOST_LISTED, LISTED = 1000, 20


def batch_digest(body: Any) -> str:
    """Return the SHA-256 of a batch's custom_ids in their order, in hex: the whole body may have 256 MB."""
    requests = body.get("requests") if isinstance(body, dict) else None
    rows = requests if isinstance(requests, list) else []
    ids = [row.get("custom_id") if isinstance(row, dict) else None for row in rows]
    return hashlib.sha256(orjson.dumps(ids)).hexdigest()


def read_rows(body: Any, most: int) -> list[tuple[str, Any]]:
    """Return custom_id and parameters of each request. Raises ApiError; parameters are not looked at."""
    requests = body.get("requests") if isinstance(body, dict) else None
    if not isinstance(requests, list):
        raise invalid("requests: Field required")
    if not requests:
        raise invalid("requests: List should have at least 1 item after validation, not 0")
    if len(requests) > most:
        raise invalid(f"requests: List should have at most {most} items after validation, not {len(requests)}")
    seen: set[str] = set()
    for at, row in enumerate(requests):
        _check_row(row, f"requests.{at}", seen)
    return [(row["custom_id"], row["params"]) for row in requests]


def _check_row(row: Any, where: str, seen: set[str]) -> None:
    custom_id = row.get("custom_id") if isinstance(row, dict) else None
    if not isinstance(custom_id, str):
        raise invalid(f"{where}.custom_id: Field required")
    if len(custom_id) > 64:
        raise invalid(f"{where}.custom_id: String should have at most 64 characters")
    if not CUSTOM_ID.fullmatch(custom_id):
        raise invalid(f"{where}.custom_id: String should match pattern '^[a-zA-Z0-9_-]{{1,64}}$'")
    if custom_id in seen:
        raise invalid(f"{where}.custom_id: custom_id must be unique within a batch; found again: {custom_id}")
    if not isinstance(row.get("params"), dict):
        raise invalid(f"{where}.params: Field required")
    seen.add(custom_id)


def page_of(newest_first: list[str], query: dict[str, str]) -> tuple[list[str], bool]:
    """Return the ids of one page, and whether there are more beyond it. Raises ApiError for a bad query."""
    try:
        limit = int(query.get("limit", LISTED))
    except ValueError:
        raise invalid("limit: Input should be a valid integer") from None
    if not 1 <= limit <= MOST_LISTED:
        raise invalid(f"limit: Input should be between 1 and {MOST_LISTED}")
    for key in ("after_id", "before_id"):
        if key in query and query[key] not in newest_first:
            raise invalid(f"{key}: there is no such batch")
    if "before_id" in query:
        before = newest_first[: newest_first.index(query["before_id"])]
        return before[-limit:], len(before) > limit
    after = newest_first[newest_first.index(query["after_id"]) + 1 :] if "after_id" in query else newest_first
    return after[:limit], len(after) > limit
