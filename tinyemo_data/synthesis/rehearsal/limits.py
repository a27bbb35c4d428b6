"""Rate limits: what is allowed a minute, kept by token buckets that refill all the time.

The service documents a token bucket that is "continuously replenished up to your maximum limit", and that 60 requests
a minute may be enforced as one a second: so the burst is small. The headers tell what is in the bucket now.
"""

import math
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict, Field

KINDS = ("requests", "input-tokens", "output-tokens")


class Limits(BaseModel):
    """No limits by default."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    requests_per_minute: float | None = Field(None, gt=0)
    input_tokens_per_minute: float | None = Field(None, gt=0, description="cache reads do not count")
    output_tokens_per_minute: float | None = Field(None, gt=0)
    told: bool = Field(False, description="say the limits in anthropic-ratelimit-* headers")
    retry_after: bool = Field(False, description="say retry-after with a 429 of these limits")
    burst_seconds: float = Field(1.0, gt=0, description="how many seconds' worth a full bucket holds")


@dataclass(slots=True)
class Bucket:
    """A token bucket; what it holds may go below zero where the cost is known only afterwards."""

    per_minute: float
    capacity: float
    level: float
    filled_at: float  # time.monotonic()

    def refill(self, now: float) -> None:
        """Add what has flowed in since the last time."""
        self.level = min(self.capacity, self.level + (now - self.filled_at) * self.per_minute / 60)
        self.filled_at = now

    def seconds_until(self, amount: float) -> float:
        """Return how long it takes until `amount` (or a full bucket, if that is less) is there."""
        return max(0.0, (min(amount, self.capacity) - self.level) * 60 / self.per_minute)


class RateLimiter:
    """Admits requests, or says how long to wait."""

    def __init__(self, limits: Limits) -> None:
        """Start with full buckets."""
        self.limits = limits
        rates = (limits.requests_per_minute, limits.input_tokens_per_minute, limits.output_tokens_per_minute)
        self._buckets = {
            kind: _full_bucket(rate, limits.burst_seconds) for kind, rate in zip(KINDS, rates, strict=True) if rate
        }

    def admit(self, input_tokens: int) -> tuple[str, float] | None:
        """Take a request with so many uncached input tokens; else return the limit it passes and the seconds to wait.

        Output is known only afterwards: a request waits until earlier ones have been paid off (see `spend_output`).
        """
        if not self._buckets:
            return None
        now = time.monotonic()
        costs = {"requests": 1.0, "input-tokens": float(input_tokens), "output-tokens": 1.0}
        waits: list[tuple[float, str]] = []
        for kind, bucket in self._buckets.items():
            bucket.refill(now)
            if bucket.level < min(costs[kind], bucket.capacity):
                waits.append((bucket.seconds_until(costs[kind]), kind))
        if waits:
            seconds, kind = max(waits)
            return kind, seconds
        for kind in ("requests", "input-tokens"):
            if kind in self._buckets:
                self._buckets[kind].level -= costs[kind]
        return None

    def spend_output(self, tokens: int) -> None:
        """Take what a reply was long."""
        if bucket := self._buckets.get("output-tokens"):
            bucket.level -= tokens

    def headers(self) -> dict[str, str]:
        """Return the `anthropic-ratelimit-*` headers; none where limits are untold."""
        if not self.limits.told:
            return {}
        told = {}
        now, clock = time.monotonic(), time.time()
        for kind, bucket in self._buckets.items():
            bucket.refill(now)
            full_at = datetime.fromtimestamp(clock + bucket.seconds_until(bucket.capacity), UTC)
            told[f"anthropic-ratelimit-{kind}-limit"] = str(int(bucket.per_minute))
            told[f"anthropic-ratelimit-{kind}-remaining"] = str(max(0, math.floor(bucket.level)))
            told[f"anthropic-ratelimit-{kind}-reset"] = full_at.isoformat(timespec="milliseconds").replace(
                "+00:00", "Z"
            )
        return told


def _full_bucket(per_minute: float, burst_seconds: float) -> Bucket:
    capacity = max(1.0, per_minute * burst_seconds / 60)
    return Bucket(per_minute, capacity, capacity, time.monotonic())
