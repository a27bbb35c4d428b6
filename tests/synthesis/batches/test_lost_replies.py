"""A creation whose reply is lost is found or proven absent before anything is sent again."""

import threading
import time
from collections.abc import Iterator

import anthropic
import httpx2
import pytest

from tests.synthesis.asking import questions
from tests.synthesis.batches.running import (
    LIMITS,
    budget_of,
    check_paid_once,
    collect_all,
    submit_all,
    wait_for_ends,
)
from tinyemo_data.synthesis.backends.batches import Limits, collect, states
from tinyemo_data.synthesis.backends.batches import intent as intents
from tinyemo_data.synthesis.backends.batches.batch import Enclosed, batches_in
from tinyemo_data.synthesis.backends.batches.intent import write_created, write_intent, write_posted
from tinyemo_data.synthesis.backends.batches.search import StillDoubtfulError
from tinyemo_data.synthesis.backends.batches.seen import Marker
from tinyemo_data.synthesis.backends.batches.service import BatchService
from tinyemo_data.synthesis.ledger import Ledger
from tinyemo_data.synthesis.outgoing import Outgoing
from tinyemo_data.synthesis.rehearsal.faults import Faults
from tinyemo_data.synthesis.rehearsal.process import RunningServer


def make_elsewhere(client: anthropic.Anthropic, count: int) -> str:
    """Make a batch of other requests in the same workspace, as another program would; return its id."""
    params = {"model": "claude-haiku-5-5", "max_tokens": 5, "messages": [{"role": "user", "content": "Hello"}]}
    rows = [{"custom_id": f"elsewhere-{number}", "params": params} for number in range(count)]
    return client.messages.batches.create(requests=rows).id  # type: ignore[arg-type]


def intend(ledger: Ledger, client: anthropic.Anthropic, outgoing: list[Outgoing]) -> None:
    """Write down what a process does that is killed while it waits for the reply."""
    ledger.plan((one.digest, one.canonical) for one in outgoing)
    enclosed = [Enclosed(one.digest, "claude-haiku-5-5", 0.001) for one in outgoing]
    write_posted(ledger, write_intent(ledger, enclosed, 1, BatchService(client).newest()))


@pytest.mark.parametrize("plan", ["nth:1", "nth:2,3", "from:1"])
def test_batch_whose_reply_was_lost_is_found_and_not_made_again(
    server: RunningServer, ledger: Ledger, client: anthropic.Anthropic, plan: str
) -> None:
    server.set_faults(Faults(batch_lost_creation=plan, batch_seconds=0.1))
    report = submit_all(ledger, client, questions(120))
    assert len(report.batches) == 3
    collect_all(ledger, client)
    bill = server.bill()
    assert (bill.paid, bill.most_paid, bill.batches_created) == (120, 1, 3)
    check_paid_once(ledger, 120, bill.usd)


def test_batch_that_was_surely_not_made_is_made_again(
    server: RunningServer, ledger: Ledger, client: anthropic.Anthropic
) -> None:
    server.set_faults(Faults(batch_dropped_creation="nth:1,3", batch_lost_creation="nth:2"))
    submit_all(ledger, client, questions(120))
    collect_all(ledger, client)
    bill = server.bill()
    assert (bill.paid, bill.most_paid, bill.batches_created) == (120, 1, 3)
    check_paid_once(ledger, 120, bill.usd)


class LateTransport(httpx2.HTTPTransport):
    """Loses the first creation's reply; the service gets to it only `delay` seconds later."""

    delay = 0.4

    def __init__(self) -> None:
        super().__init__()
        self.late: threading.Thread | None = None

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.method == "POST" and self.late is None:
            kept = httpx2.Request("POST", request.url, headers=request.headers, content=request.read())
            self.late = threading.Thread(target=self._deliver, args=(kept,))
            self.late.start()
            raise httpx2.ReadError("connection reset")
        return super().handle_request(request)

    def _deliver(self, request: httpx2.Request) -> None:
        time.sleep(self.delay)
        with httpx2.Client() as client:
            client.send(request)


