"""Bias slices and what people decided about them: `audit/slices.parquet` and `audit/review.csv`.

The program finds slices, a person decides, and the decision is a file. What nobody decided is told on every card, and
nothing is published as long as there is such a slice.
"""

import io
from dataclasses import dataclass

import polars as pl

from tinyemo_data.errors import StagingError
from tinyemo_data.store import Store

SLICES_KEY = "audit/slices.parquet"
REVIEW_KEY = "audit/review.csv"
DECISIONS = ("accepted_bias", "legitimate_cue", "label_problem", "not_reproducible")
UNSURE = "unsure"
ACCEPTED = DECISIONS[0]


@dataclass(frozen=True)
class Slice:
    """One flagged pair of an attribute and an emotion."""

    slice_id: str
    attribute: str
    emotion: str
    effect: float | None  # d: in standard deviations of the emotion's margin; null where it was not measured
    low: float | None  # 95 % interval
    high: float | None
    q: float | None  # Benjamini-Hochberg
    pictures: int | None
    decision: str | None  # of DECISIONS; None: undecided
    severity: str
    reason: str
    action: str


@dataclass(frozen=True)
class Biases:
    """All flagged slices, the strongest first. `audited` is false where no audit was run."""

    audited: bool
    slices: list[Slice]

    @property
    def undecided(self) -> list[Slice]:
        """Those that nobody decided."""
        return [one for one in self.slices if one.decision is None]

    @property
    def accepted(self) -> list[Slice]:
        """Those that a person found real and lives with."""
        return [one for one in self.slices if one.decision == ACCEPTED]

    @property
    def others(self) -> list[Slice]:
        """Those that a person decided otherwise."""
        return [one for one in self.slices if one.decision not in (None, ACCEPTED)]


def read_biases(store: Store) -> Biases:
    """Read the flagged slices with their decisions. Raises StagingError where one of the files is not as it should be.

    A slice without a row, with an empty decision or with `unsure` is undecided.
    """
    if not store.exists(SLICES_KEY):
        return Biases(False, [])
    table = store.read_table(SLICES_KEY)
    needed = {"slice_id", "attribute", "emotion"}
    if not needed <= set(table.columns):
        raise StagingError(
            f"{store.path(SLICES_KEY)} lacks {', '.join(sorted(needed - set(table.columns)))}. Materialize audit/bias "
            "again."
        )
    if "flagged" in table.columns:
        table = table.filter(pl.col("flagged"))
    if "rank" in table.columns:
        table = table.sort("rank", "slice_id", nulls_last=True)
    reviews = _read_reviews(store)
    return Biases(True, [_slice(row, reviews.get(row["slice_id"], {})) for row in table.to_dicts()])


def _slice(row: dict[str, object], review: dict[str, str]) -> Slice:
    def number(name: str) -> float | None:
        value = row.get(name)
        return None if value is None else float(str(value))

    pictures = number("pictures")
    decision = review.get("decision", "")
    return Slice(
        str(row["slice_id"]),
        str(row["attribute"]),
        str(row["emotion"]),
        number("d"),
        number("d_low"),
        number("d_high"),
        number("q_bh"),
        None if pictures is None else int(pictures),
        decision if decision in DECISIONS else None,
        review.get("severity", ""),
        review.get("reason", ""),
        review.get("action", ""),
    )


def _read_reviews(store: Store) -> dict[str, dict[str, str]]:
    """Return each slice's review, the last row of several; unknown decisions are an error, not undecided."""
    if not store.exists(REVIEW_KEY):
        return {}
    content = store.read_bytes(REVIEW_KEY)
    try:
        table = pl.read_csv(io.BytesIO(content), infer_schema=False)
    except pl.exceptions.NoDataError:
        return {}
    except pl.exceptions.PolarsError as exc:
        raise StagingError(f"{store.path(REVIEW_KEY)} is no CSV table ({exc}). Mend it.") from exc
    missing = [name for name in ("slice_id", "decision") if name not in table.columns]
    if missing:
        raise StagingError(f"{store.path(REVIEW_KEY)} has no column '{missing[0]}'. It needs slice_id and decision.")
    rows = [{name: (value or "").strip() for name, value in row.items()} for row in table.to_dicts()]
    for number, row in enumerate(rows, 2):
        if row["decision"] not in (*DECISIONS, UNSURE, ""):
            raise StagingError(
                f"{store.path(REVIEW_KEY)}, line {number}: the decision is '{row['decision']}'; expected one of "
                f"{', '.join((*DECISIONS, UNSURE))}, or nothing as long as nobody decided."
            )
    return {row["slice_id"]: row for row in rows}
