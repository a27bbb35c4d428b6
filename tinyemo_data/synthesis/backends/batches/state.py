"""Batches under way, for people and for sensors; read from the ledger alone."""

from dataclasses import dataclass
from datetime import UTC, datetime

from tinyemo_data.synthesis.backends.batches.batch import UNDER_WAY, Batch, batches_in
from tinyemo_data.synthesis.ledger import Ledger

LEAVING, DOUBTFUL, UNSEEN, GONE = "leaving", "in_doubt", "unseen", "gone"
KEPT_DAYS = 29


@dataclass(frozen=True, slots=True)
class BatchState:
    """A batch that is not collected yet. Times are RFC 3339."""

    number: int
    batch_id: str | None  # None while it is in doubt
    status: str  # in_progress, canceling or ended, as the service says; leaving, in_doubt, unseen or gone
    requests: int
    counts: dict[str, int]  # processing, succeeded, errored, canceled, expired; all processing until the end
    at_risk_usd: float  # the most that it can cost
    intended_at: str
    created_at: str | None
    expires_at: str | None
    ended_at: str | None
    looked_at: str | None  # when this was so
    trouble: str = ""  # why the last look failed, where it did

    @property
    def has_ended(self) -> bool:
        """Tell whether its results can be collected."""
        return self.status == "ended"

    @property
    def is_gone(self) -> bool:
        """Tell whether the service no longer has its results."""
        return self.status == GONE

    @property
    def is_in_doubt(self) -> bool:
        """Tell whether it is not known if it was made; whoever holds the lock finds that out."""
        return self.status in (LEAVING, DOUBTFUL)

    def hours_since(self, now: datetime) -> float:
        """Return the hours since it was made."""
        return (now - datetime.fromisoformat(self.created_at or self.intended_at)).total_seconds() / 3600

    def hours_left(self, now: datetime) -> float | None:
        """Return the hours until what is not done expires; None where that is not known."""
        if self.expires_at is None:
            return None
        return (datetime.fromisoformat(self.expires_at) - now).total_seconds() / 3600


def state_of(batch: Batch, status: str | None = None, trouble: str = "") -> BatchState:
    """Return a batch's state as the ledger knows it."""
    seen = batch.seen
    if batch.batch_id is None:
        known = LEAVING if batch.state == "intended" else DOUBTFUL
    elif seen is not None and seen.archived_at is not None:
        known = GONE
    else:
        known = seen.status if seen else UNSEEN
    return BatchState(
        batch.number,
        batch.batch_id,
        status or known,
        batch.requests,
        seen.counts if seen else {},
        batch.reserved_usd,
        batch.intended_at,
        seen.created_at if seen else None,
        seen.expires_at if seen else None,
        seen.ended_at if seen else None,
        batch.seen_at,
        trouble,
    )


def states(ledger: Ledger) -> list[BatchState]:
    """Return the batches that are not collected, as they were at the last look."""
    return [state_of(batch) for batch in batches_in(ledger, *UNDER_WAY)]


def describe(found: list[BatchState], now: datetime | None = None) -> str:
    """Return a line for people a batch: since when, how many requests, until when, and dollars at risk."""
    if not found:
        return "No batch is under way."
    moment = now or datetime.now(UTC)
    return "\n".join(_line(state, moment) for state in found)


def _line(state: BatchState, now: datetime) -> str:
    name = state.batch_id or f"batch {state.number}"
    parts = [f"{name}: {_status(state)}", f"{state.requests:,} requests", f"made {state.hours_since(now):.1f} h ago"]
    if state.has_ended:
        parts.append(", ".join(f"{count:,} {kind}" for kind, count in state.counts.items() if count))
    elif not state.is_gone and (left := state.hours_left(now)) is not None:
        parts.append(f"expires in {left:.1f} h" if left > 0 else "should have ended by now")
    parts.append(f"at most ${state.at_risk_usd:,.4f} at risk")
    return "; ".join(parts) + (f" (the last look failed: {state.trouble})" if state.trouble else "")


def _status(state: BatchState) -> str:
    words = {
        LEAVING: "on its way to the service, or was never sent whole (submitting again finds out)",
        DOUBTFUL: "sent, without a reply yet (where no process waits for it, submitting or collecting again finds out)",
        "ended": "ended, waits to be collected",
        GONE: "no longer kept by the service",
    }
    return words.get(state.status, state.status.replace("_", " "))


def describe_gone(batch: Batch) -> str:
    """Return what to do about a batch whose results can't be had any more."""
    return (
        f"The service no longer has the results of {batch.batch_id} ({batch.requests:,} requests, meant to be made "
        f"{batch.intended_at}): it keeps them for {KEPT_DAYS} days, and what was answered was billed. Its requests are "
        f"not asked again by themselves; to have them open again (at most ${batch.reserved_usd:,.2f} more), give the "
        f"batch up: tinyemo batches --abandon {batch.batch_id}."
    )
