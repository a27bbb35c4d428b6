"""Axes whose positions are per cent of a plot's width: such a plot fits any screen with its letters as large."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True)
class Scale:
    """Values from `low` to `high` on positions from `start` to `end`, in per cent."""

    low: float
    high: float
    start: float = 0.0
    end: float = 100.0

    def at(self, value: float) -> float:
        """Return the position of a value, held within the axis; two decimals, so that equal plots are equal text."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 2)

    def ticks(self, count: int = 5) -> list[float]:
        """Return about `count` round values within the axis."""
        rough = (self.high - self.low) / count
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(power * one for one in STEPS if power * one >= rough * 0.999)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [round(number * step, 10) + 0.0 for number in range(first, last + 1)]


def scale_over(values: Iterable[float], start: float = 0.0, end: float = 100.0, least: float = 0.5) -> Scale:
    """Return a scale that holds all values and ± `least`, with a margin of a twentieth."""
    finite = [value for value in values if math.isfinite(value)]
    low, high = min([*finite, -least]), max([*finite, least])
    margin = (high - low) / 20
    return Scale(low - margin, high + margin, start, end)
