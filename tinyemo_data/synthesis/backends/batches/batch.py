"""Batches as the ledger knows them."""

from dataclasses import dataclass

import orjson

from tinyemo_data.synthesis.backends.batches.seen import Marker, Seen, read_seen
from tinyemo_data.synthesis.ledger import Ledger

NAME = "anthropic_batches"
IN_DOUBT = ("intended", "posted")
UNDER_WAY = (*IN_DOUBT, "created")
COLUMNS = (
    "number, state, batch_id, found, requests, bytes, reserved_usd, before_id, before_created_at, not_ours, seen, "
    "seen_at, intended_at"
)


@dataclass(frozen=True, slots=True)
class Enclosed:
    """One request of a batch."""

    digest: str
    model: str  # that was asked for
    reserved_usd: float


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch as the ledger knows it."""

    number: int
    state: str  # intended, posted (see `intent`), created, collected, void or abandoned
    batch_id: str | None  # None while nobody knows whether it was made
    found: bool  # by looking through the list, since the reply to its creation was lost
    requests: int
    bytes: int
    reserved_usd: float
    before: Marker | None  # the newest batch when this one was meant to be made; None: there was none
    not_ours: tuple[str, ...]
    seen: Seen | None  # the last look at it
    seen_at: str | None
    intended_at: str

    @property
    def key(self) -> str:
        """Return what its requests have as `batch_id`."""
        return self.batch_id or intent_key(self.number)


def intent_key(number: int) -> str:
    """Return what requests have as `batch_id` while their batch has no id."""
    return f"intent-{number}"


def requests_of(ledger: Ledger, batch: Batch) -> list[tuple[str, str, float, bool]]:
    """Return a batch's requests: digest, model, dollars reserved, and whether it still waits for its outcome here."""
    with ledger.transaction() as connection:
        return connection.execute(
            "SELECT b.digest, b.model, b.reserved_usd, r.state = 'submitted' AND r.batch_id IS ? "
            "FROM batch_requests AS b JOIN requests AS r ON r.digest = b.digest WHERE b.number = ?",
            (batch.key, batch.number),
        ).fetchall()


def errors_of(ledger: Ledger, batch: Batch, mark: str) -> dict[str, int]:
    """Return how often each of a batch's requests was released before with a detail that begins with `mark`.

    What was before it was given up is not counted: whoever opens it again wants it tried as anew.
    """
    with ledger.transaction() as connection:
        return dict(
            connection.execute(
                "SELECT b.digest, count(*) FROM batch_requests AS b JOIN attempts AS a ON a.digest = b.digest "
                "WHERE b.number = ? AND a.event = 'released' AND a.backend = ? AND substr(a.detail, 1, ?) = ? "
                "AND a.id > (SELECT coalesce(max(f.id), 0) FROM attempts AS f "
                "WHERE f.digest = b.digest AND f.event = 'failed') GROUP BY b.digest",
                (batch.number, NAME, len(mark), mark),
            ).fetchall()
        )


def holds(ledger: Ledger, batch: Batch, digest: str) -> bool:
    """Tell whether a request is one of this batch."""
    with ledger.transaction() as connection:
        found = connection.execute(
            "SELECT 1 FROM batch_requests WHERE number = ? AND digest = ?", (batch.number, digest)
        ).fetchone()
    return found is not None


def batches_in(ledger: Ledger, *states: str) -> list[Batch]:
    """Return the batches in these states, in the order in which they were meant to be made."""
    marks = ", ".join("?" * len(states))
    with ledger.transaction() as connection:
        rows = connection.execute(
            f"SELECT {COLUMNS} FROM batches WHERE state IN ({marks}) ORDER BY number", states
        ).fetchall()
    return [_batch(row) for row in rows]


def get_batch(ledger: Ledger, number: int) -> Batch:
    """Return the batch of this number."""
    with ledger.transaction() as connection:
        row = connection.execute(f"SELECT {COLUMNS} FROM batches WHERE number = ?", (number,)).fetchone()
    return _batch(row)


def known_ids(ledger: Ledger) -> set[str]:
    """Return the ids of all batches that this ledger ever had."""
    with ledger.transaction() as connection:
        return {name for (name,) in connection.execute("SELECT batch_id FROM batches WHERE batch_id IS NOT NULL")}


def _batch(row: tuple) -> Batch:  # type: ignore[type-arg]
    number, state, batch_id, found, requests, size, usd, before_id, before_at, others, seen, seen_at, at = row
    return Batch(
        number,
        state,
        batch_id,
        bool(found),
        requests,
        size,
        usd,
        Marker(before_id, before_at) if before_id is not None else None,
        tuple(orjson.loads(others)),
        read_seen(orjson.loads(seen)) if seen is not None else None,
        seen_at,
        at,
    )
