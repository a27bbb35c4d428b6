"""The engine against a local server that speaks the services' protocols to the real clients and keeps its own bill."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.synthesis.asking import MODEL, environment, in_chunks, ledger_path, questions
from tinyemo_data.errors import BudgetError, LedgerError, PriceError
from tinyemo_data.synthesis import engine, failures
from tinyemo_data.synthesis.backends.anthropic_messages import AnthropicMessages
from tinyemo_data.synthesis.backends.offline import Rules
from tinyemo_data.synthesis.backends.online import Arrived
from tinyemo_data.synthesis.backends.openai_compatible import OpenAICompatible
from tinyemo_data.synthesis.budget import Budget
from tinyemo_data.synthesis.engine import Asker, AskReport
from tinyemo_data.synthesis.failures import StoppedError
from tinyemo_data.synthesis.ledger import Ledger
from tinyemo_data.synthesis.outgoing import Outgoing
from tinyemo_data.synthesis.rehearsal.faults import Faults
from tinyemo_data.synthesis.rehearsal.limits import Limits
from tinyemo_data.synthesis.rehearsal.process import RunningServer, running_server
from tinyemo_data.synthesis.reply import Reply, Usage
from tinyemo_data.synthesis.request import make_request

BACKENDS = ("anthropic", "openai_compatible")


@pytest.fixture(scope="module")
def one_server() -> Iterator[RunningServer]:
    with running_server(keep_bodies=True) as server:
        yield server


@pytest.fixture
def server(one_server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> RunningServer:
    one_server.reset()
    for name, value in one_server.environment.items():
        monkeypatch.setenv(name, value)
    # Waits of minutes are the policy; here they are tenths of a second.
    monkeypatch.setattr(failures, "_EXPONENTIAL", lambda state: 0.02 * state.attempt_number)
    return one_server


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(ledger_path(tmp_path))


def open_backend(name: str, server: RunningServer, concurrency: int) -> Any:
    return AnthropicMessages(concurrency) if name == "anthropic" else OpenAICompatible(server.chat_url, concurrency)


def ask(
    server: RunningServer,
    ledger: Ledger,
    outgoing: list[Outgoing],
    *,
    backend: str = "anthropic",
    wall: float | None = None,
    concurrency: int = 16,
) -> AskReport:
    accounts = ledger.accounts()
    budget = Budget(wall, accounts.spent_usd, accounts.at_risk_usd)
    asker = Asker(ledger, open_backend(backend, server, concurrency), budget, concurrency)
    return asker.run(in_chunks(outgoing), len(outgoing))


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_request_is_answered_once_and_never_asked_again(
    server: RunningServer, ledger: Ledger, backend: str
) -> None:
    outgoing = questions(300)
    first = ask(server, ledger, outgoing, backend=backend)
    again = ask(server, ledger, outgoing, backend=backend)
    bill = server.bill()
    assert (first.answered, again.answered, again.cached) == (300, 0, 300)
    assert (bill.paid, bill.distinct_paid) == (300, 300)
    assert ledger.accounts().spent_usd == pytest.approx(bill.usd)
    assert ledger.accounts().at_risk_usd == 0


def test_a_question_that_stands_for_two_records_is_asked_once(server: RunningServer, ledger: Ledger) -> None:
    outgoing = questions(20)
    ask(server, ledger, outgoing + outgoing)
    assert server.bill().paid == 20


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("fault", ["rate_limited", "overloaded", "server_error", "dropped"])
def test_what_passes_by_itself_is_tried_again(server: RunningServer, ledger: Ledger, fault: str, backend: str) -> None:
    server.set_faults(Faults.model_validate({fault: 0.2}))
    report = ask(server, ledger, questions(100), backend=backend)
    assert report.answered == 100
    assert report.retries.total() > 0
    assert server.bill().paid == 100


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_lost_reply_stays_at_risk_and_is_asked_again(server: RunningServer, ledger: Ledger, backend: str) -> None:
    server.set_faults(Faults.model_validate({"lost_reply": "nth:3,7"}))
    report = ask(server, ledger, questions(50), backend=backend)
    assert report.answered == 50
    assert server.bill().paid == 52
    # Nobody knows here that these were billed; the budget must count them as if.
    accounts = ledger.accounts()
    assert accounts.committed_usd >= server.bill().usd
    assert accounts.at_risk_usd > 0


def test_refusals_and_broken_replies_are_kept_and_not_asked_again(server: RunningServer, ledger: Ledger) -> None:
    server.set_faults(Faults.model_validate({"refused": 0.2, "cut_off": 0.2, "malformed": 0.2}))
    assert ask(server, ledger, questions(60)).answered == 60
    assert ask(server, ledger, questions(60)).cached == 60
    assert server.bill().paid == 60


@pytest.mark.parametrize("limit", ["enforced", "contract", "billing", "specified"])
def test_a_spending_limit_stops_the_run_with_everything_kept(server: RunningServer, ledger: Ledger, limit: str) -> None:
    server.set_faults(Faults.model_validate({"spend_limit": limit, "spend_limit_from": 31}))
    with pytest.raises(StoppedError, match="kept"):
        ask(server, ledger, questions(200), concurrency=4)
    states = ledger.accounts().states
    assert states["answered"] == 30
    assert "failed" not in states
    server.set_faults(Faults())
    assert ask(server, ledger, questions(200)).answered == 170


def test_a_key_that_is_refused_stops_the_run(server: RunningServer, ledger: Ledger) -> None:
    server.set_faults(Faults.model_validate({"unauthorised": "from:11"}))
    with pytest.raises(StoppedError, match="ANTHROPIC_API_KEY"):
        ask(server, ledger, questions(100), concurrency=2)
    assert ledger.accounts().at_risk_usd == 0


def test_no_key_is_one_clear_message(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(StoppedError, match="no ANTHROPIC_API_KEY"):
        AnthropicMessages(1)


def test_a_prompt_that_the_service_never_takes_stops_the_run_and_writes_nothing_off(
    server: RunningServer, ledger: Ledger
) -> None:
    schema = {"type": "object", "properties": {}, "additionalProperties": True}
    broken = []
    for number in range(100):
        request = make_request(
            model=MODEL, system="s", text=str(number), schema=schema, max_tokens=5, seed=0, picture=None
        )
        broken.append(Outgoing(request.digest, request.canonical, None))
    with pytest.raises(StoppedError, match="takes no request of one prompt"):
        ask(server, ledger, broken)
    assert "failed" not in ledger.accounts().states
    assert server.bill().paid == 0


def test_a_request_that_the_service_never_takes_is_skipped_when_others_of_its_prompt_are_taken(
    server: RunningServer, ledger: Ledger
) -> None:
    system = questions(1)[0]
    body = make_request(**{**_body(system), "text": ""})
    report = ask(server, ledger, [*questions(20), Outgoing(body.digest, body.canonical, None)])
    assert report.answered == 20
    assert report.refused.total() == 1
    stored = ledger.replies([body.digest])[body.digest]
    assert stored.state == "failed"
    assert stored.failure
    assert ask(server, ledger, [Outgoing(body.digest, body.canonical, None)]).cached == 1


def test_a_service_that_is_down_stops_the_run(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, server: RunningServer
) -> None:
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:9")
    with pytest.raises(StoppedError, match="given up"):
        ask(server, ledger, questions(200))
    assert ledger.accounts().at_risk_usd == 0


def test_the_budget_is_a_wall(server: RunningServer, ledger: Ledger) -> None:
    outgoing = questions(400)
    with pytest.raises(BudgetError, match=r"used up.*run the same again"):
        ask(server, ledger, outgoing, wall=0.01)
    bill = server.bill()
    assert 0 < bill.usd <= 0.01
    kept = ledger.accounts().states["answered"]
    assert kept == bill.paid
    assert ask(server, ledger, outgoing, wall=1.0).answered == 400 - kept
    assert server.bill().most_paid == 1


def test_the_budget_holds_when_replies_are_lost(server: RunningServer, ledger: Ledger) -> None:
    server.set_faults(Faults.model_validate({"lost_reply": 0.3}))
    with pytest.raises(BudgetError):
        ask(server, ledger, questions(400), wall=0.02)
    assert server.bill().usd <= 0.02


def test_a_model_without_a_price_is_refused_before_anything_is_sent(server: RunningServer, ledger: Ledger) -> None:
    with pytest.raises(PriceError, match="no price"):
        ask(server, ledger, questions(3, model="claude-unheard-of"))
    assert server.bill().paid == 0


def test_two_runs_on_one_ledger_pay_nothing_twice(server: RunningServer, tmp_path: Path) -> None:
    from tinyemo_data.synthesis.lock import sole_sender

    server.set_faults(Faults.model_validate({"latency": 0.05}))
    waited: list[str] = []

    def run() -> None:
        path = ledger_path(tmp_path)
        with Ledger(path) as ledger, sole_sender(path, waited.append):
            ask(server, ledger, questions(200))

    threads = [threading.Thread(target=run) for _ in range(2)]
    threads[0].start()
    while not server.bill().paid:
        time.sleep(0.01)
    threads[1].start()
    for thread in threads:
        thread.join()
    assert server.bill().paid == 200
    assert len(waited) == 1
    assert "process" in waited[0]


def test_a_limit_that_headers_tell_is_kept_from_the_start(server: RunningServer, ledger: Ledger) -> None:
    server.set_limits(Limits(requests_per_minute=3_000, told=True, burst_seconds=1))
    report = ask(server, ledger, questions(150), concurrency=32)
    assert report.answered == 150
    assert report.retries.total() <= 40


def test_an_interrupt_keeps_what_was_in_flight(server: RunningServer, ledger: Ledger) -> None:
    server.set_faults(Faults.model_validate({"latency": 0.1}))
    calls = 0

    def interrupt(_: object) -> None:
        nonlocal calls
        calls += 1

    asker = Asker(ledger, open_backend("anthropic", server, 8), Budget(None), 8, report=interrupt)
    original = engine._LoopThread._wait

    def interrupted(self: Any) -> None:
        if calls == 0 and not getattr(self, "once", False):
            self.once = True
            time.sleep(0.35)
            raise KeyboardInterrupt
        original(self)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(engine._LoopThread, "_wait", interrupted)
        calls = 0
        asker._tell = None
        asker.run(in_chunks(questions(500)), 500)
    assert 0 < server.bill().paid < 500
    assert ledger.accounts().states["answered"] == server.bill().paid
    assert ledger.accounts().at_risk_usd == 0


def test_the_picture_is_sent_small_and_before_the_text(server: RunningServer, ledger: Ledger, tmp_path: Path) -> None:
    import base64
    import hashlib
    import io

    path = tmp_path / "picture.png"
    Image.new("RGB", (800, 400), (200, 30, 30)).save(path)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    body = _body(questions(1)[0]) | {"picture": {"sha256": sha256, "side": 512}}
    request = make_request(**body)
    gone = make_request(**(body | {"picture": {"sha256": "0" * 64, "side": 512}}))
    report = ask(
        server,
        ledger,
        [Outgoing(request.digest, request.canonical, path), Outgoing(gone.digest, gone.canonical, path)],
    )
    assert report.answered == 1
    assert report.pictures_gone == 1
    assert "other bytes" in report.first_gone[0]
    content = server.requests()[0]["body"]["messages"][0]["content"]
    assert [block["type"] for block in content] == ["image", "text"]
    sent = Image.open(io.BytesIO(base64.b64decode(content[0]["source"]["data"])))
    assert sent.size == (512, 256)


def test_no_key_is_in_the_ledger_or_in_an_error(
    server: RunningServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    key = "sk-ant-planted-0123456789abcdef"
    path = ledger_path(tmp_path)
    with environment({"ANTHROPIC_API_KEY": key}), Ledger(path) as ledger:
        ask(server, ledger, questions(5))
        server.set_faults(Faults.model_validate({"unauthorised": "from:1"}))
        with pytest.raises(StoppedError) as stopped:
            ask(server, ledger, [*questions(20)[5:]])
    assert key not in str(stopped.value)
    assert key not in caplog.text
    written = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert key.encode() not in written


def _body(outgoing: Outgoing) -> dict[str, Any]:
    import orjson

    body: dict[str, Any] = orjson.loads(outgoing.canonical)
    body.pop("version")
    return body


def test_one_bad_request_is_skipped_when_its_prompt_was_answered_in_an_earlier_run(
    server: RunningServer, ledger: Ledger
) -> None:
    ask(server, ledger, questions(20))
    bad = make_request(**{**_body(questions(1)[0]), "text": ""})
    report = ask(server, ledger, [*questions(20), Outgoing(bad.digest, bad.canonical, None)])
    assert (report.cached, report.refused.total()) == (20, 1)


def test_a_lost_connection_ends_no_run_while_others_may_still_settle(server: RunningServer, ledger: Ledger) -> None:
    outgoing = questions(400)
    server.set_faults(Faults.model_validate({"dropped": "nth:5", "latency": 0.02}))
    with pytest.raises(BudgetError) as stopped:
        ask(server, ledger, outgoing, wall=0.02, concurrency=32)
    assert server.bill().usd > 0.008
    assert f"{ledger.accounts().states['answered']:,} of 400" in str(stopped.value)


@pytest.mark.parametrize("url", ["127.0.0.1:1/v1", "ftp://127.0.0.1"])
@pytest.mark.parametrize("backend", BACKENDS)
def test_an_address_that_is_none_stops_the_run_and_risks_nothing(
    server: RunningServer, ledger: Ledger, monkeypatch: pytest.MonkeyPatch, backend: str, url: str
) -> None:
    monkeypatch.setenv("ANTHROPIC_BASE_URL", url)
    made = AnthropicMessages(2) if backend == "anthropic" else OpenAICompatible(url, 2)
    with pytest.raises(StoppedError):
        Asker(ledger, made, Budget(None), 2).run(in_chunks(questions(30)), 30)
    assert ledger.accounts().at_risk_usd == 0


def test_a_key_in_a_mounted_secret_may_end_in_a_line_break(
    server: RunningServer, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-planted-0123456789\n")
    assert ask(server, ledger, questions(3)).answered == 3
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant planted-0123456789")
    with pytest.raises(StoppedError) as stopped:
        AnthropicMessages(1)
    assert "planted" not in str(stopped.value)


class TellsNoUsage:
    """A server of one's own that counts no tokens."""

    name = "openai_compatible"
    sends_pictures = False

    async def send(self, digest: str, body: dict[str, Any], picture: bytes | None) -> Arrived:
        del body, picture
        return Arrived(Reply(digest, b'{"choices": [{"message": {"content": "{}"}}]}', Usage(), self.name, MODEL), {})

    async def __aenter__(self) -> "TellsNoUsage":
        return self

    async def __aexit__(self, *exc: object) -> None:
        return


