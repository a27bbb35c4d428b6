"""A batch as the service tells it, read from raw JSON, so that a state or a field that is new breaks nothing."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

ENDED = "ended"  # the others are in_progress and canceling


@dataclass(frozen=True, slots=True)
class Marker:
    """The newest batch of a workspace at some moment: what is listed above it was made later, by whatever clock."""

    batch_id: str
    created_at: str  # RFC 3339, the service's clock


@dataclass(frozen=True, slots=True)
class Seen:
    """One look at a batch. Times are RFC 3339, by the service's clock."""

    batch_id: str
    status: str
    counts: dict[str, int]  # processing, succeeded, errored, canceled, expired; all processing until the end
    created_at: str
    expires_at: str | None
    ended_at: str | None
    archived_at: str | None  # since when its results are no longer kept
    raw: bytes

    @property
    def total(self) -> int:
        """Return the number of its requests: the counts always sum to it."""
        return sum(self.counts.values())

    @property
    def marker(self) -> Marker:
        """Return it as a marker."""
        return Marker(self.batch_id, self.created_at)


def read_seen(found: dict[str, Any]) -> Seen:
    """Return the API's message batch. Raises KeyError, TypeError or ValueError where it is none."""
    counts = {name: int(count) for name, count in found["request_counts"].items()}
    return Seen(
        str(found["id"]),
        str(found["processing_status"]),
        counts,
        str(found["created_at"]),
        found.get("expires_at"),
        found.get("ended_at"),
        found.get("archived_at"),
        orjson.dumps(found),
    )


def is_older(seen: Seen, marker: Marker) -> bool:
    """Tell whether a batch was surely made before the marker, by the service's own clock."""
    try:
        return datetime.fromisoformat(seen.created_at) < datetime.fromisoformat(marker.created_at)
    except (ValueError, TypeError):
        return False
