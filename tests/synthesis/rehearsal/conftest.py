"""A rehearsal server in a process of its own, shared by all tests of this folder and begun anew for each."""

from collections.abc import Iterator

import pytest

from tinyemo_data.synthesis.rehearsal.process import RunningServer, running_server


@pytest.fixture(scope="session")
def one_server() -> Iterator[RunningServer]:
    with running_server(keep_bodies=True, unpriced_models=["claude-of-tomorrow"]) as server:
        yield server


@pytest.fixture
def server(one_server: RunningServer) -> RunningServer:
    """A server without faults, limits, batches and bills."""
    one_server.reset()
    return one_server
