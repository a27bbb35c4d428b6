"""Killed at any moment, submitting and collecting go on where they were: no request is paid twice, no batch made twice.

Four rounds of random kills in `make test`, twenty-five in `make test-faults` (TINYEMO_FAULT_TRIALS=all).
"""

import multiprocessing
import os
import random
import signal
import time
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from tests.synthesis.asking import ledger_path
from tests.synthesis.batches import submit_and_die
from tests.synthesis.batches.running import check_paid_once
from tinyemo_data.synthesis.ledger import Ledger
from tinyemo_data.synthesis.rehearsal.faults import Faults
from tinyemo_data.synthesis.rehearsal.process import RunningServer

# Processes of their own that begin with everything imported, which would take longer than what is tested.
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.synthesis.batches.submit_and_die"])
COUNT, BATCHES = 110, 5  # of 25 requests each, and one of 10
FAULTS = {"batch_lost_creation": "0.3", "batch_dropped_creation": "0.2", "batch_results_cut": "0.3"}
ALL = os.environ.get("TINYEMO_FAULT_TRIALS") == "all"
TRIALS = range(25 if ALL else 4)


def start(server: RunningServer, ledger: Path, step: str = "none", number: int = 0, moment: str = "-") -> BaseProcess:
    process = CONTEXT.Process(
        target=submit_and_die.run, args=(server.environment, str(ledger), COUNT, step, number, moment)
    )
    process.start()
    return process


def end(process: BaseProcess) -> int | None:
    """Wait for a process and return its exit status; it is killed where it does not end."""
    process.join(60)
    process.kill()
    process.join()
    return process.exitcode


def check_after_resuming(server: RunningServer, ledger: Path) -> None:
    """Resume to the end, and compare with the service's own bill."""
    assert end(start(server, ledger)) == 0
    bill = server.bill()
    assert (bill.paid, bill.distinct_paid, bill.most_paid) == (COUNT, COUNT, 1)
    assert bill.batches_created == BATCHES
    with Ledger(ledger) as opened:
        check_paid_once(opened, COUNT, bill.usd)


MOMENTS = [("intent", 3, "after"), ("posted", 2, "after"), ("id", 2, "torn"), ("settle", 4, "torn")]
ALL_MOMENTS = [
    (step, number, moment)
    for step, numbers in {
        "intent": (1, 4),
        "posted": (1, 4),
        "post": (1, 3, 5),
        "id": (1, 4),
        "settle": (1, 5, 9),
        "collected": (2, 4),
    }.items()
    for number in numbers
    for moment in ("before", "torn", "after")
    # To post is no transaction.
    if (step, moment) != ("post", "torn")
]
IN_DOUBT = [
    ("search", 1, "before"),
    ("search", 1, "after"),
    ("void", 1, "before"),
    ("void", 1, "torn"),
    ("void", 1, "after"),
]


@pytest.mark.faults
@pytest.mark.parametrize(("step", "number", "moment"), [*MOMENTS, *(ALL_MOMENTS if ALL else [])])
def test_nothing_is_paid_or_made_twice_wherever_a_process_was_killed(
    server: RunningServer, tmp_path: Path, step: str, number: int, moment: str
) -> None:
    server.set_faults(Faults(batch_seconds=0.1))
    ledger = ledger_path(tmp_path)
    assert end(start(server, ledger, step, number, moment)) == -signal.SIGKILL
    check_after_resuming(server, ledger)


@pytest.mark.faults
@pytest.mark.parametrize(("step", "number", "moment"), IN_DOUBT if ALL else IN_DOUBT[3:4])
def test_nothing_is_paid_or_made_twice_when_what_settles_a_doubt_is_killed_too(
    server: RunningServer, tmp_path: Path, step: str, number: int, moment: str
) -> None:
    server.set_faults(Faults(batch_seconds=0.1))
    ledger = ledger_path(tmp_path)
    assert end(start(server, ledger, "posted", 2, "after")) == -signal.SIGKILL
    assert end(start(server, ledger, step, number, moment)) == -signal.SIGKILL
    check_after_resuming(server, ledger)


@pytest.mark.faults
@pytest.mark.parametrize("seed", TRIALS)
def test_nothing_is_paid_or_made_twice_with_lost_replies_and_kills_at_random(
    server: RunningServer, tmp_path: Path, seed: int
) -> None:
    server.set_faults(Faults(seed=seed, batch_seconds=0.3, **FAULTS))
    ledger, moments = ledger_path(tmp_path), random.Random(seed)
    for _ in range(moments.randint(1, 4)):
        process = start(server, ledger)
        deadline = time.monotonic() + 30
        while not Path(f"{ledger}.sender.json").exists() and process.is_alive() and time.monotonic() < deadline:
            time.sleep(0.005)
        time.sleep(moments.uniform(0.0, 0.8))
        process.kill()
        process.join()
        Path(f"{ledger}.sender.json").unlink(missing_ok=True)
    check_after_resuming(server, ledger)
