"""A run that is killed at random moments pays again, at most, for what was in flight; the server keeps the bill."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.synthesis.asking import ledger_path, question, questions
from tinyemo_data.errors import BudgetError
from tinyemo_data.synthesis.backends.anthropic_messages import AnthropicMessages
from tinyemo_data.synthesis.budget import Budget
from tinyemo_data.synthesis.engine import Asker
from tinyemo_data.synthesis.ledger import Ledger
from tinyemo_data.synthesis.rehearsal.faults import Faults
from tinyemo_data.synthesis.rehearsal.process import RunningServer, running_server

PROJECT = Path(__file__).parents[2]
QUESTIONS, CONCURRENCY = 400, 16
KILLS = 3
SEEDS = range(20) if os.environ.get("TINYEMO_FAULT_TRIALS") == "all" else range(3)


def start(server: RunningServer, ledger: Path, backend: str) -> subprocess.Popen[bytes]:
    chat = [server.chat_url] if backend == "openai_compatible" else []
    arguments = [str(ledger), str(QUESTIONS), str(CONCURRENCY), *chat]
    return subprocess.Popen(
        [sys.executable, "-m", "tests.synthesis.ask_and_die", *arguments],
        cwd=PROJECT,
        env={**os.environ, **server.environment},
    )


def kill_when_paid(server: RunningServer, process: subprocess.Popen[bytes], paid: int) -> bool:
    """Kill the process as soon as the server's bill has grown by `paid`; tell whether it was still running."""
    before = server.bill().paid
    while process.poll() is None and server.bill().paid < before + paid:
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    return process.wait(60) == -signal.SIGKILL


@pytest.mark.faults
@pytest.mark.parametrize("seed", SEEDS)
def test_killed_asking_pays_again_for_no_more_than_was_in_flight(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    backend = ("anthropic", "openai_compatible")[seed % 2]
    path = ledger_path(tmp_path)
    faults = Faults.model_validate({"latency": "0.005-0.05", "rate_limited": 0.05, "seed": seed})
    with running_server(faults=faults) as server:
        kills = 0
        for _ in range(KILLS):
            process = start(server, path, backend)
            kills += kill_when_paid(server, process, dice.randint(1, QUESTIONS // (KILLS + 1)))
        assert start(server, path, backend).wait(120) == 0
        bill = server.bill()
    digests = [one.digest for one in questions(QUESTIONS)]
    with Ledger(path) as ledger:
        stored = ledger.replies(digests)
        accounts = ledger.accounts()
    assert all(stored[digest].state == "answered" for digest in digests)
    assert bill.distinct_paid == QUESTIONS
    assert bill.paid_again <= kills * CONCURRENCY
    # What the killed processes had in flight is still counted as if it had been billed.
    assert accounts.committed_usd >= bill.usd - 1e-9
    print(f"seed {seed}, {backend}: {kills} kills, {bill.paid} paid for {QUESTIONS} questions")


@pytest.mark.faults
def test_a_budget_of_one_dollar_is_a_wall_for_100_000_requests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every hundredth reply is lost. In `make test` a tenth of it: 10,000 requests against ten cents."""
    part = 1 if os.environ.get("TINYEMO_FAULT_TRIALS") == "all" else 10
    wall, count = 1.00 / part, 100_000 // part
    with running_server(faults=Faults.model_validate({"lost_reply": 0.01})) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        with Ledger(ledger_path(tmp_path)) as ledger:
            chunks = ([question(number) for number in range(start, start + 500)] for start in range(0, count, 500))
            asker = Asker(ledger, AnthropicMessages(64), Budget(wall), 64)
            with pytest.raises(BudgetError, match=r"TINYEMO_SYNTHESIS__BUDGET_USD") as stopped:
                asker.run(chunks, count)
            accounts = ledger.accounts()
        bill = server.bill()
    print(f"${bill.usd:.4f} billed of ${wall:.2f}, ${accounts.at_risk_usd:.4f} at risk: {stopped.value}")
    assert bill.usd <= wall
    # What was reserved for lost replies apart, the budget was used.
    assert accounts.committed_usd > 0.99 * wall
