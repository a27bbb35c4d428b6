"""Bias slices and what people decided about them: the audit's table and `audit/review.csv`.

The program finds slices, people decide, and the decision is a file. What nobody decided, or reviewers differ about, is
told on every card, and nothing is published as long as there is such a slice.
"""

from dataclasses import dataclass
from typing import Any

from tinyemo_data.audit.bias.written import SLICES_KEY, read_report, read_slices
from tinyemo_data.audit.review.file import read_file
from tinyemo_data.audit.review.listing import read_listed, shown_slices
from tinyemo_data.audit.review.settling import Settled, rows_by_slice, settle
from tinyemo_data.audit.review.terms import ACCEPTED, REVIEW_KEY
from tinyemo_data.audit.review.validation import check_review
from tinyemo_data.store import Store

MITIGATED_KEY = "audit/mitigated.json"
SOURCES = (SLICES_KEY, REVIEW_KEY, MITIGATED_KEY)  # what cards tell of
NO_AUDIT = "No bias audit was run on the models of this release: nothing is known of what they lean on."
OF_ANOTHER = "The bias audit at hand is of another projector: nothing is known of what this one leans on."


@dataclass(frozen=True)
class Slice:
    """One flagged pair of an attribute and an emotion."""

    slice_id: str
    dataset: str  # that it was found on
    attribute: str
    emotion: str
    effect: float | None  # d: in standard deviations of the emotion's margin; null where it was not measured
    low: float | None  # 95 % interval
    high: float | None
    q: float | None  # Benjamini-Hochberg
    pictures: int | None
    settled: Settled | None  # None: undecided

    @property
    def decision(self) -> str | None:
        """What was decided; None: nothing."""
        return None if self.settled is None else self.settled.decision


@dataclass(frozen=True)
class Biases:
    """All flagged slices, the strongest first. `why_not` says why none are known, where there was no audit."""

    slices: list[Slice]
    why_not: str | None = None
    mitigated: int = 0  # accepted slices that a second projector, not this release's, learnt to do without

    @property
    def undecided(self) -> list[Slice]:
        """Those that nobody decided."""
        return [one for one in self.slices if one.decision is None]

    @property
    def accepted(self) -> list[Slice]:
        """Those that people found real and live with."""
        return [one for one in self.slices if one.decision == ACCEPTED]

    @property
    def others(self) -> list[Slice]:
        """Those that people decided otherwise."""
        return [one for one in self.slices if one.decision not in (None, ACCEPTED)]


def read_biases(store: Store, model_digest: str | None = None) -> Biases:
    """Read the flagged slices with their decisions; with a digest, those of that projector alone.

    Raises StoreError where the audit was cut short, ReviewError where the review file can't be followed.
    """
    if not store.exists(SLICES_KEY):
        return Biases([], NO_AUDIT)
    table, report = read_slices(store), read_report(store)
    if model_digest is not None and report.get("model_digest") != model_digest:
        return Biases([], OF_ANOTHER)
    review, shown = read_file(store), read_listed(store) | shown_slices(table)
    check_review(review, {name: one.pair for name, one in shown.items()}, str(store.path(REVIEW_KEY)))
    decided = {name: settle(name, rows) for name, rows in rows_by_slice(review).items()}
    flagged = table.filter("flagged").sort("rank", "slice_id", nulls_last=True)
    slices = [_slice(row, decided.get(row["slice_id"])) for row in flagged.to_dicts()]
    return Biases(slices, mitigated=_mitigated(store, report["model_digest"]))


def _mitigated(store: Store, model_digest: str) -> int:
    told = store.read_json(MITIGATED_KEY) if store.exists(MITIGATED_KEY) else {}
    return int(told["to_reweight"]) if told.get("model_before") == model_digest else 0


def _slice(row: dict[str, Any], settled: Settled | None) -> Slice:
    shown = ("slice_id", "dataset", "attribute", "emotion", "pictures")
    return Slice(
        **{name: row[name] for name in shown}, effect=row["d"], low=row["d_low"], high=row["d_high"], q=row["q_bh"],
        settled=settled,
    )  # fmt: skip
