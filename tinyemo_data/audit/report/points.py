"""Two clouds of all pairs: training labels against the model's reliance, and the volcano."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from tinyemo_data.audit.report.scale import Scale, scale_over
from tinyemo_data.audit.report.words import pair, signed, small

MOST = 3000  # points of one cloud; the others lie in the middle
LEAST_P = 1e-12
LEFT, RIGHT, TOP, BOTTOM = 9.0, 98.0, 8.0, 88.0  # per cent

Value = Callable[[dict[str, Any]], float]


@dataclass(frozen=True)
class Point:
    """One pair, in per cent of the plot."""

    x: float
    y: float
    flagged: bool
    text: str


@dataclass(frozen=True)
class Cloud:
    """The plot; `band` is a shaded part of the x axis or None, `across` a level on y or None."""

    points: list[Point]
    x_ticks: list[tuple[float, str]]
    y_ticks: list[tuple[float, str]]
    x_zero: float
    y_zero: float
    band: tuple[float, float] | None
    across: float | None
    left_out: int
    label: str  # what a screen reader is told


def association_cloud(slices: pl.DataFrame, limits: dict[str, Any]) -> Cloud:
    """Return log odds ratio of the training labels against d."""
    rows = slices.drop_nulls(["log_or", "d"]).to_dicts()
    both = sum(row["log_or"] > math.log(limits["odds_ratio"]) and row["d"] > limits["delta_model"] for row in rows)
    label = (
        f"Scatter plot of {len(rows)} pairs: log odds ratio of the training labels against d. {both} lie in the upper "
        "right, where labels associate the pair and the model relies on it."
    )
    return _cloud(rows, lambda row: float(row["log_or"]), lambda row: float(row["d"]), label)


def volcano(slices: pl.DataFrame, limits: dict[str, Any]) -> Cloud:
    """Return d against -log10 of its p, with the band of effects that do not matter."""
    rows = slices.drop_nulls(["d", "p_model"]).to_dicts()
    sure = [row["p_model"] for row in rows if row["q_model"] is not None and row["q_model"] <= limits["q"]]
    label = (
        f"Volcano plot of {len(rows)} pairs: d against the strength of the evidence that it exceeds "
        f"{limits['delta_model']:g}. {len(sure)} are beyond it at a false discovery rate of {limits['q']:g}."
    )
    delta = limits["delta_model"]
    return _cloud(rows, lambda row: float(row["d"]), _strength, label, delta, max(sure, default=None))


def _cloud(
    rows: Sequence[dict[str, Any]], x: Value, y: Value, label: str, delta: float | None = None, p: float | None = None
) -> Cloud:
    kept = sorted(rows, key=lambda row: (not row["flagged"], -abs(row["d"]), row["slice_id"]))[:MOST]
    horizontal = scale_over([x(row) for row in kept], LEFT, RIGHT)
    upright = scale_over([y(row) for row in kept], BOTTOM, TOP, least=0.5)
    points = [
        Point(horizontal.at(x(row)), upright.at(y(row)), row["flagged"], _text(row)) for row in reversed(kept)
    ]  # fmt: skip
    band = None
    if delta is not None:
        start = horizontal.at(-delta)
        band = (start, round(horizontal.at(delta) - start, 2))
    return Cloud(
        points,
        _ticks(horizontal),
        _ticks(upright),
        horizontal.at(0),
        upright.at(0),
        band,
        None if p is None else upright.at(-math.log10(max(p, LEAST_P))),
        len(rows) - len(kept),
        label,
    )


def _strength(row: dict[str, Any]) -> float:
    return -math.log10(max(float(row["p_model"]), LEAST_P))


def _ticks(scale: Scale) -> list[tuple[float, str]]:
    return [(scale.at(tick), f"{tick:g}".replace("-", "−")) for tick in scale.ticks(7)]


def _text(row: dict[str, Any]) -> str:
    odds = "" if row["log_or"] is None else f", log odds ratio {signed(row['log_or'])}"
    return f"{pair(row)} ({row['dataset']}): d {signed(row['d'])}{odds}, p {small(row['p_model'])}"
