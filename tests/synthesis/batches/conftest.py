"""A rehearsal server, a ledger and the real client, for every test of batches."""

from collections.abc import Iterator
from pathlib import Path

import anthropic
import pytest

from tests.synthesis.asking import ledger_path
from tinyemo_data.synthesis import failures
from tinyemo_data.synthesis.backends.batches import open_batches_client
from tinyemo_data.synthesis.backends.batches import search as searching
from tinyemo_data.synthesis.ledger import Ledger
from tinyemo_data.synthesis.rehearsal.process import RunningServer, running_server


@pytest.fixture(scope="session")
def one_server() -> Iterator[RunningServer]:
    with running_server(keep_bodies=True, batch_requests=200) as server:
        yield server


@pytest.fixture
def server(one_server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> RunningServer:
    one_server.reset()
    for name, value in one_server.environment.items():
        monkeypatch.setenv(name, value)
    # Waits of seconds and minutes are the policy; here they are hundredths of a second.
    monkeypatch.setattr(failures, "_EXPONENTIAL", lambda state: 0.02 * state.attempt_number)
    monkeypatch.setattr(searching, "FIRST_WAIT", 0.05)
    return one_server


@pytest.fixture
def client(server: RunningServer) -> Iterator[anthropic.Anthropic]:
    with open_batches_client() as opened:
        yield opened


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(ledger_path(tmp_path)) as opened:
        yield opened