def test_a_reply_that_does_not_say_what_it_cost_counts_as_the_most_it_can(ledger: Ledger) -> None:
    with pytest.raises(BudgetError):
        Asker(ledger, TellsNoUsage(), Budget(0.01), 4).run(in_chunks(questions(300)), 300)
    assert 0.005 < ledger.accounts().spent_usd <= 0.01


def test_a_transaction_that_fails_ends_the_run_and_hangs_nobody(server: RunningServer, ledger: Ledger) -> None:
    settle, calls = Ledger.settle, 0

    def fail_once(self: Ledger, settlements: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise LedgerError("the disk is full")
        settle(self, settlements)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Ledger, "settle", fail_once)
        with pytest.raises(LedgerError, match="disk is full"):
            ask(server, ledger, questions(200))


def test_rules_that_know_nothing_of_one_picture_go_on_with_the_others(ledger: Ledger) -> None:
    facts = {"width": 640, "height": 480, "brightness": 0.2}
    outgoing = []
    for number, known in enumerate([facts] * 5 + [{}]):
        body = _body(questions(number + 1)[number]) | {
            "model": "rules-1",
            "known": {"task": "pretrain/caption", "variant": "", "emotion": None, "taxonomy": None, "options": [],
                      "question": "What is this?", "facts": known},
        }  # fmt: skip
        request = make_request(**body)
        outgoing.append(Outgoing(request.digest, request.canonical, None))
    report = Asker(ledger, Rules(), Budget(None), 4).run([outgoing], 6)
    assert (report.answered, report.refused.total()) == (5, 1)
