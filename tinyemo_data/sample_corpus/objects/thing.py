"""What every object is painted with besides its brush: the choices of one hand, and where it belongs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np

from tinyemo_data.sample_corpus.canvas import Brush
from tinyemo_data.sample_corpus.style import Line

Choice = TypeVar("Choice")


@dataclass(frozen=True)
class Hand:
    """One object's own seeded choices, so that leaving out another object changes nothing of this one."""

    rng: np.random.Generator
    line: Line
    tilt: float
    pose: str
    face: str

    def pick(self, options: Sequence[Choice]) -> Choice:
        """Return one of `options`."""
        return options[int(self.rng.integers(len(options)))]

    def between(self, low: float, high: float) -> float:
        """Return a number between `low` and `high`."""
        return float(self.rng.uniform(low, high))


@dataclass(frozen=True)
class Thing:
    """An object that can be drawn: where it belongs, its size relative to a tree's, and whether it shines."""

    paint: Callable[[Brush, Hand], None]
    where: Literal["ground", "water", "sky"]
    size: float = 1.0
    half_width: float = 0.5
    glowing: bool = False
