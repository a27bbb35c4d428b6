"""One message batch: its requests, what became of them, and its state as the API tells it."""

import asyncio
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from tinyemo_data.synthesis.rehearsal.faults import Faults

ENDS = ("succeeded", "errored", "canceled", "expired")


@dataclass
class Batch:
    """In progress until `end` is called; counts and results are there only then."""

    id: str
    rows: list[tuple[str, Any]]  # custom_id and parameters, in the order in which they came
    faults: Faults  # as they were when it was made
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    cancel_initiated_at: datetime | None = None
    ended_at: datetime | None = None
    canceled: asyncio.Event = field(default_factory=asyncio.Event)
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(ENDS, 0))
    lines: list[bytes] = field(default_factory=list)  # results as JSON, one a row that is done

    @property
    def state(self) -> str:
        """Return in_progress, canceling or ended."""
        if self.ended_at is not None:
            return "ended"
        return "in_progress" if self.cancel_initiated_at is None else "canceling"

    def finish_row(self, custom_id: str, result: dict[str, Any]) -> None:
        """Write down what became of a request; `result` has one of ENDS for its type."""
        self.counts[result["type"]] += 1
        self.lines.append(orjson.dumps({"custom_id": custom_id, "result": result}, option=orjson.OPT_APPEND_NEWLINE))

    def cancel(self) -> None:
        """Ask for its end; requests that are not done will be canceled. An ended batch stays as it is."""
        if self.ended_at is None and self.cancel_initiated_at is None:
            self.cancel_initiated_at = datetime.now(UTC)
            self.canceled.set()

    def end(self) -> None:
        """Publish the results, in another order than the requests had."""
        random.Random(f"{self.faults.seed} {len(self.lines)}").shuffle(self.lines)
        self.rows = []
        self.ended_at = datetime.now(UTC)

    def document(self, origin: str) -> dict[str, Any]:
        """Return the batch as the API tells it; `origin` is the address that the client came by."""
        ended = self.ended_at is not None
        return {
            "id": self.id,
            "type": "message_batch",
            "processing_status": self.state,
            "request_counts": {
                "processing": 0 if ended else len(self.rows),
                **(self.counts if ended else dict.fromkeys(ENDS, 0)),
            },
            "created_at": _timestamp(self.created_at),
            "expires_at": _timestamp(self.created_at + timedelta(seconds=self.faults.batch_expires_after)),
            "ended_at": _timestamp(self.ended_at),
            "cancel_initiated_at": _timestamp(self.cancel_initiated_at),
            "archived_at": None,
            "results_url": f"{origin}/v1/messages/batches/{self.id}/results" if ended else None,
        }


def _timestamp(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
