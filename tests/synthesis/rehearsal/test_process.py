"""The server as a process: it starts, says why it can't, keeps no key, and never outlives its owner."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pydantic import ValidationError

from tests.synthesis.rehearsal.talking import question, send
from tinyemo_data.errors import RehearsalError
from tinyemo_data.synthesis.rehearsal.faults import Faults
from tinyemo_data.synthesis.rehearsal.process import RunningServer, running_server

PROJECT = Path(__file__).parents[3]
KEY = "sk-ant-planted-0123456789"
OWNER = """
import sys, time
from tinyemo_data.synthesis.rehearsal.process import running_server
with running_server() as server:
    print(server.pid, flush=True)
    time.sleep(60)
"""


def gone(pid: int) -> bool:
    """Tell whether a process has ended, waiting a little for it."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False


def test_a_server_stops_with_its_block() -> None:
    with running_server() as server:
        assert send(server, "/v1/messages", question())[0] == 200
        process = server.process
    assert process.poll() is not None


def test_a_server_stops_when_its_owner_is_killed() -> None:
    owner = subprocess.Popen([sys.executable, "-c", OWNER], stdout=subprocess.PIPE, env={**os.environ, **path()})
    assert owner.stdout is not None
    pid = int(owner.stdout.readline())
    owner.kill()
    owner.wait()
    owner.stdout.close()
    assert gone(pid)


def path() -> dict[str, str]:
    return {"PYTHONPATH": str(PROJECT)}


def test_a_server_stops_at_once_though_replies_are_under_way() -> None:
    with running_server(faults=Faults(latency=30)) as server:
        waiting = socket.create_connection((server.host, server.port))
        body = b'{"model":"claude-haiku-5-5","max_tokens":5,"messages":[{"role":"user","content":"q"}]}'
        lines = ["POST /v1/messages HTTP/1.1", "Host: a", "x-api-key: k", "anthropic-version: 1"]
        head = "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""])
        waiting.sendall(head.encode() + body)
        while server.bill().paid == 0:
            time.sleep(0.01)
        started = time.monotonic()
    assert time.monotonic() - started < 5
    waiting.close()


def test_a_port_that_is_taken_is_said(capfd: pytest.CaptureFixture[str]) -> None:
    with (
        running_server() as first,
        pytest.raises(RehearsalError, match="did not start"),
        running_server(port=first.port),
    ):
        pass
    assert "take another port" in capfd.readouterr().err


def test_unknown_options_are_refused_before_anything_starts() -> None:
    with pytest.raises(ValidationError, match="latncy"), running_server(latncy=1):
        pass


def test_the_key_is_written_nowhere(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    headers = {"x-api-key": KEY, "authorization": f"Bearer {KEY}", "anthropic-version": "2023-06-01"}
    bill = tmp_path / "bill.jsonl"
    with running_server(bill_file=bill, keep_bodies=True, faults=Faults(lost_reply="nth:3")) as server:
        answers = [send(server, "/v1/messages", body, headers) for body in (question(), {"model": 5})]
        with pytest.raises(OSError):
            send(server, "/v1/messages", question("again"), headers)
        answers += [send(server, path, None, headers, "GET") for path in ("/rehearsal/requests", "/rehearsal/bill")]
    output = capfd.readouterr()
    assert KEY not in f"{answers}{output.out}{output.err}{bill.read_text()}"


def test_calls_are_kept_in_order_of_arrival(server: RunningServer) -> None:
    for text in ("a", "b", "a"):
        send(server, "/v1/messages", question(text))
    calls = server.requests()
    assert [call["number"] for call in calls] == [1, 2, 3]
    assert calls[0]["digest"] == calls[2]["digest"] != calls[1]["digest"]
    assert [call["body"]["messages"][0]["content"] for call in calls] == ["a", "b", "a"]
    assert server.bill().peak_in_flight == 1


def test_signals_end_the_server(one_server: RunningServer) -> None:
    with running_server() as server:
        os.kill(server.pid, signal.SIGINT)  # Ctrl-C in a terminal reaches it too, and is its owner's business
        assert send(server, "/v1/messages", question())[0] == 200
        os.kill(server.pid, signal.SIGTERM)
        assert server.process.wait(10) == 0
