"""A rehearsal server in a process of its own, for tests and benchmarks.

with running_server(faults=Faults(lost_reply="nth:3"), bill_file=path) as server:
    client = anthropic.AsyncAnthropic(base_url=server.url, api_key="rehearsal", max_retries=0)
    ...
    assert server.bill().most_paid == 1
"""

import contextlib
import http.client
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from tinyemo_data.errors import RehearsalError
from tinyemo_data.synthesis.rehearsal.bill import BillReport
from tinyemo_data.synthesis.rehearsal.faults import Faults
from tinyemo_data.synthesis.rehearsal.limits import Limits
from tinyemo_data.synthesis.rehearsal.options import Options

PROJECT = Path(__file__).parents[3]
STOP_SECONDS = 10.0
ANSWER_SECONDS = 60.0


@dataclass(frozen=True)
class RunningServer:
    """A server that runs, and what can be asked of it from outside."""

    host: str
    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        """Return what `ANTHROPIC_BASE_URL` must be."""
        return f"http://{self.host}:{self.port}"

    @property
    def chat_url(self) -> str:
        """Return the base URL of the chat-completions service."""
        return f"{self.url}/v1"

    @property
    def pid(self) -> int:
        """Return the server's process id."""
        return self.process.pid

    @property
    def environment(self) -> dict[str, str]:
        """Return the variables by which a client process finds this server."""
        return {"ANTHROPIC_BASE_URL": self.url, "ANTHROPIC_API_KEY": "rehearsal", "NO_PROXY": self.host}

    def bill(self) -> BillReport:
        """Return what has been paid so far."""
        return BillReport(**self._ask("GET", "bill"))

    def paid_times(self) -> dict[str, int]:
        """Return how many times each request was paid, by its digest (of batches: by its custom_id)."""
        times: dict[str, int] = self._ask("GET", "paid")
        return times

    def requests(self) -> list[dict[str, Any]]:
        """Return every call of messages, chat completions and batches so far (`journal.Call`), in order of arrival."""
        calls: list[dict[str, Any]] = self._ask("GET", "requests")
        return calls

    def faults(self) -> Faults:
        """Return the faults as they are now."""
        return Faults(**self._ask("GET", "faults"))

    def set_faults(self, faults: Faults) -> None:
        """Change the faults, and count requests from 1 again."""
        self._ask("PUT", "faults", faults.model_dump(mode="json"))

    def set_limits(self, limits: Limits) -> None:
        """Change the rate limits, and start with full buckets."""
        self._ask("PUT", "limits", limits.model_dump(mode="json"))

    def reset(self) -> None:
        """Forget all batches, calls and bills, and set faults and limits as at the start; the bill file stays."""
        self._ask("POST", "reset")

    def _ask(self, method: str, what: str, body: Any = None) -> Any:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=ANSWER_SECONDS)
        try:
            connection.request(method, f"/rehearsal/{what}", None if body is None else orjson.dumps(body))
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        if answer.status != http.client.OK:
            raise RehearsalError(f"The rehearsal server refused {method} /rehearsal/{what}: {content.decode()}")
        return orjson.loads(content)


@contextlib.contextmanager
def running_server(**options: Any) -> Iterator[RunningServer]:
    """Start a server with these `Options`, wait until it listens, and stop it when the block ends.

    The server also stops when this process dies: it watches its standard input. Raises RehearsalError where it does
    not start, pydantic.ValidationError for options that there are not.
    """
    chosen = Options(**options)
    process = _start(chosen)
    try:
        yield RunningServer(chosen.host, _read_port(process), process)
    finally:
        _stop(process)


def _start(options: Options) -> subprocess.Popen[bytes]:
    # An installed package is found anyway; a checkout is found through its own folder.
    path = os.pathsep.join([str(PROJECT), *filter(None, [os.environ.get("PYTHONPATH")])])
    process = subprocess.Popen(
        [sys.executable, "-m", "tinyemo_data.synthesis.rehearsal"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert process.stdin is not None
    process.stdin.write(options.model_dump_json().encode() + b"\n")
    process.stdin.flush()
    return process


def _read_port(process: subprocess.Popen[bytes]) -> int:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise RehearsalError(f"The rehearsal server did not start (exit status {process.wait()}); see its own output.")
    return int(orjson.loads(line)["port"])


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the process: it stops by itself when its standard input closes."""
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with contextlib.suppress(BrokenPipeError):
                stream.close()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
