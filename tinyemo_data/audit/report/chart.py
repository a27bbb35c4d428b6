"""The strongest slices as a picture for the Dagster UI."""

import polars as pl

from tinyemo_data import charts
from tinyemo_data.audit.report.forest import Z95, top_slices
from tinyemo_data.audit.report.words import pair


def effects_chart(slices: pl.DataFrame) -> bytes:
    """Draw d and the contrast of the strongest slices with their 95 % intervals, as PNG bytes."""
    rows = top_slices(slices).to_dicts()
    figure, axes = charts.new_figure(8, 1.2 + 0.32 * max(len(rows), 2))
    for place, row in enumerate(rows):
        axes.plot([row["d_low"], row["d_high"]], [place, place], color=charts.COLOURS[0])
        axes.plot(row["d"], place, "o", color=charts.COLOURS[0], label="model" if not place else None)
        if row["d_contrast"] is not None:
            reach, below = Z95 * row["contrast_se"], place + 0.28
            ends = [row["d_contrast"] - reach, row["d_contrast"] + reach]
            axes.plot(ends, [below, below], color=charts.COLOURS[3])
            axes.plot(row["d_contrast"], below, "D", markersize=4, color=charts.COLOURS[3])
    axes.plot([], [], "D", markersize=4, color=charts.COLOURS[3], label="taught by the labels")
    names = [f"{pair(row)} ({row['dataset']}){' *' if row['flagged'] else ''}" for row in rows]
    axes.set_yticks(range(len(rows)), names)
    axes.invert_yaxis()
    axes.axvline(0, color="grey", linewidth=0.8)
    axes.set_xlabel("standard deviations of the margin; * flagged")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8)
    return charts.to_png(figure)
