"""Submits and collects in a process of its own, and kills it at a given step (run by test_killed_batches).

A step is one of STEPS or `none`; a moment is before, torn (before the transaction's end) or after.
"""

import contextlib
import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from typing import Any

from tests.synthesis.asking import in_chunks, questions
from tests.synthesis.batches.running import budget_of
from tinyemo_data.synthesis.backends.batches import (
    Limits,
    collect,
    collection,
    creation,
    intent,
    open_batches_client,
    submit,
)
from tinyemo_data.synthesis.backends.batches import search as searching
from tinyemo_data.synthesis.backends.batches.service import BatchService
from tinyemo_data.synthesis.ledger import Ledger
from tinyemo_data.synthesis.lock import sole_sender

LIMITS = Limits(requests=25, under_way=3, patience_seconds=0.6)
# Every step that moves money or knowledge, and where it is called.
STEPS: dict[str, list[tuple[Any, str]]] = {
    "intent": [(creation, "write_intent")],
    "posted": [(creation, "write_posted")],
    "post": [(BatchService, "create")],
    "id": [(creation, "write_created"), (searching, "write_created")],
    "search": [(creation, "search"), (searching, "search")],
    "void": [(creation, "void"), (searching, "void")],
    "settle": [(Ledger, "settle")],
    "collected": [(collection, "write_collected")],
}


class Killer:
    """Kills this process at the n-th call of a step."""

    def __init__(self, step: str, occurrence: int, moment: str) -> None:
        self._occurrence, self._moment, self._calls, self._is_inside = occurrence, moment, 0, False
        if moment == "torn":
            self._hook_transactions()
        for owner, name in STEPS.get(step, []):
            setattr(owner, name, self._deadly(getattr(owner, name)))

    def strike(self, moment: str) -> None:
        if self._calls == self._occurrence and moment == self._moment:
            os.kill(os.getpid(), signal.SIGKILL)

    def _deadly(self, call: Any) -> Any:
        def deadly(*args: Any, **named: Any) -> Any:
            self._calls += 1
            self.strike("before")
            self._is_inside = True
            result = call(*args, **named)
            self._is_inside = False
            self.strike("after")
            return result

        return deadly

    def _hook_transactions(self) -> None:
        transaction = Ledger.transaction

        @contextlib.contextmanager
        def torn(ledger: Ledger) -> Iterator[sqlite3.Connection]:
            with transaction(ledger) as connection:
                yield connection
                if self._is_inside:
                    self.strike("torn")

        setattr(Ledger, "transaction", torn)  # noqa: B010


def run(environment: dict[str, str], path: str, count: int, step: str, occurrence: int, moment: str) -> None:
    """Ask `count` questions in batches, and end when all are answered; or die."""
    os.environ.update(environment)
    setattr(searching, "FIRST_WAIT", 0.1)  # noqa: B010
    for module in (intent, collection):
        setattr(module, "AT_ONCE", 10)  # noqa: B010
    Killer(step, occurrence, moment)
    outgoing = questions(count)
    with Ledger(path) as ledger, open_batches_client() as client, sole_sender(ledger.path):
        while ledger.accounts().states != {"answered": len(outgoing)}:
            budget = budget_of(ledger, wall=100.0)
            collect(ledger, client, budget)
            submit(in_chunks(outgoing, 40), ledger, budget, client, limits=LIMITS)
            time.sleep(0.02)