def test_batch_that_turns_up_late_is_waited_for(server: RunningServer, ledger: Ledger) -> None:
    transport = LateTransport()
    with anthropic.Anthropic(max_retries=0, http_client=httpx2.Client(transport=transport)) as client:
        submit_all(ledger, client, questions(20), limits=Limits(patience_seconds=2.0))
        collect_all(ledger, client)
    assert transport.late is not None
    bill = server.bill()
    assert (bill.paid, bill.most_paid, bill.batches_created) == (20, 1, 1)


@pytest.fixture(params=["2001-01-01T00:00:00.000+00:00", "2199-01-01T00:00:00.000+00:00"], ids=["behind", "ahead"])
def skewed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Set this machine's clock a century off the service's."""
    monkeypatch.setattr(intents, "timestamp", lambda: request.param)
    yield


@pytest.mark.usefixtures("skewed")
def test_lost_batch_is_found_whatever_the_clocks_say(
    server: RunningServer, ledger: Ledger, client: anthropic.Anthropic
) -> None:
    for part in (questions(20), questions(40), questions(60)):
        server.set_faults(Faults(batch_lost_creation="nth:1"))
        assert len(submit_all(ledger, client, part).batches) == 1
    collect_all(ledger, client)
    bill = server.bill()
    assert (bill.paid, bill.most_paid, bill.batches_created) == (60, 1, 3)


def test_marker_that_was_deleted_is_stood_for_by_its_time(
    server: RunningServer, ledger: Ledger, client: anthropic.Anthropic
) -> None:
    old, marker = make_elsewhere(client, 20), make_elsewhere(client, 3)
    intend(ledger, client, questions(20))
    assert batches_in(ledger, "posted")[0].before == Marker(
        marker,
        client.messages.batches.retrieve(marker).created_at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
    )
    while client.messages.batches.retrieve(marker).processing_status != "ended":
        time.sleep(0.01)
    client.messages.batches.delete(marker)
    submit_all(ledger, client, questions(20))
    assert collect_all(ledger, client).answered == 20
    assert old not in server.paid_times()
    assert server.bill().batches_created == 3


def test_batch_of_another_program_with_as_many_requests_is_told_apart_by_its_results(
    server: RunningServer, ledger: Ledger, client: anthropic.Anthropic
) -> None:
    intend(ledger, client, questions(20))
    foreign = make_elsewhere(client, 20)
    while client.messages.batches.retrieve(foreign).processing_status != "ended":
        time.sleep(0.01)
    report = submit_all(ledger, client, questions(20))
    assert foreign not in report.batches
    collect_all(ledger, client)
    assert ledger.accounts().states == {"answered": 20}
    assert server.bill().batches_created == 2


def test_batch_taken_for_ours_by_its_count_is_given_back_when_its_results_say_otherwise(
    server: RunningServer, ledger: Ledger, client: anthropic.Anthropic
) -> None:
    server.set_faults(Faults(batch_seconds=0.5))
    intend(ledger, client, questions(20))
    foreign = make_elsewhere(client, 20)
    assert submit_all(ledger, client, questions(20)).batches == [foreign]
    wait_for_ends(ledger, client)
    first = collect(ledger, client, budget_of(ledger))
    assert (first.collected, first.answered, first.under_way) == ([], 0, 1)
    assert [state.status for state in states(ledger)] == ["in_doubt"]
    # Nobody asks twice: what was in doubt is surely absent now, and is made for the first time.
    submit_all(ledger, client, questions(20))
    collect_all(ledger, client)
    assert ledger.accounts().states == {"answered": 20}
    times = server.paid_times()
    assert all(times[one.digest] == 1 for one in questions(20))


def test_of_several_batches_of_as_many_requests_none_is_taken_before_one_can_prove_itself(
    server: RunningServer, ledger: Ledger, client: anthropic.Anthropic
) -> None:
    server.set_faults(Faults(batch_seconds=0.6, batch_lost_creation="nth:2"))
    make_elsewhere(client, 50)
    marker = BatchService(client).newest()
    outgoing = questions(50)
    # The intent is older than both, as after a kill between the two.
    ledger.plan((one.digest, one.canonical) for one in outgoing)
    enclosed = [Enclosed(one.digest, "claude-haiku-5-5", 0.001) for one in outgoing]
    write_posted(ledger, write_intent(ledger, enclosed, 1, None))
    assert marker is not None
    make_ours(client, outgoing)
    report = submit_all(ledger, client, questions(70))
    assert "may be any of several batches of as many requests" in report.notes[0]
    assert report.requests == 20
    time.sleep(1.0)
    assert collect_all(ledger, client).answered == 70
    assert collect_all(ledger, client).collected == []
    bill = server.bill()
    times = server.paid_times()
    assert all(times[one.digest] == 1 for one in questions(70))
    assert bill.batches_created == 3


def make_ours(client: anthropic.Anthropic, outgoing: list[Outgoing]) -> None:
    """Make a batch of these requests whose reply is lost."""
    from tinyemo_data.synthesis.backends.batches.entry import encode

    content = b'{"requests":[' + b",".join(encode(one).content or b"" for one in outgoing) + b"]}"
    with pytest.raises(anthropic.APIConnectionError):
        client.post("/v1/messages/batches", content=content, cast_to=httpx2.Response)


def test_batch_that_never_left_whole_is_made_without_waiting(
    server: RunningServer, ledger: Ledger, client: anthropic.Anthropic
) -> None:
    outgoing = questions(20)
    ledger.plan((one.digest, one.canonical) for one in outgoing)
    write_intent(ledger, [Enclosed(one.digest, "claude-haiku-5-5", 0.001) for one in outgoing], 1, None)
    assert [state.status for state in states(ledger)] == ["leaving"]
    began = time.monotonic()
    submit_all(ledger, client, outgoing, limits=Limits(patience_seconds=600.0))
    assert time.monotonic() - began < 60
    collect_all(ledger, client)
    check_paid_once(ledger, 20, server.bill().usd)


class TornTransport(httpx2.HTTPTransport):
    """Loses the connection of the first creation in the middle of its body."""

    is_torn = False

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.method == "POST" and not self.is_torn:
            self.is_torn = True
            assert isinstance(request.stream, httpx2.SyncByteStream)
            next(iter(request.stream))
            raise httpx2.WriteError("broken pipe")
        return super().handle_request(request)


def test_connection_lost_in_the_middle_of_the_body_makes_no_doubt(server: RunningServer, ledger: Ledger) -> None:
    with anthropic.Anthropic(max_retries=0, http_client=httpx2.Client(transport=TornTransport())) as client:
        began = time.monotonic()
        submit_all(ledger, client, questions(20), limits=Limits(patience_seconds=600.0))
        assert time.monotonic() - began < 60
        collect_all(ledger, client)
    check_paid_once(ledger, 20, server.bill().usd)
    assert server.bill().batches_created == 1


def test_doubt_that_can_not_be_looked_into_leaves_everything_as_it_is(
    server: RunningServer, ledger: Ledger, client: anthropic.Anthropic
) -> None:
    intend(ledger, client, questions(20))
    at_risk = ledger.accounts().at_risk_usd
    server.set_faults(Faults(batch_call_failed="from:1"))
    with pytest.raises(StillDoubtfulError, match="Its requests wait"):
        submit_all(ledger, client, questions(40))
    assert [state.status for state in states(ledger)] == ["in_doubt"]
    assert ledger.accounts().at_risk_usd == at_risk > 0
    assert server.bill().batches_created == 0
    assert LIMITS.patience_seconds < 1


def test_id_is_in_the_ledger_as_soon_as_it_is_known(ledger: Ledger, client: anthropic.Anthropic) -> None:
    outgoing = questions(3)
    intend(ledger, client, outgoing)
    assert ledger.open_of([one.digest for one in outgoing]) == []
    seen = BatchService(client).look(make_elsewhere(client, 3))
    batch = write_created(ledger, batches_in(ledger, "posted")[0], seen, found=False)
    assert batch.batch_id == seen.batch_id
    assert {reply.batch_id for reply in ledger.replies([one.digest for one in outgoing]).values()} == {seen.batch_id}
