"""`audit/review.json`: what was decided, what was not, and what is to be looked at again. Mitigation reads it.

It names the slices and the review file that it was made of by their digests: decisions about another audit, or
an edited file that nobody read again, are no decisions.
"""

from dataclasses import asdict, dataclass
from typing import Any

from tinyemo_data.audit.bias.written import SLICES_KEY
from tinyemo_data.audit.review.agreement import Agreement
from tinyemo_data.audit.review.settling import Settled
from tinyemo_data.audit.review.terms import ACCEPTED, REVIEW_KEY, REWEIGHT
from tinyemo_data.errors import ReviewError
from tinyemo_data.store import Store

STATE_KEY = "audit/review.json"


@dataclass(frozen=True)
class Moved:
    """A decided slice whose effect is not what it was when it was decided."""

    slice_id: str
    was: float | None  # d
    low: float | None  # 95 % interval of that time
    high: float | None
    now: float | None


@dataclass(frozen=True)
class ReviewState:
    """The review of one audit. Ids of flagged slices are by rank."""

    flagged: int
    undecided: list[str]  # nobody decided, or somebody is unsure, or reviewers differ
    disputed: list[str]  # of the undecided: reviewers differ
    settled: list[Settled]  # slices of this audit, flagged or not
    moved: list[Moved]
    no_longer_flagged: list[str]  # decided, and not flagged by this audit
    earlier: list[str]  # decided slices of earlier audits: kept, without effect
    agreement: list[Agreement]
    second_look: list[str]  # slices that a second person is asked to decide about
    slices_sha256: str
    review_sha256: str

    @property
    def to_reweight(self) -> list[Settled]:
        """The accepted biases that somebody wants weighed away."""
        return [one for one in self.settled if (one.decision, one.action) == (ACCEPTED, REWEIGHT)]


def write_state(store: Store, state: ReviewState) -> None:
    """Write the state."""
    store.write_json(STATE_KEY, asdict(state))


def read_state(store: Store) -> ReviewState:
    """Return the state. Raises ReviewError where it is of another audit or another review file than there is now."""
    value: dict[str, Any] = store.read_json(STATE_KEY)
    for key, name in ((SLICES_KEY, "slices_sha256"), (REVIEW_KEY, "review_sha256")):
        if not store.exists(key) or store.digest(key) != value.get(name):
            raise ReviewError(
                f"{store.path(STATE_KEY)} was made of another {key} than there is now. Materialize audit/review again."
            )
    lists = {"settled": Settled, "moved": Moved, "agreement": Agreement}
    try:
        told = {name: [kind(**row) for row in value[name]] for name, kind in lists.items()}
        return ReviewState(**(value | told))
    except (TypeError, KeyError) as exc:
        raise ReviewError(
            f"{store.path(STATE_KEY)} is not as it was written ({exc!r}). Materialize audit/review again."
        ) from exc
