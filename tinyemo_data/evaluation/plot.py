"""The report at a glance: top-1 with intervals a method, and the ensemble's confusion, one band a dataset."""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tinyemo_data.evaluation.naming import METHOD_TITLES
from tinyemo_data.evaluation.paper import title
from tinyemo_data.evaluation.report import ClassificationReport
from tinyemo_data.evaluation.row import Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DOTS_PER_INCH = 100
WIDTH = 8.0  # inches: the 800 pixels that Dagster shows of a picture in metadata
BAND_HEIGHT = 3.3  # inches a dataset
HEADER_HEIGHT = 0.42  # inches

ACCENT, QUIET, INK, GRID, WARNING = "#2563a8", "#767c86", "#22262b", "#e6e8eb", "#b3261e"
CELLS, CELL_STEPS, SHADES = "Blues", 40, 9  # colour map of the confusion; steps kept of it and of each colour
ORDER = ("projector_ensemble", "projector", "logistic", "nearest_class_mean", "majority")
MANY_LABELS = 12  # from here on cells are too small for numbers


def render_plot(report: ClassificationReport) -> bytes:
    """Return a PNG, 800 pixels wide; equal reports give equal bytes (no time and no version is written)."""
    import matplotlib.style
    from matplotlib.figure import Figure

    datasets = list(dict.fromkeys(row.dataset for row in report.rows))
    # The person's own matplotlibrc must not change a report.
    with matplotlib.style.context("default"), matplotlib.rc_context({"font.size": 8.5, "text.color": INK}):
        height = HEADER_HEIGHT + BAND_HEIGHT * max(len(datasets), 1)
        figure = Figure(figsize=(WIDTH, height), dpi=DOTS_PER_INCH, facecolor="white")
        _draw_header(figure, report, height)
        for band, dataset in enumerate(datasets):
            _draw_band(figure, [row for row in report.rows if row.dataset == dataset], band, height)
        return _encode(figure)


def _encode(figure: "Figure") -> bytes:
    """Return the figure as a PNG with the fixed palette: a quarter of the size, and no colour is lost."""
    from PIL import Image

    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", metadata={"Software": None})
    swatch = Image.new("P", (1, 1))
    swatch.putpalette(_palette())
    picture = Image.open(drawn).convert("RGB").quantize(palette=swatch, dither=Image.Dither.NONE)
    packed = io.BytesIO()
    picture.save(packed, format="png", optimize=True)
    return packed.getvalue()


def _palette() -> list[int]:
    """Return RGB bytes: each colour's way to white in steps (smooth edges), and the confusion's blues."""
    from matplotlib import colormaps
    from matplotlib.colors import to_rgb

    way = np.linspace(0, 1, SHADES)[:, None]
    ramps = [way + (1 - way) * np.array(to_rgb(colour)) for colour in (INK, QUIET, ACCENT, WARNING)]
    blues = colormaps[CELLS].resampled(CELL_STEPS)(np.arange(CELL_STEPS))[:, :3]
    colours = np.unique(np.rint(255 * np.concatenate([*ramps, [to_rgb(GRID)], blues])).astype(int), axis=0)
    return [int(value) for value in colours.flatten()]


def _draw_header(figure: "Figure", report: ClassificationReport, height: float) -> None:
    context = report.context
    y = 1 - 0.22 / height
    figure.text(0.015, y, "Top-1 and confusion", fontsize=11, fontweight="bold", va="center")
    drawn = context["pictures"] == "drawn"
    words = "drawn pictures: nothing here compares with photographs" if drawn else context["encoder"]
    figure.text(0.985, y, words, color=WARNING if drawn else QUIET, ha="right", va="center")


