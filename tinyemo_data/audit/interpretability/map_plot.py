"""The map as a picture: all pictures with their prototypes, then one panel an emotion with its words."""

import io
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from tinyemo_data.charts import COLOURS, DPI, to_png

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PICTURE, PROTOTYPE = "picture", "prototype"
WIDTH = 8.0  # inches: the 800 pixels that Dagster shows of a picture in metadata
MAP_HEIGHT, PANEL_HEIGHT, HEADER = 4.6, 2.25, 0.5  # inches
COLUMNS, PANELS = 4, 12
MARKERS = ("o", "s", "^")
INK, QUIET, FAINT, WARNING = "#22262b", "#767c86", "#dfe2e6", "#b3261e"
YELLOW = "#F0E442"  # too pale on white
MORE = ("#7B4FA3", "#8C510A", "#7A8B00")
COLOURS_TOLD_APART = (*(colour for colour in COLOURS if colour != YELLOW), *MORE)

Style = tuple[str, str]


def render_map(
    coordinates: pl.DataFrame,
    words: Mapping[str, Sequence[str]],
    shares: tuple[float, float],
    drawn: bool,
) -> bytes:
    """Return a PNG, 800 pixels wide; equal input gives equal bytes.

    `coordinates` has `kind` (picture or prototype), `emotion`, `x`, `y`. Emotions with the most pictures, PANELS at
    most, get a colour and a panel, if `words` names them: words that are written below the panel; `shares` are those
    of the variance along each axis.
    """
    import matplotlib.style

    emotions = _panelled(coordinates, words)
    rows = -(-len(emotions) // COLUMNS)
    height = HEADER + MAP_HEIGHT + rows * PANEL_HEIGHT
    # The person's own matplotlibrc must not change a report.
    with matplotlib.style.context("default"), matplotlib.rc_context({"font.size": 8.5, "text.color": INK}):
        figure = _new(height)
        _draw_header(figure, height, drawn)
        styles = {name: _style(place) for place, name in enumerate(emotions)}
        bottom = (rows * PANEL_HEIGHT + 0.58) / height
        _draw_map(figure.add_axes((0.07, bottom, 0.91, (MAP_HEIGHT - 0.58) / height)), coordinates, styles, shares)
        caption = "Each emotion's pictures, and the words (labels left out) that set them apart:"
        figure.text(0.015, (rows * PANEL_HEIGHT + 0.04) / height, caption if rows else "", color=QUIET, va="center")
        for place, name in enumerate(emotions):
            top = (rows - place // COLUMNS) * PANEL_HEIGHT / height
            left = 0.015 + (place % COLUMNS) * 0.985 / COLUMNS
            box = (left, top - 1.72 / height, 0.97 / COLUMNS - 0.015, 1.45 / height)
            _draw_panel(figure.add_axes(box), coordinates, name, styles[name], words.get(name, ()))
        return _pack(to_png(figure))


def _panelled(coordinates: pl.DataFrame, words: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the emotions that are told apart, in alphabetical order."""
    pictures = coordinates.filter((pl.col("kind") == PICTURE) & pl.col("emotion").is_in(list(words)))
    counts = pictures.group_by("emotion").len().sort(["len", "emotion"], descending=[True, False])
    return sorted(counts["emotion"].head(PANELS).to_list())


def _style(place: int) -> Style:
    count = len(COLOURS_TOLD_APART)
    return COLOURS_TOLD_APART[place % count], MARKERS[place // count % len(MARKERS)]


def _new(height: float) -> Any:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, height), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def _draw_header(figure: Any, height: float, drawn: bool) -> None:
    y = 1 - 0.22 / height
    figure.text(
        0.015, y, "Projected pictures (dots) and prototypes (stars)", fontsize=11, fontweight="bold", va="center"
    )
    if drawn:
        words = "drawn pictures: nothing here tells of photographs"
        figure.text(0.985, y, words, color=WARNING, ha="right", va="center")


def _draw_map(
    axes: "Axes", coordinates: pl.DataFrame, styles: Mapping[str, Style], shares: tuple[float, float]
) -> None:
    others = coordinates.filter((pl.col("kind") == PICTURE) & ~pl.col("emotion").is_in(list(styles)))
    axes.scatter(others["x"], others["y"], s=7, color="#c3c8ce", linewidths=0)
    stars = []
    for name, (colour, marker) in styles.items():
        own = coordinates.filter((pl.col("kind") == PICTURE) & (pl.col("emotion") == name))
        axes.scatter(own["x"], own["y"], s=11, color=colour, marker=marker, alpha=0.55, linewidths=0)
        star = coordinates.filter((pl.col("kind") == PROTOTYPE) & (pl.col("emotion") == name))
        axes.scatter(
            star["x"], star["y"], s=150, color=colour, marker="*", edgecolors="white", linewidths=0.8, zorder=5
        )
        stars += [(name, x, y, colour) for x, y in star.select("x", "y").iter_rows()]
    axes.margins(0.06)
    _name_stars(axes, stars)
    axes.set_xlabel(f"first component, {shares[0]:.0%} of the variance", color=QUIET)
    axes.set_ylabel(f"second component, {shares[1]:.0%}", color=QUIET)
    axes.grid(color=FAINT, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelsize=7, colors=QUIET)
    _strip(axes)


def _name_stars(axes: "Axes", stars: Sequence[tuple[str, float, float, str]]) -> None:
    """Write each star's word beside it, from the top down, moved below a word that it would cover."""
    low, high = axes.get_ylim()
    left, right = axes.get_xlim()
    line, reach = (high - low) * 0.042, (right - left) * 0.13
    taken: list[tuple[float, float]] = []
    for name, x, y, colour in sorted(stars, key=lambda star: (-star[2], star[0])):
        side = -1 if x > right - 1.5 * reach else 1
        at = y
        # Words are taken to be `reach` wide: both sides of a star count as its own place.
        for _ in stars:
            if any(abs(x - other) < reach and abs(at - height) < line for other, height in taken):
                at -= line / 2
        taken.append((x, at))
        axes.annotate(
            name,
            (x, at),
            xytext=(8 * side, 0),
            textcoords="offset points",
            ha="left" if side > 0 else "right",
            va="center",
            color=colour,
            fontweight="bold",
            bbox={"boxstyle": "round,pad=0.12", "facecolor": "white", "edgecolor": "none", "alpha": 0.65},
            zorder=4,
        )


def _draw_panel(axes: "Axes", coordinates: pl.DataFrame, name: str, style: Style, words: Sequence[str]) -> None:
    colour, marker = style
    pictures = coordinates.filter(pl.col("kind") == PICTURE)
    own = pictures.filter(pl.col("emotion") == name)
    star = coordinates.filter((pl.col("kind") == PROTOTYPE) & (pl.col("emotion") == name))
    axes.scatter(pictures["x"], pictures["y"], s=4, color=FAINT, linewidths=0)
    axes.scatter(own["x"], own["y"], s=9, color=colour, marker=marker, alpha=0.75, linewidths=0)
    axes.scatter(star["x"], star["y"], s=90, color=colour, marker="*", edgecolors=INK, linewidths=0.6, zorder=3)
    axes.set_title(f"{name}  ", loc="left", fontsize=9, fontweight="bold", color=INK, pad=3)
    axes.set_title(f"{len(own):,}", loc="right", fontsize=8, color=QUIET, pad=3)
    axes.margins(0.08)
    axes.set_xticks([])
    axes.set_yticks([])
    for side in axes.spines.values():
        side.set_color(FAINT)
    lines = textwrap.wrap(", ".join(words), 34)[:2]
    axes.text(0, -0.04, "\n".join(lines), transform=axes.transAxes, va="top", fontsize=7.5, color=INK)


def _strip(axes: "Axes") -> None:
    for side in axes.spines.values():
        side.set_visible(False)


def _pack(png: bytes) -> bytes:
    """Return the picture with a palette of its own: a third of the size."""
    from PIL import Image

    picture = Image.open(io.BytesIO(png)).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    packed = io.BytesIO()
    picture.save(packed, format="png", optimize=True)
    return packed.getvalue()
