"""What drawings are painted with: a canvas in the picture's own light, and a brush in an object's own frame."""

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw

SUPERSAMPLING = 2

Colour = tuple[int, int, int]
Point = tuple[float, float]


@lru_cache(maxsize=1024)
def parse_colour(text: str) -> Colour:
    """Return the red, green and blue (0-255) of `#rrggbb`."""
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


@lru_cache(maxsize=8192)
def mix(a: Colour, b: Colour, share: float) -> Colour:
    """Return the colour that lies `share` (0-1) of the way from `a` to `b`."""
    red, green, blue = (round(x + (y - x) * share) for x, y in zip(a, b, strict=True))
    return red, green, blue


class Canvas:
    """A picture in the making, `SUPERSAMPLING` times its size; colours are tinted by its light as they are put on."""

    def __init__(self, width: int, height: int, tint: str, haze: str) -> None:
        """Make a canvas for a picture of `width` x `height` pixels; far things fade to `haze`."""
        self.width, self.height = width * SUPERSAMPLING, height * SUPERSAMPLING
        self.short = min(self.width, self.height)
        self.tint, self.haze = parse_colour(tint), parse_colour(haze)
        self.image = Image.new("RGB", (self.width, self.height))
        self.pen = ImageDraw.Draw(self.image)

    def shade(self, colour: str, depth: float = 0.0) -> Colour:
        """Return `#rrggbb` in this light, `depth` (0 near - 1 far) of the way to the haze."""
        red, green, blue = (c * t // 255 for c, t in zip(parse_colour(colour), self.tint, strict=True))
        return mix((red, green, blue), self.haze, round(depth, 2))

    def fill_sky(self, top: str, bottom: str, horizon: float) -> None:
        """Fill everything with a gradient that reaches `bottom` at the horizon (0 top - 1 lower edge)."""
        shares = np.clip(np.linspace(0, 1 / max(horizon, 0.1), self.height), 0, 1)[:, None]
        column = np.array(parse_colour(top)) * (1 - shares) + np.array(parse_colour(bottom)) * shares
        strip = Image.fromarray(column.astype(np.uint8)[:, None, :])
        self.image.paste(strip.resize((self.width, self.height), Image.Resampling.NEAREST))

    def fill_below(self, edge: np.ndarray, colour: Colour) -> None:
        """Fill all below an edge; `edge` holds heights (0 top - 1) at evenly spaced places from left to right."""
        across = np.linspace(0, self.width, len(edge))
        points = [(float(x), float(y)) for x, y in zip(across, edge * self.height, strict=True)]
        self.pen.polygon([(0, self.height), *points, (self.width, self.height)], fill=colour)


class Brush:
    """Paints in an object's frame: (0, 0) is its foot, y points up, 1 is its height; mirrored and tilted at will."""

    def __init__(
        self, canvas: Canvas, x: float, foot: float, height: float, tilt: float = 0, mirrored: bool = False,
        depth: float = 0, glowing: bool = False,
    ) -> None:  # fmt: skip
        """Set the frame: foot at (x, foot) of the canvas (0-1), height as a share of its short side."""
        self.canvas, self.scale, self.depth, self.glowing = canvas, height * canvas.short, depth, glowing
        self.origin = (x * canvas.width, foot * canvas.height)
        self.sign = -1 if mirrored else 1
        self.cos, self.sin = math.cos(tilt), math.sin(tilt)

    def colour(self, text: str) -> Colour:
        """Return a colour in the canvas's light; glowing things shine in their own."""
        return parse_colour(text) if self.glowing else self.canvas.shade(text, self.depth)

    def at(self, point: Point) -> Point:
        """Return a point of the frame in pixels of the canvas."""
        x, y = point[0] * self.sign, point[1]
        turned = (x * self.cos + y * self.sin, y * self.cos - x * self.sin)
        return self.origin[0] + turned[0] * self.scale, self.origin[1] - turned[1] * self.scale

    def poly(self, points: Sequence[Point], colour: str) -> None:
        """Fill a polygon."""
        self.canvas.pen.polygon([self.at(point) for point in points], fill=self.colour(colour))

    def oval(self, x: float, y: float, across: float, up: float, colour: str) -> None:
        """Fill an ellipse around (x, y) with radii `across` and `up`; it is never turned."""
        (cx, cy), rx, ry = self.at((x, y)), across * self.scale, up * self.scale
        self.canvas.pen.ellipse((cx - rx, cy - ry, cx + rx, cy + ry), fill=self.colour(colour))

    def line(self, points: Sequence[Point], width: float, colour: str) -> None:
        """Draw a line of a width that is a share of the object's height."""
        pixels = max(1, round(width * self.scale))
        self.canvas.pen.line([self.at(p) for p in points], fill=self.colour(colour), width=pixels, joint="curve")

    def box(self, left: float, bottom: float, right: float, top: float, colour: str) -> None:
        """Fill a rectangle."""
        self.poly([(left, bottom), (right, bottom), (right, top), (left, top)], colour)
