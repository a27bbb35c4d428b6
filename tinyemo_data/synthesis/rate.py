"""How fast requests leave: as the service's headers say, and where it says nothing, as fast as it takes them.

Without headers the pace is learnt from refusals: where more than a quarter of a second's requests are refused for the
rate, the pace falls to what was taken; else it rises by a fiftieth a second. A service that refuses one in ten at
random, at any pace, is not slowed down for: only the refused ones are sent again.
"""

import time
from collections.abc import Callable, Mapping

REFUSED_SHARE = 0.25  # above it the rate is at fault, not chance
RISE = 0.02  # of the pace, a window
WINDOW = 1.0  # seconds
FEWEST = 10  # answers and refusals that a window must have to say anything
SLOWEST = 0.2  # requests a second
LIMIT = "anthropic-ratelimit-requests-limit"  # a minute


class RateControl:
    """Paces the requests of one run. Not thread-safe: it lives in one event loop."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Start without a pace."""
        self.pace: float | None = None  # requests a second; None: as fast as slots come free
        self.told: float | None = None  # the service's own limit, requests a second
        self._clock = clock
        self._next = 0.0
        self._window_start = clock()
        self._taken = self._refused = 0

    def reserve(self) -> float:
        """Take the next place in line and return the seconds until it."""
        now = self._clock()
        if self.pace is None:
            return max(0.0, self._next - now)
        place = max(self._next, now)
        self._next = place + 1 / self.pace
        return place - now

    def took(self, headers: Mapping[str, str]) -> None:
        """Hear that a request was taken, and what the headers say."""
        self._taken += 1
        self._read(headers)
        self._look_back()

    def refused(self) -> None:
        """Hear that a request was refused for the rate."""
        self._refused += 1
        self._look_back()

    def _look_back(self) -> None:
        now = self._clock()
        elapsed, heard = now - self._window_start, self._taken + self._refused
        if elapsed < WINDOW or heard < FEWEST:
            return
        if self._refused / heard > REFUSED_SHARE:
            taken = self._taken / elapsed
            self.pace = max(SLOWEST, taken if self.pace is None else min(self.pace, max(taken, self.pace / 2)))
        elif self.pace is not None:
            self.pace += max(SLOWEST, RISE * self.pace)
        if self.told is not None and self.pace is not None:
            self.pace = min(self.pace, self.told)
        self._window_start, self._taken, self._refused = now, 0, 0

    def _read(self, headers: Mapping[str, str]) -> None:
        limit = headers.get(LIMIT)
        if limit is None:
            return
        if limit.isdigit() and int(limit) > 0 and self.told != int(limit) / 60:
            self.told = int(limit) / 60
            self.pace = self.told if self.pace is None else min(self.pace, self.told)
