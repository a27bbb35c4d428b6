"""The state behind all routes: faults, limits, prompt cache, bill, and the journal of calls."""

import hashlib
import os
import time
from dataclasses import dataclass, field
from typing import Any

import orjson

from tinyemo_data.synthesis.rehearsal.bill import Bill, BillReport, open_bill_file
from tinyemo_data.synthesis.rehearsal.faults import Faults
from tinyemo_data.synthesis.rehearsal.limits import Limits, RateLimiter
from tinyemo_data.synthesis.rehearsal.options import Options
from tinyemo_data.synthesis.rehearsal.prices import UNPRICED, ModelPrice, read_model_prices
from tinyemo_data.synthesis.rehearsal.prompt_cache import PromptCache


@dataclass(slots=True)
class Call:
    """One call, for the journal."""

    number: int  # from 1, of its kind of call since faults were last set
    at: float  # Unix time, seconds
    route: str  # messages, chat, or batches
    digest: str  # SHA-256 of the canonical body, in hex; of batches: of the custom_ids
    outcome: int | str = "pending"  # the HTTP status; "lost" or "dropped" where the connection closed
    fault: str | None = None  # the fault it met, if any
    body: Any = None  # where bodies are kept


@dataclass
class Service:
    """Everything that routes share. Use it from one thread."""

    options: Options
    prices: dict[str, ModelPrice] = field(default_factory=read_model_prices)
    journal: list[Call] = field(default_factory=list)
    in_flight: int = 0
    peak_in_flight: int = 0
    batches_created: int = 0

    def __post_init__(self) -> None:
        """Start as the options say."""
        self.prices |= dict.fromkeys(self.options.unpriced_models, UNPRICED)
        self._tag = os.urandom(6).hex()
        self._ids = 0
        self._file = open_bill_file(self.options.bill_file) if self.options.bill_file else None
        self.reset()

    def reset(self) -> None:
        """Forget calls and bills, and set faults and limits as at the start; ids go on, so that none comes twice."""
        self.bill = Bill(self.prices, self._file)
        self.cache = PromptCache()
        self.journal.clear()
        self.peak_in_flight = self.in_flight
        self.batches_created = 0
        self.set_faults(self.options.faults)
        self.set_limits(self.options.limits)

    def set_faults(self, faults: Faults) -> None:
        """Change the faults, and count everything from 1 again."""
        self.faults = faults
        self._counts: dict[str, int] = {}

    def set_limits(self, limits: Limits) -> None:
        """Change the limits, and start with full buckets."""
        self.limiter = RateLimiter(limits)

    def count(self, kind: str) -> int:
        """Return the number, from 1, of the next event of a kind."""
        self._counts[kind] = self._counts.get(kind, 0) + 1
        return self._counts[kind]

    def next_id(self, prefix: str) -> str:
        """Return an id that no other has."""
        self._ids += 1
        return f"{prefix}_01{self._tag}{self._ids:08d}"

    def begin(self, route: str, digest: str, body: Any) -> Call:
        """Write a call into the journal. Messages and chat completions are counted together."""
        number = self.count("batch" if route == "batches" else "request")
        call = Call(number, time.time(), route, digest, body=body if self.options.keep_bodies else None)
        if self.options.keep_calls:
            self.journal.append(call)
        return call

    def meets(self, call: Call, name: str) -> bool:
        """Tell whether fault `name` falls on this call, and remember it."""
        if not self.faults.meet(name, call.number):
            return False
        call.fault = name
        return True

    def happened(self, kind: str) -> int:
        """Return how many events of a kind there were since faults were last set."""
        return self._counts.get(kind, 0)

    def report(self) -> BillReport:
        """Return the bill so far."""
        return self.bill.report(self.batches_created, self.peak_in_flight)


def canonical_digest(body: Any) -> str:
    """Return the SHA-256 of a body as JSON with sorted keys, in hex: however it was written, it has one digest."""
    return hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()
