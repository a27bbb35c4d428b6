"""Small pictures for people: PNG bytes for the Dagster UI and reports, under 100 kB, the same for the same input."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from PIL import Image, ImageOps

# Told apart by people with any colour vision (Okabe & Ito 2008).
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#F0E442", "#000000")
DPI = 100


def new_figure(width: float, height: float) -> tuple[Any, Any]:
    """Return a figure of `width` × `height` inches and its axes, drawn without a screen."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots()


def to_png(figure: Any) -> bytes:
    """Render a figure; no date or version goes in, so that equal figures give equal bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def class_balance(samples: pl.DataFrame) -> bytes:
    """Draw the number of samples an emotion and split, from a Sample table."""
    counts = samples.group_by("emotion", "split").len().drop_nulls()
    emotions = sorted(counts["emotion"].unique().to_list())
    figure, axes = new_figure(7, 0.6 + 0.28 * max(len(emotions), 2))
    left = np.zeros(len(emotions))
    for colour, split in zip(COLOURS, ("train", "validation", "test"), strict=False):
        by_emotion = dict(counts.filter(pl.col("split") == split).select("emotion", "len").iter_rows())
        widths = np.array([by_emotion.get(emotion, 0) for emotion in emotions])
        if widths.sum():
            axes.barh(emotions, widths, left=left, color=colour, label=f"{split} ({widths.sum():,})")
            left += widths
    axes.invert_yaxis()
    axes.set_xlabel("samples")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    return to_png(figure)


def contact_sheet(samples: pl.DataFrame, root: Path, columns: int = 6, side: int = 96) -> bytes:
    """Lay one picture an emotion and row beside another: `columns` pictures of each emotion, as JPEG bytes."""
    shown = samples.filter(pl.col("source_kind") == "picture").sort("emotion", "sha256")
    groups = shown.group_by("emotion", maintain_order=True).head(columns).partition_by("emotion", maintain_order=True)
    sheet = Image.new("RGB", (columns * side, max(len(groups), 1) * side), "white")
    for row, group in enumerate(groups[:8]):
        for column, path in enumerate(group["image_path"]):
            with Image.open(root / path) as opened:
                opened.draft("RGB", (side * 2, side * 2))
                picture = ImageOps.fit(ImageOps.exif_transpose(opened).convert("RGB"), (side - 2, side - 2))
            sheet.paste(picture, (column * side, row * side))
    buffer = io.BytesIO()
    sheet.crop((0, 0, columns * side, min(max(len(groups), 1), 8) * side)).save(buffer, format="JPEG", quality=80)
    return buffer.getvalue()


def training_curves(curves: Mapping[str, Sequence[float]], chosen_epoch: int | None = None) -> bytes:
    """Draw losses and accuracies an epoch: name to one value an epoch."""
    figure, axes = new_figure(7, 3)
    for colour, (name, values) in zip(COLOURS, curves.items(), strict=False):
        axes.plot(range(1, len(values) + 1), values, color=colour, label=name, marker="o", markersize=3)
    if chosen_epoch is not None:
        axes.axvline(chosen_epoch, color="grey", linestyle=":", label=f"kept: epoch {chosen_epoch}")
    axes.set_xlabel("epoch")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    return to_png(figure)


def loss_course(
    points: Sequence[Mapping[str, float]], validations: Sequence[Mapping[str, float]], kept: int | None = None
) -> bytes:
    """Draw training and validation loss over the steps, and the learning rate: rows of step, loss, learning_rate."""
    figure, axes = new_figure(7, 3)
    axes.plot([p["step"] for p in points], [p["loss"] for p in points], color=COLOURS[0], label="training")
    if validations:
        steps, losses = [v["step"] for v in validations], [v["loss"] for v in validations]
        axes.plot(steps, losses, color=COLOURS[1], label="validation", marker="o", markersize=3)
    if kept is not None:
        axes.axvline(kept, color="grey", linestyle=":", label=f"kept: step {kept}")
    rates = axes.twinx()
    rates.plot([p["step"] for p in points], [p["learning_rate"] for p in points], color=COLOURS[2], linewidth=0.8)
    rates.set_ylabel("learning rate", color=COLOURS[2])
    axes.set_xlabel("step")
    axes.set_ylabel("loss")
    for each in (axes, rates):
        each.spines["top"].set_visible(False)
    axes.legend(frameon=False)
    return to_png(figure)


def similarity_map(labels: Sequence[str], similarity: npt.NDArray[np.float32]) -> bytes:
    """Draw a square matrix of cosine similarities, (L, L), with its labels."""
    figure, axes = new_figure(1.6 + 0.32 * len(labels), 1.2 + 0.32 * len(labels))
    image = axes.imshow(similarity, vmin=-1, vmax=1, cmap="RdBu_r")
    axes.set_xticks(range(len(labels)), labels, rotation=60, ha="right")
    axes.set_yticks(range(len(labels)), labels)
    figure.colorbar(image, ax=axes, shrink=0.8, label="cosine")
    return to_png(figure)


def funnel(stages: Sequence[tuple[str, int, int]]) -> bytes:
    """Draw a funnel: per stage its name, what entered it and what it held back; stages that hold nothing are left out.

    The last bar is what is left after all stages.
    """
    shown = [(name, entered, held) for name, entered, held in stages if held]
    left = stages[-1][1] - stages[-1][2] if stages else 0
    names = [*(name for name, _, _ in shown), "accepted"]
    passed = [*(entered - held for _, entered, held in shown), left]
    held_back = [*(held for _, _, held in shown), 0]
    figure, axes = new_figure(7, 0.8 + 0.3 * len(names))
    axes.barh(names, passed, color=COLOURS[0], label="went on")
    axes.barh(names, held_back, left=passed, color=COLOURS[1], label="held back")
    for place, (count, held) in enumerate(zip(passed, held_back, strict=True)):
        axes.text(count + held, place, f" {held:,}" if held else f" {count:,}", va="center", fontsize=8)
    axes.invert_yaxis()
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    return to_png(figure)


def balance(counts: Mapping[tuple[str | None, str], int]) -> bytes:
    """Draw the number of records an emotion (rows) and task (colours), from counts by both."""
    emotions = sorted({emotion or "no label" for emotion, _ in counts})
    tasks = sorted({task for _, task in counts})
    figure, axes = new_figure(7, 0.8 + 0.28 * max(len(emotions), 2))
    left = np.zeros(len(emotions))
    for place, task in enumerate(tasks):
        widths = np.array([counts.get((None if name == "no label" else name, task), 0) for name in emotions])
        axes.barh(emotions, widths, left=left, color=COLOURS[place % len(COLOURS)], label=f"{task} ({widths.sum():,})")
        left += widths
    axes.invert_yaxis()
    axes.set_xlabel("records")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    return to_png(figure)
