"""Colours by name: the nearest of a table in a space where equal distances look equal."""

import functools
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml

COLOURS = Path(__file__).with_name("colours.yaml")
CELLS = 32  # a channel: finer than people tell names apart
HEX = re.compile(r"#[0-9a-f]{6}", re.IGNORECASE)

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ColourName:
    """A name and its family: one of the basic colour terms, the last word of the name."""

    name: str
    family: str
    lightness: float  # of the name's own value: Oklab's L, 0 black to 1 white


def name_colour(colour: str) -> ColourName | None:
    """Return the name nearest to `#rrggbb`, taken to 5 bits a channel; None for what is no colour."""
    if not HEX.fullmatch(colour):
        return None
    value = int(colour[1:], 16)
    return _names_of_cells()[value >> 9 & 0x7C00 | value >> 6 & 0x3E0 | value >> 3 & 0x1F]


def oklab(rgb: Values) -> Values:
    """Return (n, 3) sRGB values in 0–255 as Oklab L, a, b.

    Source: Ottosson 2020, "A perceptual color space for image processing"; sRGB's transfer curve of IEC 61966-2-1.
    """
    share = rgb / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    cones = linear @ np.array(
        [
            [0.4122214708, 0.2119034982, 0.0883024619],
            [0.5363325363, 0.6806995451, 0.2817188376],
            [0.0514459929, 0.1073969566, 0.6299787005],
        ]
    )
    lab: Values = np.cbrt(cones) @ np.array(
        [
            [0.2104542553, 1.9779984951, 0.0259040371],
            [0.7936177850, -2.4285922050, 0.7827717662],
            [-0.0040720468, 0.4505937099, -0.8086757660],
        ]
    )
    return lab


@functools.cache
def families() -> dict[str, tuple[str, ...]]:
    """Return the names of each family."""
    return {family: tuple(names) for family, names in _file()["families"].items()}


@functools.cache
def temperature(family: str) -> str:
    """Return `warm`, `cool` or `neutral` for a family, or its own name where it is none of them."""
    return next((kind for kind in ("warm", "cool", "neutral") if family in _file()[kind]), family)


@functools.cache
def _names_of_cells() -> list[ColourName]:
    """Return the name of each of the 32 × 32 × 32 cells of the colour cube, by its middle: looked up, not computed."""
    names, points = _table()
    middles = np.arange(CELLS) * (256 / CELLS) + (256 / CELLS - 1) / 2
    cells = oklab(np.stack(np.meshgrid(middles, middles, middles, indexing="ij"), axis=-1).reshape(-1, 3))
    return [names[nearest] for part in np.split(cells, CELLS) for nearest in _nearest(part, points)]


def _nearest(colours: Values, points: Values) -> list[int]:
    distances = ((colours[:, None, :] - points[None, :, :]) ** 2).sum(axis=2)
    nearest: list[int] = distances.argmin(axis=1).tolist()
    return nearest


@functools.cache
def _table() -> tuple[tuple[ColourName, ...], Values]:
    entries = [(name, family, value) for family, names in _file()["families"].items() for name, value in names.items()]
    values = [[int(value[place : place + 2], 16) for place in (1, 3, 5)] for _, _, value in entries]
    points = oklab(np.array(values, dtype=np.float64))
    names = (ColourName(name, family, float(lab[0])) for (name, family, _), lab in zip(entries, points, strict=True))
    return tuple(names), points


@functools.cache
def _file() -> Any:
    return yaml.safe_load(COLOURS.read_text(encoding="utf-8"))
