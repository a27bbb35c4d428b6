"""Attribute × emotion: how far the margin moves, a table a dataset whose cells are coloured."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from tinyemo_data.audit.report.words import signed, small

ROWS = 24
# A cell's depth of colour, in multiples of the least effect that matters.
DEPTHS = (1, 2, 4)


@dataclass(frozen=True)
class Cell:
    """One pair; `spoken` says for screen readers what colour and marks show."""

    text: str
    depth: int | None  # -3 to 3; None: not tested
    relied: bool  # a dot
    taught: bool  # a ring
    link: str | None  # of its evidence
    spoken: str


@dataclass(frozen=True)
class HeatMap:
    """One dataset's table."""

    dataset: str
    emotions: list[str]
    rows: list[tuple[str, list[Cell]]]
    left_out: int  # attributes that are not shown


def heat_map(slices: pl.DataFrame, dataset: str, limits: dict[str, Any], linked: Sequence[str]) -> HeatMap:
    """Return the table of a dataset: attributes with flagged pairs first, then those of the largest effects.

    `linked` are the slices that have evidence on the page.
    """
    own = slices.filter(pl.col("dataset") == dataset)
    emotions = own["emotion"].unique().sort().to_list()
    order = (
        own.group_by("attribute")
        .agg(flagged=pl.col("flagged").any(), size=pl.col("d").abs().max())
        .drop_nulls("size")
        .sort("flagged", "size", "attribute", descending=[True, True, False])["attribute"]
        .to_list()
    )
    cells = {(row["attribute"], row["emotion"]): row for row in own.iter_rows(named=True)}
    rows = [
        (name, [_cell(cells.get((name, emotion)), limits, linked) for emotion in emotions]) for name in order[:ROWS]
    ]
    return HeatMap(dataset, emotions, rows, max(len(order) - ROWS, 0))


def _cell(row: dict[str, Any] | None, limits: dict[str, Any], linked: Sequence[str]) -> Cell:
    if row is None or row["d"] is None:
        return Cell("–", None, False, False, None, "not tested")
    relied = row["q_model"] is not None and row["q_model"] <= limits["q"]
    taught = row["q_contrast"] is not None and row["q_contrast"] <= limits["q"]
    told = [f"q {small(row['q_model'])}"] if relied else []
    told += ["confirmed by the contrast"] if taught else []
    told += ["flagged"] if row["flagged"] else []
    link = row["slice_id"] if row["flagged"] and row["slice_id"] in linked else None
    return Cell(signed(row["d"]), _depth(row["d"], limits["delta_model"]), relied, taught, link, ", ".join(told))


def _depth(d: float, delta: float) -> int:
    """Return how deep a cell is coloured; 0 within the band that does not matter."""
    size = sum(abs(d) >= step * max(delta, 0.01) for step in DEPTHS)
    return size if d > 0 else -size
