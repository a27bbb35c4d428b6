"""Evidence: of each flagged slice its figures in sentences, its pictures and their controls."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from tinyemo_data.audit.bias.evidence import Evidence
from tinyemo_data.audit.report.words import interval, pair, plural, signed, small
from tinyemo_data.audit.review.state import ReviewState
from tinyemo_data.audit.review.terms import ACCEPTED

PANELS = 20
WORDS = {
    "accepted_bias": "accepted as a bias",
    "legitimate_cue": "a legitimate cue",
    "label_problem": "a problem of the labels",
    "not_reproducible": "not reproducible",
}


@dataclass(frozen=True)
class Thumbnail:
    """A picture, what it shows for those who do not see it, and its caption."""

    uri: str | None
    alt: str
    caption: str


@dataclass(frozen=True)
class Panel:
    """One flagged slice."""

    slice_id: str
    title: str
    dataset: str
    facts: list[str]
    decision: str
    is_open: bool
    moved: str | None
    examples: list[Thumbnail]
    controls: list[Thumbnail]


def flagged_rows(slices: pl.DataFrame) -> list[dict[str, Any]]:
    """Return the flagged slices that have a panel, by rank."""
    return slices.filter(pl.col("flagged")).sort("rank").head(PANELS).to_dicts()


def panel(
    row: dict[str, Any],
    evidence: Evidence | None,
    shown: Mapping[str, tuple[str, str | None]],
    state: ReviewState | None,
) -> Panel:
    """Return the panel of a slice; `shown` are thumbnails by sample id."""
    decision, is_open = _decision(row["slice_id"], state)
    examples, controls = (evidence.examples, evidence.controls) if evidence else ([], [])
    error = f"taken for {row['emotion']}"
    return Panel(
        row["slice_id"],
        pair(row),
        row["dataset"],
        _facts(row),
        decision,
        is_open,
        _moved(row["slice_id"], state),
        [_thumbnail(one, shown, f"with “{row['attribute']}”, {error}") for one in examples],
        [_thumbnail(one, shown, f"without “{row['attribute']}”") for one in controls],
    )


def _facts(row: dict[str, Any]) -> list[str]:
    low, high = (
        row[f"d_boot_{end}"] if row[f"d_boot_{end}"] is not None else row[f"d_{end}"] for end in ("low", "high")
    )
    facts = [
        f"Where “{row['attribute']}” is there, the margin for {row['emotion']} of pictures with other labels moves by "
        f"d = {signed(row['d'])} standard deviations (95 % interval {interval(low, high)}; "
        f"{plural(row['audit_with'], 'picture')} with it, {row['audit_without']:,} without).",
    ]
    if row["rd_pp"] is not None:
        often = "more" if row["rd_pp"] >= 0 else "less"
        facts.append(
            f"{row['emotion'].capitalize()} is predicted {abs(row['rd_pp']):.0f} percentage points {often} often "
            f"(interval {interval(row['rd_pp_low'], row['rd_pp_high'], 0)})."
        )
    if row["d_contrast"] is not None:
        ends = interval(row["contrast_boot_low"], row["contrast_boot_high"])
        facts.append(
            f"Beside a projector that learnt from re-weighted labels, the margin lies {signed(row['d_contrast'])} "
            f"(interval {ends}; q {small(row['q_contrast'])}): so much the training labels taught."
        )
        if low is not None and low <= 0:
            facts.append("All in all the model does not surely lean that way: the interval of d holds zero.")
    if row["log_or"] is not None:
        share = row["train_with"] / max(row["train_with"] + row["train_without"], 1)
        elsewhere = row["train_elsewhere_with"] / max(row["train_elsewhere_with"] + row["train_elsewhere_without"], 1)
        facts.append(
            f"In training, {100 * share:.0f} % of {row['emotion']} pictures have it and {100 * elsewhere:.0f} % of all "
            f"others (log odds ratio {signed(row['log_or'])})."
        )
    return [*facts, f"Where it seems to come from: {row['origin']}. The decision’s q is {small(row['q_bh'])}."]


def _decision(slice_id: str, state: ReviewState | None) -> tuple[str, bool]:
    settled = next((one for one in state.settled if one.slice_id == slice_id), None) if state else None
    if settled is None:
        disputed = state is not None and slice_id in state.disputed
        return ("Undecided: the reviewers differ." if disputed else "Undecided."), True
    severity = f", severity {settled.severity} of 3" if settled.severity else ""
    action = f", action {settled.action}" if settled.decision == ACCEPTED else ""
    who = " and ".join(settled.reviewers)
    return f"Decided: {WORDS[settled.decision]}{severity}{action}, by {who}. {settled.reason}", False


def _moved(slice_id: str, state: ReviewState | None) -> str | None:
    moved = next((one for one in state.moved if one.slice_id == slice_id), None) if state else None
    if moved is None:
        return None
    return (
        f"Since it was decided the effect moved from {signed(moved.was)} ({interval(moved.low, moved.high)}) to "
        f"{signed(moved.now)}: look again."
    )


def _thumbnail(sample_id: str, shown: Mapping[str, tuple[str, str | None]], what: str) -> Thumbnail:
    label, uri = shown.get(sample_id, ("unknown", None))
    return Thumbnail(uri, f"{sample_id}: labelled {label}, {what}", label)
