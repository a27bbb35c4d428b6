"""The server's own bill: what was paid, how often, and for how many dollars; also as a file that outlives clients."""

import os
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel

from tinyemo_data.synthesis.rehearsal.prices import ModelPrice, Tokens


class ModelBill(BaseModel):
    """What one model's replies came to."""

    replies: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_write_tokens: int = 0
    cache_read_tokens: int = 0
    usd: float = 0.0

    def add(self, tokens: Tokens, usd: float) -> None:
        """Count one reply."""
        self.replies += 1
        self.input_tokens += tokens.input
        self.output_tokens += tokens.output
        self.cache_write_tokens += tokens.cache_write_5m + tokens.cache_write_1h
        self.cache_read_tokens += tokens.cache_read
        self.usd += usd


class BillReport(BaseModel):
    """The bill so far."""

    paid: int  # replies that were billed
    distinct_paid: int  # requests among them, told apart by digest (in batches: by custom_id)
    most_paid: int  # how often the most often paid request was paid
    usd: float
    by_model: dict[str, ModelBill]
    batches_created: int
    peak_in_flight: int  # messages and chat completions at once

    @property
    def paid_again(self) -> int:
        """Return how many replies were paid beside the first of each request."""
        return self.paid - self.distinct_paid


@dataclass(slots=True)
class Bill:
    """Grows with every reply; never shrinks but by `reset` of the server."""

    prices: dict[str, ModelPrice]
    file: int | None = None  # descriptor of the bill file, opened for appending
    usd: float = 0.0
    times: Counter[str] = field(default_factory=Counter)  # key -> how often it was paid
    by_model: dict[str, ModelBill] = field(default_factory=dict)

    def pay(self, key: str, digest: str, model: str, tokens: Tokens, batch_id: str | None = None) -> None:
        """Charge one reply to `key`; models without a price cost nothing."""
        price = self.prices.get(model)
        usd = price.dollars(tokens, batch_id is not None) if price else 0.0
        self.usd += usd
        self.times[key] += 1
        self.by_model.setdefault(model, ModelBill()).add(tokens, usd)
        if self.file is not None:
            self._write(key, digest, model, tokens, usd, batch_id)

    def report(self, batches_created: int, peak_in_flight: int) -> BillReport:
        """Return the bill so far."""
        return BillReport(
            paid=self.times.total(),
            distinct_paid=len(self.times),
            most_paid=max(self.times.values(), default=0),
            usd=self.usd,
            by_model=self.by_model,
            batches_created=batches_created,
            peak_in_flight=peak_in_flight,
        )

    def _write(self, key: str, digest: str, model: str, tokens: Tokens, usd: float, batch_id: str | None) -> None:
        assert self.file is not None
        line = {
            "at": time.time(),
            "key": key,
            "digest": digest,
            "model": model,
            "usd": usd,
            "batch_id": batch_id,
            "input_tokens": tokens.input,
            "output_tokens": tokens.output,
            "cache_write_tokens": tokens.cache_write_5m + tokens.cache_write_1h,
            "cache_read_tokens": tokens.cache_read,
        }
        # One write of one line: readers never see a part of it, whoever is killed.
        os.write(self.file, orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))


def open_bill_file(path: Path) -> int:
    """Open a bill file for appending and return its descriptor."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)


def read_bill_file(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a bill file: `key`, `digest`, `model`, `usd`, `batch_id`, the four kinds of tokens, `at`."""
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]
