"""Numbers of a request, read with care: what is no number, or out of its range, is nothing."""

import math
from typing import Any


def read_number(value: Any, least: float = -math.inf, most: float = math.inf) -> float | None:
    """Return a finite number from `least` to `most`, or None."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value) if least <= value <= most else None


def read_pixels(value: Any) -> int | None:
    """Return a whole number from 1, or None."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None
