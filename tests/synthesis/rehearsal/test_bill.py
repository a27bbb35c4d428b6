"""The server's own bill: dollars by the price list, and a file that outlives the client."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.synthesis.rehearsal.talking import ask, question, send
from tinyemo_data.errors import RehearsalError
from tinyemo_data.synthesis.rehearsal.bill import read_bill_file
from tinyemo_data.synthesis.rehearsal.faults import Faults
from tinyemo_data.synthesis.rehearsal.prices import Tokens, read_model_prices
from tinyemo_data.synthesis.rehearsal.process import RunningServer, running_server

MILLION = 1_000_000
# Dollars a million: input, output, written for 5 minutes, written for an hour, read from the cache.
LIST = {
    "claude-haiku-5-5": (0.10, 0.50, 0.125, 0.20, 0.01),
    "claude-sonnet-5-5": (2.0, 10.0, 2.5, 4.0, 0.10),
    "claude-opus-5-5": (4.0, 20.0, 5.0, 8.0, 0.20),
}
PROJECT = Path(__file__).parents[3]
CLIENT = """
import http.client, json, os, urllib.parse
server = urllib.parse.urlsplit(os.environ["ANTHROPIC_BASE_URL"])
connection = http.client.HTTPConnection(server.hostname, server.port)
headers = {"x-api-key": "k", "anthropic-version": "2023-06-01"}
for number in range(10_000):
    turns = [{"role": "user", "content": f"Question {number}"}]
    body = {"model": "claude-haiku-5-5", "max_tokens": 50, "messages": turns}
    connection.request("POST", "/v1/messages", json.dumps(body), headers)
    connection.getresponse().read()
"""


@pytest.mark.parametrize("model", LIST)
def test_each_kind_of_token_has_its_price(model: str) -> None:
    price = read_model_prices()[model]
    kinds = [Tokens(*(10_000 if kind == at else 0 for at in range(5))) for kind in range(5)]
    assert [price.dollars(tokens, batch=False) * 100 for tokens in kinds] == pytest.approx(list(LIST[model]))
    assert price.dollars(kinds[1], batch=True) * 200 == pytest.approx(LIST[model][1])


def test_a_long_prompt_costs_more_on_haiku_for_all_its_tokens() -> None:
    price = read_model_prices()["claude-haiku-5-5"]
    short, long = Tokens(100_000, 1_000), Tokens(60_000, 1_000, cache_read=40_001)
    assert price.dollars(short, batch=False) == pytest.approx((100_000 * 0.10 + 1_000 * 0.50) / MILLION)
    expected = (60_000 * 0.50 + 1_000 * 2.50 + 40_001 * 0.05) / MILLION
    assert price.dollars(long, batch=False) == pytest.approx(expected)


def test_a_price_list_that_is_none_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "prices.yaml").write_text("models: {a: {input: much}}")
    with pytest.raises(RehearsalError, match=r"prices\.yaml is no price list"):
        read_model_prices(tmp_path / "prices.yaml")


def test_the_bill_tells_models_and_repeated_payments_apart(server: RunningServer) -> None:
    for text, model in [("a", "claude-haiku-5-5"), ("a", "claude-haiku-5-5"), ("a", "claude-opus-5-5")]:
        ask(server, **question(text, model=model))
    bill = server.bill()
    assert (bill.paid, bill.distinct_paid, bill.most_paid, bill.paid_again) == (3, 2, 2, 1)
    assert {model: part.replies for model, part in bill.by_model.items()} == {
        "claude-haiku-5-5": 2,
        "claude-opus-5-5": 1,
    }
    assert bill.usd == pytest.approx(sum(part.usd for part in bill.by_model.values()))
    assert sorted(server.paid_times().values()) == [1, 2]


def test_a_reset_forgets_calls_bills_and_faults(server: RunningServer) -> None:
    server.set_faults(Faults(refused=1))
    ask(server, **question())
    server.reset()
    assert (server.bill().paid, server.requests(), server.faults()) == (0, [], Faults())


def test_the_bill_file_has_a_line_for_every_payment(tmp_path: Path) -> None:
    path = tmp_path / "bills" / "bill.jsonl"
    with running_server(bill_file=path, faults=Faults(lost_reply="nth:2")) as server:
        send(server, "/v1/messages", question("a"))
        with pytest.raises((ConnectionError, OSError)):
            send(server, "/v1/messages", question("b"))
        send(server, "/v1/messages", question(temperature=0))
        times, usd = server.paid_times(), server.bill().usd
    lines = read_bill_file(path)
    assert [line["key"] for line in lines] == list(times)
    assert sum(line["usd"] for line in lines) == pytest.approx(usd)
    assert all(line["model"] == "claude-haiku-5-5" and line["output_tokens"] > 0 for line in lines)


def test_the_bill_is_whole_when_the_client_was_killed(tmp_path: Path) -> None:
    path = tmp_path / "bill.jsonl"
    with running_server(bill_file=path, faults=Faults(latency=0.01)) as server:
        client = subprocess.Popen([sys.executable, "-c", CLIENT], env={**os.environ, **server.environment})
        deadline = time.monotonic() + 20
        while server.bill().paid < 10 and time.monotonic() < deadline:
            time.sleep(0.01)
        client.kill()
        assert client.wait() == -signal.SIGKILL
        time.sleep(0.05)
        paid = server.bill().paid
    assert len(read_bill_file(path)) == paid >= 10
