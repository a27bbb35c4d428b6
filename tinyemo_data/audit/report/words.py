"""Numbers and names as people read them."""

from typing import Any


def signed(value: float | None, decimals: int = 2) -> str:
    """Return an effect with its sign; – where it was not told."""
    # Rounded first: a small negative number would read as −0.00.
    return "–" if value is None else f"{round(value, decimals) + 0.0:+.{decimals}f}".replace("-", "−")


def interval(low: float | None, high: float | None, decimals: int = 2) -> str:
    """Return the ends of an interval; nothing where one was not told."""
    return "" if low is None or high is None else f"{signed(low, decimals)} to {signed(high, decimals)}"


def small(value: float | None) -> str:
    """Return a p or q value."""
    if value is None:
        return "–"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def pair(row: dict[str, Any]) -> str:
    """Return what a slice is."""
    return f"{row['attribute']} → {row['emotion']}"


def plural(count: int, one: str, several: str | None = None) -> str:
    """Return a count with its noun."""
    return f"{count:,} {one if count == 1 else several or one + 's'}"
