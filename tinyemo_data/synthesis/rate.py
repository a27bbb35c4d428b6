"""How fast requests leave: as the service's headers say, and where it says nothing, as fast as it takes them.

Without headers the pace is learnt from refusals: where more than a quarter of a window's requests are refused for the
rate, the pace falls to what was taken, by no more than half a window; else it rises by a fiftieth, and by half after
some windows without any refusal, so that an outage is soon forgotten. A service that refuses one in ten at random, at
any pace, is not slowed down for: only the refused ones are sent again.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping

REFUSED_SHARE = 0.25  # above it the rate is at fault, not chance
RISE, FAST_RISE = 1.02, 1.5  # of the pace, a window
CLEAN = 3  # windows without a refusal, after which the pace may be far below what the service takes
WINDOW = 1.0  # seconds
FEWEST = 10  # answers and refusals that a first window must have to say anything
SLOWEST = 1.0  # requests a second
STEP = 0.25  # seconds that the first in line sleeps at most before it looks at the pace again
CREDIT = 0.1  # seconds: who was late may leave that much sooner after the one before
LIMIT = "anthropic-ratelimit-requests-limit"  # a minute


class RateControl:
    """Paces the requests of one run. Not thread-safe: it lives in one event loop."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Start without a pace."""
        self.pace: float | None = None  # requests a second; None: as fast as slots come free
        self.told: float | None = None  # the service's own limit, requests a second
        self._clean = 0  # windows in a row without a refusal
        self._clock = clock
        self._line = asyncio.Lock()
        self._next = 0.0
        self._window_start = clock()
        self._taken = self._refused = 0

    async def turn(self, pause: Callable[[float], Awaitable[None]]) -> None:
        """Wait in line until one more request may leave; `pause` sleeps, and ends the wait where the run ends."""
        if self.pace is None:
            return
        async with self._line:
            while (left := self.seconds_left()) > 0:
                await pause(min(left, STEP))
            self.leave()

    def seconds_left(self) -> float:
        """Return the seconds until the next request may leave."""
        return 0.0 if self.pace is None else max(0.0, self._next - self._clock())

    def leave(self) -> None:
        """Note that a request leaves now."""
        if self.pace is not None:
            self._next = max(self._next, self._clock() - CREDIT) + 1 / self.pace

    def took(self, headers: Mapping[str, str]) -> None:
        """Hear that a request was taken, and what the headers say."""
        self._taken += 1
        limit = headers.get(LIMIT)
        if limit is not None and limit.isdigit() and int(limit) > 0 and self.told != int(limit) / 60:
            self.told = int(limit) / 60
            self.pace = self.told if self.pace is None else min(self.pace, self.told)
        self._look_back()

    def refused(self) -> None:
        """Hear that a request was refused for the rate."""
        self._refused += 1
        self._look_back()

    def _look_back(self) -> None:
        now = self._clock()
        elapsed, heard = now - self._window_start, self._taken + self._refused
        enough = FEWEST if self.pace is None else min(FEWEST, max(1.0, self.pace / 2))
        if elapsed < WINDOW or heard < enough:
            return
        self._clean = 0 if self._refused else self._clean + 1
        if self._refused / heard > REFUSED_SHARE:
            taken, sent = self._taken / elapsed, heard / elapsed
            self.pace = max(SLOWEST, taken, min(self.pace or sent, sent) / 2)
        elif self.pace is not None:
            self.pace *= FAST_RISE if self._clean >= CLEAN else RISE
        if self.told is not None and self.pace is not None:
            self.pace = min(self.pace, self.told)
        self._window_start, self._taken, self._refused = now, 0, 0
