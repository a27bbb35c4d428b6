"""Statistics of one picture, from the pixels that the encoder decodes anyway."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

# Pixels looked at, on a regular grid; their means stray by a few thousandths from those of all pixels.
GRID = 16_384
LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # ITU-R BT.601
COLOURS = 5
LEVELS = 4  # a channel, for dominant colours: 64 boxes of the colour cube


@dataclass(frozen=True)
class PictureStatistics:
    """How a picture looks as a whole."""

    brightness: float  # mean luma, 0 (black) to 1 (white)
    colourfulness: float  # Hasler & Süsstrunk's M3: 0 none, 15 slight, 33 moderate, 59 quite, 109 extreme
    dominant_colours: list[tuple[str, float]]  # `#rrggbb` and the share of pixels (0–1), most frequent first


def picture_statistics(pixels: npt.NDArray[np.uint8]) -> PictureStatistics:
    """Measure a picture of shape (H, W, 3), uint8 RGB, on a regular grid of at most 16,384 of its pixels."""
    step = max(1, int(np.ceil(np.sqrt(pixels.shape[0] * pixels.shape[1] / GRID))))
    colours = pixels[::step, ::step].reshape(-1, 3)
    values = colours.astype(np.float32)
    return PictureStatistics(
        brightness=float(values.mean(axis=0) @ LUMA) / 255,
        colourfulness=colourfulness(values),
        dominant_colours=dominant_colours(colours),
    )


def colourfulness(values: npt.NDArray[np.float32]) -> float:
    """Return M3 of (n, 3) RGB values in 0–255.

    Source: Hasler & Süsstrunk 2003, "Measuring colourfulness in natural images", section 7.
    """
    red, green, blue = values[:, 0], values[:, 1], values[:, 2]
    rg = red - green
    yb = 0.5 * (red + green) - blue
    return float(np.hypot(rg.std(), yb.std()) + 0.3 * np.hypot(rg.mean(), yb.mean()))


def dominant_colours(colours: npt.NDArray[np.uint8]) -> list[tuple[str, float]]:
    """Return the mean colours of the fullest boxes of the colour cube for (n, 3) uint8 RGB values."""
    boxes = colours // (256 // LEVELS)
    box = boxes[:, 0].astype(np.intp) * LEVELS**2 + boxes[:, 1].astype(np.intp) * LEVELS + boxes[:, 2]
    counts = np.bincount(box, minlength=LEVELS**3)
    means = [
        np.bincount(box, weights=colours[:, channel], minlength=LEVELS**3) / np.maximum(counts, 1)
        for channel in range(3)
    ]
    fullest = np.argsort(-counts, kind="stable")[:COLOURS]
    return [
        ("#" + "".join(f"{round(mean[place]):02x}" for mean in means), float(counts[place] / len(colours)))
        for place in fullest
        if counts[place]
    ]
