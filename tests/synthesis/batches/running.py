"""What the tests of batches do again and again: submit, wait for the end, collect."""

import hashlib
import time
from collections.abc import Sequence
from pathlib import Path

import anthropic
from PIL import Image

from tests.synthesis.asking import MODEL, SCHEMA, in_chunks
from tinyemo_data.synthesis.backends.batches import (
    CollectReport,
    Limits,
    SubmitReport,
    collect,
    poll,
    states,
    submit,
)
from tinyemo_data.synthesis.backends.batches.canary import Online
from tinyemo_data.synthesis.budget import Budget
from tinyemo_data.synthesis.ledger import Ledger
from tinyemo_data.synthesis.outgoing import Outgoing
from tinyemo_data.synthesis.request import make_request

LIMITS = Limits(requests=50, under_way=20, patience_seconds=0.3)
DEADLINE = 30.0  # seconds


def budget_of(ledger: Ledger, wall: float | None = None) -> Budget:
    """Return the budget as the ledger's accounts have it."""
    accounts = ledger.accounts()
    return Budget(wall, accounts.spent_usd, accounts.at_risk_usd)


def submit_all(
    ledger: Ledger,
    client: anthropic.Anthropic,
    outgoing: Sequence[Outgoing],
    *,
    wall: float | None = None,
    online: Online | None = None,
    limits: Limits = LIMITS,
) -> SubmitReport:
    """Submit in chunks of 40, which no limit is a multiple of."""
    budget = budget_of(ledger, wall)
    return submit(in_chunks(list(outgoing), 40), ledger, budget, client, online=online, limits=limits)


def wait_for_ends(ledger: Ledger, client: anthropic.Anthropic) -> None:
    """Poll until every batch that has an id has ended."""
    deadline = time.monotonic() + DEADLINE
    while any(state.batch_id is not None and not state.has_ended for state in poll(ledger, client)):
        assert time.monotonic() < deadline, states(ledger)
        time.sleep(0.02)


def collect_all(ledger: Ledger, client: anthropic.Anthropic) -> CollectReport:
    """Wait for all ends and collect."""
    wait_for_ends(ledger, client)
    return collect(ledger, client, budget_of(ledger))


def check_paid_once(ledger: Ledger, paid: int, usd: float) -> None:
    """Assert that all was answered and that the ledger's accounts are the service's bill, with nothing left at risk."""
    accounts = ledger.accounts()
    assert accounts.states == {"answered": paid}
    assert abs(accounts.spent_usd - usd) < 1e-9
    assert accounts.at_risk_usd == 0


def pictured(folder: Path, count: int) -> list[Outgoing]:
    """Return requests with a small picture each, written to `folder`."""
    return [pictured_request(folder / f"{number}.png", number) for number in range(count)]


def pictured_request(path: Path, number: int) -> Outgoing:
    """Write a picture of its own and return a request about it."""
    Image.new("RGB", (48, 36), (number % 256, 90, 40)).save(path)
    request = make_request(
        model=MODEL,
        system="You describe pictures.",
        text=f"Question {number}",
        schema=SCHEMA,
        max_tokens=100,
        seed=number,
        picture={"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "side": 32},
    )
    return Outgoing(request.digest, request.canonical, path)