def _draw_band(figure: "Figure", rows: Sequence[Row], band: int, height: float) -> None:
    """Draw one dataset: its title, dots at the left, the ensemble's confusion at the right."""
    top = height - HEADER_HEIGHT - band * BAND_HEIGHT
    ensemble = next(row for row in rows if row.method == "projector_ensemble" and not row.twins_removed)
    name = f"{title(ensemble.dataset)} · {ensemble.split} · N = {ensemble.n}"
    y = (top - 0.15) / height
    figure.text(0.015, y, name, fontsize=9.5, fontweight="bold", va="center")
    figure.text(0.985, y, "ensemble: % of each true label's pictures", color=QUIET, ha="right", va="center")
    bottom, tall = (top - BAND_HEIGHT + 0.72) / height, (BAND_HEIGHT - 1.06) / height
    _draw_dots(figure.add_axes((0.175, bottom, 0.33, tall)), rows)
    # As wide as tall in inches, so that cells are square.
    _draw_confusion(figure.add_axes((0.702, bottom, tall * height / WIDTH, tall)), ensemble)


def _draw_dots(axes: "Axes", rows: Sequence[Row]) -> None:
    """Draw a line a method: its top-1 with interval, its seeds as small dots, hollow without twins."""
    methods = [method for method in ORDER if any(row.method == method for row in rows)]
    for line, method in enumerate(methods):
        for row in rows:
            if row.method == method:
                _draw_row(axes, row, line)
    axes.set_yticks(range(len(methods)), [METHOD_TITLES[method] for method in methods])
    axes.set_ylim(len(methods) - 0.4, -0.6)
    axes.set_xlim(0, 100)
    hollow = "; hollow: without twins" if any(row.twins_removed for row in rows) else ""
    axes.set_xlabel(f"top-1 %, 95 % interval; small: one seed{hollow}", color=QUIET)
    axes.grid(axis="x", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    _strip(axes)


def _draw_row(axes: "Axes", row: Row, line: int) -> None:
    color = ACCENT if row.method.startswith("projector") else QUIET
    if row.twins_removed and row.seed is None:
        _draw_interval(axes, row, line + 0.26, color, hollow=True)
    elif not row.twins_removed and row.seed is None:
        _draw_interval(axes, row, line, color, hollow=False)
        deviation = f" ± {100 * row.top1_sd:.1f}" if row.top1_sd is not None else ""
        axes.text(102.5, line, f"{100 * row.top1:.1f}{deviation}", va="center", color=INK)
    elif row.seed is not None and not row.twins_removed:
        axes.plot(100 * row.top1, line - 0.26, "o", color=color, alpha=0.6, markersize=2.6, markeredgewidth=0)


def _draw_interval(axes: "Axes", row: Row, y: float, color: str, hollow: bool) -> None:
    axes.plot([100 * end for end in row.ci95], [y, y], color=color, linewidth=1.0 if hollow else 1.8)
    face, size = ("white", 4.5) if hollow else (color, 6.5)
    axes.plot(100 * row.top1, y, "o", color=color, markerfacecolor=face, markersize=size)


def _draw_confusion(axes: "Axes", row: Row) -> None:
    """Draw shares of each true label's pictures; a label that no picture has is an empty line."""
    from matplotlib import colormaps

    counts = np.array(row.confusion, dtype=float)
    support = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, support, out=np.zeros_like(counts), where=support > 0)
    axes.imshow(shares, cmap=colormaps[CELLS].resampled(CELL_STEPS), vmin=0, vmax=1)
    many = len(row.labels) >= MANY_LABELS
    size, turn = (5.5, 90) if many else (7.5, 40)
    axes.set_yticks(range(len(row.labels)), row.labels, fontsize=size)
    axes.set_xticks(range(len(row.labels)), row.labels, fontsize=size, rotation=turn, ha="right")
    for label in axes.get_xticklabels():
        label.set(rotation_mode="anchor", va="center" if many else "top")
    axes.set_ylabel("true", color=QUIET)
    axes.set_xlabel("predicted", color=QUIET, labelpad=1)
    _strip(axes)
    if not many:
        _draw_numbers(axes, shares)


def _draw_numbers(axes: "Axes", shares: npt.NDArray[np.float64]) -> None:
    for true, predicted in np.argwhere(shares >= 0.005):
        share = shares[true, predicted]
        color = "white" if share > 0.5 else INK
        axes.text(predicted, true, f"{100 * share:.0f}", ha="center", va="center", fontsize=7, color=color)


def _strip(axes: "Axes") -> None:
    """Leave out ticks and frame: the dots and cells are enough."""
    axes.tick_params(length=0, pad=3, colors=INK)
    for side in axes.spines.values():
        side.set_visible(False)
