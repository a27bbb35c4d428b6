"""Forest plot: each top slice's reliance and contrast side by side, with their intervals."""

from dataclasses import dataclass
from typing import Any

import polars as pl

from tinyemo_data.audit.report.scale import Scale, scale_over
from tinyemo_data.audit.report.words import interval, pair, signed

TOP, WIDEST = 20, 4.0  # beyond that an axis would hide all others
Z95 = 1.959964


@dataclass(frozen=True)
class Mark:
    """An estimate with its 95 % interval, in per cent of the row's width."""

    at: float
    low: float
    high: float
    text: str


@dataclass(frozen=True)
class Line:
    """One slice."""

    name: str
    dataset: str
    link: str | None
    flagged: bool
    model: Mark | None
    contrast: Mark | None


@dataclass(frozen=True)
class Forest:
    """The plot: rows and the axis that they share."""

    lines: list[Line]
    ticks: list[tuple[float, str]]
    zero: float
    band: tuple[float, float]  # start and width of the effects that do not matter


def top_slices(slices: pl.DataFrame) -> pl.DataFrame:
    """Return the flagged slices by rank, and after them those with the highest lower end of d, TOP in all."""
    told = slices.filter(pl.col("d").is_not_null())
    order = {"rank": False, "d_low": True, "slice_id": False}
    return told.sort(list(order), descending=list(order.values()), nulls_last=True).head(TOP)


def forest(slices: pl.DataFrame, delta: float, linked: list[str]) -> Forest:
    """Return the plot of the top slices; `linked` are those that have evidence on the page."""
    rows = top_slices(slices).to_dicts()
    ends = [end for row in rows for mark in (_model(row), _contrast(row)) for end in mark if end is not None]
    scale = scale_over([min(max(end, -WIDEST), WIDEST) for end in ends], 1, 99)
    lines = [
        Line(
            pair(row),
            row["dataset"],
            row["slice_id"] if row["slice_id"] in linked else None,
            row["flagged"],
            _mark(_model(row), scale),
            _mark(_contrast(row), scale),
        )
        for row in rows
    ]
    ticks = [(scale.at(tick), f"{tick:g}".replace("-", "−")) for tick in scale.ticks(6)]
    start = scale.at(-delta)
    return Forest(lines, ticks, scale.at(0), (start, round(scale.at(delta) - start, 2)))


def _model(row: dict[str, Any]) -> tuple[float | None, float | None, float | None]:
    booted = row["d_boot_low"] is not None
    return row["d"], row["d_boot_low" if booted else "d_low"], row["d_boot_high" if booted else "d_high"]


def _contrast(row: dict[str, Any]) -> tuple[float | None, float | None, float | None]:
    d, error = row["d_contrast"], row["contrast_se"]
    if row["contrast_boot_low"] is not None:
        return d, row["contrast_boot_low"], row["contrast_boot_high"]
    return (None, None, None) if d is None else (d, d - Z95 * error, d + Z95 * error)


def _mark(values: tuple[float | None, float | None, float | None], scale: Scale) -> Mark | None:
    d, low, high = values
    if d is None or low is None or high is None:
        return None
    return Mark(scale.at(d), scale.at(low), scale.at(high), f"{signed(d)} ({interval(low, high)})")
