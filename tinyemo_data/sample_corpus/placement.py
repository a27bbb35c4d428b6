"""Where things stand in a picture: each composition's own arrangement, no thing hidden behind another."""

import math
from dataclasses import dataclass

import numpy as np

from tinyemo_data.sample_corpus.objects import THINGS
from tinyemo_data.sample_corpus.style import Composition, Place

TRIES = 12
HIDDEN = 0.25  # share of the smaller of two boxes that may overlap
PORTRAIT_HEIGHT = 1.5


@dataclass(frozen=True)
class Room:
    """Where there is room: heights are shares of the picture from its top, `ground` and `water` where they begin."""

    width: int
    height: int
    horizon: float
    slope: float
    ground: float
    water: float | None


@dataclass(frozen=True)
class Item:
    """One thing in a picture: its foot (shares of width and height), and its height as a share of the short side."""

    name: str
    x: float
    foot: float
    height: float
    tilt: float
    mirrored: bool
    seed: int


class Placer:
    """Finds a place for one thing after another, as a composition would have them."""

    def __init__(self, room: Room, shape: Composition, rng: np.random.Generator) -> None:
        """Start with an empty room."""
        self.room, self.shape, self.rng = room, shape, rng
        self.boxes: list[tuple[float, float, float, float]] = []

    def portrait(self) -> list[Item]:
        """Return one person so close that only head and shoulders are seen."""
        jitter = self.rng.uniform(-0.06, 0.06)
        height = PORTRAIT_HEIGHT * min(1.0, self.room.width / self.room.height + 0.1)
        foot = 0.42 + (height * 0.83) * min(self.room.width, self.room.height) / self.room.height
        return [self._item("person", 0.5 + jitter, foot, height)]

    def place(self, name: str, index: int, count: int, insist: bool = False) -> Item | None:
        """Return the `index`-th of `count` things where the composition has it.

        None where there is no room left; `insist` puts it in the middle then, in front of what is there.
        """
        for attempt in range(TRIES):
            x, depth, scale = self._spot(self.shape.place, index, count, 0.05 + 0.03 * attempt)
            height = self.rng.uniform(*self.shape.size) * scale * THINGS[name].size * 0.96**attempt
            item = self._item(name, x, self._foot(name, x, depth, height), height)
            if self._claim(item):
                return item
        if not insist:
            return None
        height = self.shape.size[0] * THINGS[name].size
        return self._item(name, 0.5, self._foot(name, 0.5, 0.6, height), height)

    def place_in_sky(self, name: str, x: float, height: float) -> Item | None:
        """Return a thing near `x`, high in the sky; None where there is no room left."""
        for attempt in range(TRIES):
            spread = 0.10 + 0.06 * attempt
            at = float(np.clip(x + self.rng.uniform(-spread, spread), 0.1, 0.9))
            item = self._item(name, at, self._foot(name, at, self.rng.uniform(0, 0.4), height), height)
            if self._claim(item):
                return item
        return None

    def _item(self, name: str, x: float, foot: float, height: float) -> Item:
        tilt = float(self.rng.uniform(-1, 1) * self.shape.tilt)
        is_mirrored = bool(x > 0.5) if self.shape.place in ("pairs", "sides") else bool(self.rng.random() < 0.5)
        return Item(name, float(x), float(foot), float(height), tilt, is_mirrored, int(self.rng.integers(2**31)))

    def _spot(self, place: Place, index: int, count: int, jitter: float) -> tuple[float, float, float]:
        """Return x (0-1), nearness (0 far - 1 near) and scale of one thing."""
        rng = self.rng
        wobble = float(rng.uniform(-jitter, jitter))
        step = (index + 0.5) / count
        if place == "line":
            size = 0.8 + 0.4 * (step if self.shape.slope > 0 else 1 - step)
            return step + wobble, 0.45 + wobble, size
        if place == "centre":
            return 0.5 + (index * 0.3 * (-1) ** index) + wobble, 0.55, 1.0 if index == 0 else 0.6
        if place == "pairs":
            side = -1 if index % 2 == 0 else 1
            return 0.5 + side * (0.32 - 0.17 * (index // 2)), 0.75 - 0.5 * (index // 2), 1 - 0.25 * (index // 2)
        if place == "edge":
            return 0.8 + wobble, 0.55 + wobble, 1.0
        if place == "sides":
            return (0.13, 0.87, 0.5)[index % 3] + wobble, 0.8, 1.0 if index < 2 else 0.6
        if place == "ring":
            angle = 2 * math.pi * step + wobble
            return 0.5 + 0.34 * math.cos(angle), 0.5 - 0.5 * math.sin(angle), 1.0
        return float(rng.uniform(0.1, 0.9)), float(rng.uniform(0, 1)), 1.0

    def _foot(self, name: str, x: float, nearness: float, height: float) -> float:
        """Return where the foot of a thing lies: on the ground, on the water or under its place in the sky."""
        room, where = self.room, THINGS[name].where
        nearness = min(max(nearness, 0.0), 1.0)
        if where == "sky":
            tall = height * min(room.width, room.height) / room.height
            low, high = 0.03 + tall, max(room.horizon - 0.04, 0.05 + tall)
            rise = -room.slope * 1.5 * (x - 0.5)
            return min(max(low + (high - low) * nearness + rise, low), high)
        bend = -room.slope * (x - 0.5)
        if where == "water" and room.water is not None:
            return room.water + 0.03 + (room.ground - room.water - 0.06) * nearness
        return min(room.ground + bend + 0.05 + (0.95 - room.ground - bend - 0.05) * nearness, 0.97)

    def _claim(self, item: Item) -> bool:
        """Take the room of `item`; False where it would hide, be hidden, or stick out too far."""
        short, thing = min(self.room.width, self.room.height), THINGS[item.name]
        tall = item.height * short / self.room.height
        half = item.height * thing.half_width * short / self.room.width
        box = (item.x - half, item.foot - tall, item.x + half, item.foot)
        inside = _overlap(box, (0.0, 0.0, 1.0, 1.0)) / _area(box)
        if inside < 0.7 or any(_overlap(box, other) > HIDDEN * min(_area(box), _area(other)) for other in self.boxes):
            return False
        self.boxes.append(box)
        return True


def _area(box: tuple[float, float, float, float]) -> float:
    return max(box[2] - box[0], 0.0) * max(box[3] - box[1], 0.0)


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> float:
    return _area((max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])))
