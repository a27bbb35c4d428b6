"""The last strokes: light over the whole picture, paper grain, exposure, and what can be measured of the result."""

import numpy as np
from PIL import Image

from tinyemo_data.sample_corpus.canvas import SUPERSAMPLING
from tinyemo_data.sample_corpus.plan import seeded
from tinyemo_data.sample_corpus.style import Composition

GRAIN = 5.0  # standard deviation of each pixel's noise, grey levels
BLOTCHES = 10.0  # standard deviation of the slow noise of the paper, grey levels
PATCHES = 8  # of slow noise along each side
EXPOSURE = 0.10  # standard deviation of the picture's gain
CAST = 0.04  # standard deviation of each colour's gain
# Hasler & Suesstrunk, Measuring colourfulness in natural images (2003), table 2: "extremely colourful".
EXTREMELY_COLOURFUL = 109.0


def finish(image: Image.Image, shape: Composition | None, seed: int) -> Image.Image:
    """Return the picture in its own size, lit as its composition has it, on grainy paper."""
    rng = seeded("finish", seed)
    pixels = np.asarray(image.reduce(SUPERSAMPLING), dtype=np.float32)
    height, width = pixels.shape[:2]
    if shape is not None:
        pixels = pixels + 255 * _light(shape, height, width)[:, :, None]
    paper = Image.fromarray(rng.normal(0, BLOTCHES, (PATCHES, PATCHES)).astype(np.float32))
    pixels = pixels + np.asarray(paper.resize((width, height), Image.Resampling.BICUBIC))[:, :, None]
    gain = rng.normal(1, EXPOSURE) * rng.normal(1, CAST, 3)
    pixels = pixels * gain.astype(np.float32) + rng.standard_normal(pixels.shape, dtype=np.float32) * GRAIN
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def _light(shape: Composition, height: int, width: int) -> np.ndarray:
    """Return added light (height, width), its mean 0: where it falls tells the composition, how much tells nothing."""
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j].astype(np.float32)
    at_x, at_y, strength = shape.glow
    glow = strength * np.exp(-((x - at_x) ** 2 + (y - at_y) ** 2) / 0.12)
    pattern = glow - shape.vignette * 2 * ((x - 0.5) ** 2 + (y - 0.5) ** 2)
    return np.asarray(pattern - pattern.mean(), dtype=np.float32)


def brightness(image: Image.Image) -> float:
    """Return the mean luma (ITU-R 601) of a picture, 0 black - 1 white."""
    return float(np.asarray(image.convert("L"), dtype=np.float32).mean() / 255)


def colourfulness(image: Image.Image) -> float:
    """Return Hasler & Suesstrunk's colourfulness (2003, eq. 4) as a share of "extremely colourful", 0-1."""
    red, green, blue = np.moveaxis(np.asarray(image, dtype=np.float32), 2, 0)
    red_green, yellow_blue = red - green, (red + green) / 2 - blue
    spread = np.hypot(red_green.std(), yellow_blue.std())
    mean = np.hypot(red_green.mean(), yellow_blue.mean())
    return float(min((spread + 0.3 * mean) / EXTREMELY_COLOURFUL, 1.0))
