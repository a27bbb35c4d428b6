"""Results come in any order, are kept once each, and what has no answer is asked again alone."""

import time

import anthropic
import httpx2
import orjson
import pytest

from tests.synthesis.asking import questions
from tests.synthesis.batches.running import budget_of, check_paid_once, collect_all, submit_all, wait_for_ends
from tinyemo_data.errors import SynthesisError
from tinyemo_data.synthesis.backends.batches import abandon, cancel_all, collect, describe, poll, states
from tinyemo_data.synthesis.backends.batches.batch import Enclosed, batches_in
from tinyemo_data.synthesis.backends.batches.intent import void, write_intent, write_seen
from tinyemo_data.synthesis.backends.batches.seen import read_seen
from tinyemo_data.synthesis.failures import StoppedError
from tinyemo_data.synthesis.ledger import Ledger
from tinyemo_data.synthesis.rehearsal.faults import Faults
from tinyemo_data.synthesis.rehearsal.process import RunningServer
from tinyemo_data.synthesis.reply import read_reply


def test_shuffled_results_are_kept_with_their_own_requests(
    server: RunningServer, ledger: Ledger, client: anthropic.Anthropic
) -> None:
    outgoing = questions(100)
    (first, _) = submit_all(ledger, client, outgoing).batches
    report = collect_all(ledger, client)
    bill = server.bill()
    assert report.answered == 100
    assert report.spent_usd == pytest.approx(bill.usd)
    check_paid_once(ledger, 100, bill.usd)
    order = [line.custom_id for line in client.messages.batches.results(first)]
    assert order != [one.digest for one in outgoing[:50]]
    served = {line.custom_id: line.result for line in client.messages.batches.results(first)}
    replies = ledger.replies([one.digest for one in outgoing[:50]])
    for digest, reply in replies.items():
        assert reply.raw is not None
        message = served[digest].message  # type: ignore[union-attr]
        assert read_reply(reply.raw).text == message.content[0].text  # type: ignore[union-attr]
        assert (reply.batch_id, reply.backend) == (first, "anthropic_batches")
        assert reply.output_tokens == message.usage.output_tokens


def test_errored_and_expired_requests_are_asked_again_alone(
    server: RunningServer, ledger: Ledger, client: anthropic.Anthropic
) -> None:
    server.set_faults(Faults(batch_errored="nth:3,70", batch_expired="nth:5"))
    outgoing = questions(100)
    submit_all(ledger, client, outgoing)
    first = collect_all(ledger, client)
    assert first.answered == 97
    assert first.released == {"expired": 1, "errored: api_error: Internal server error": 2}
    assert ledger.accounts().at_risk_usd == 0
    server.set_faults(Faults())
    assert submit_all(ledger, client, outgoing).requests == 3
    assert collect_all(ledger, client).answered == 3
    bill = server.bill()
    assert (bill.paid, bill.most_paid) == (100, 1)
    check_paid_once(ledger, 100, bill.usd)


def test_requests_that_the_service_goes_on_failing_at_are_given_up_and_not_submitted_for_ever(
    server: RunningServer, ledger: Ledger, client: anthropic.Anthropic
) -> None:
    server.set_faults(Faults(batch_errored="from:1"))
    outgoing, sent = questions(20), []
    for _ in range(5):
        sent.append(submit_all(ledger, client, outgoing).requests)
        collect_all(ledger, client)
    assert sent == [20, 20, 20, 0, 0]
    assert ledger.accounts().states == {"failed": 20}
    assert ledger.accounts().at_risk_usd == 0
    stored = ledger.replies([outgoing[0].digest])[outgoing[0].digest]
    assert stored.failure == "errored in 3 batches, at last api_error: Internal server error"
    ledger.forget_failures()
    assert submit_all(ledger, client, outgoing).requests == 20
    assert collect_all(ledger, client).released.total() == 20


def test_batch_that_came_to_nothing_is_no_failure_of_its_requests(
    server: RunningServer, ledger: Ledger, client: anthropic.Anthropic
) -> None:
    outgoing = questions(5)
    ledger.plan((one.digest, one.canonical) for one in outgoing)
    for _ in range(4):
        enclosed = [Enclosed(one.digest, "claude-haiku-5-5", 0.1) for one in outgoing]
        void(ledger, write_intent(ledger, enclosed, 10, None), "500 api_error: Internal server error")
    server.set_faults(Faults(batch_errored="from:1"))
    submit_all(ledger, client, outgoing)
    assert collect_all(ledger, client).released.total() == 5


def test_what_expires_again_and_again_is_submitted_again(
    server: RunningServer, ledger: Ledger, client: anthropic.Anthropic
) -> None:
    server.set_faults(Faults(batch_expired="from:1"))
    for _ in range(5):
        assert submit_all(ledger, client, questions(4)).requests == 4
        assert collect_all(ledger, client).released == {"expired": 4}


def test_requests_at_fault_are_given_up_with_the_words_of_the_service(
    server: RunningServer, ledger: Ledger, client: anthropic.Anthropic
) -> None:
    bad = questions(2, max_tokens=10_000_000)
    submit_all(ledger, client, [*bad, *questions(5)])
    report = collect_all(ledger, client)
    assert (report.answered, sum(report.failed.values())) == (5, 2)
    stored = ledger.replies([bad[0].digest])[bad[0].digest]
    assert stored.state == "failed"
    assert stored.failure is not None
    assert stored.failure.startswith("invalid_request_error: ")
    assert submit_all(ledger, client, bad).requests == 0


def test_cancelling_keeps_what_was_done_and_the_rest_is_open_again(
    server: RunningServer, ledger: Ledger, client: anthropic.Anthropic
) -> None:
    server.set_faults(Faults(batch_seconds=2.0, batch_cancel_seconds=0.3))
    outgoing = questions(50)
    submit_all(ledger, client, outgoing)
    assert [state.status for state in poll(ledger, client)] == ["in_progress"]
    time.sleep(0.4)
    assert [state.status for state in cancel_all(ledger, client)] == ["canceling"]
    assert collect(ledger, client, budget_of(ledger)).under_way == 1
    assert "canceling" in describe(states(ledger))
    report = collect_all(ledger, client)
    assert 0 < report.answered < 50
    assert report.released == {"canceled": 50 - report.answered}
    assert report.answered == server.bill().paid
    assert [state.status for state in cancel_all(ledger, client)] == []
    server.set_faults(Faults())
    assert submit_all(ledger, client, outgoing).requests == 50 - report.answered
    collect_all(ledger, client)
    assert server.bill().most_paid == 1
    check_paid_once(ledger, 50, server.bill().usd)


def test_what_expires_with_its_batch_is_open_again(
    server: RunningServer, ledger: Ledger, client: anthropic.Anthropic
) -> None:
    server.set_faults(Faults(batch_seconds=20.0, batch_expires_after=0.3))
    submit_all(ledger, client, questions(40))
    report = collect_all(ledger, client)
    assert (
        report.released["expired"] == 40 - report.answered == len(ledger.open_of([one.digest for one in questions(40)]))
    )


def test_results_that_break_off_are_read_again_and_counted_once(
    server: RunningServer, ledger: Ledger, client: anthropic.Anthropic
) -> None:
    submit_all(ledger, client, questions(100))
    wait_for_ends(ledger, client)
    server.set_faults(Faults(batch_results_cut="nth:1,2,3", batch_call_failed="every:3"))
    assert collect(ledger, client, budget_of(ledger)).answered == 100
    check_paid_once(ledger, 100, server.bill().usd)


def test_service_that_goes_on_failing_leaves_the_batch_to_be_collected(
    server: RunningServer, ledger: Ledger, client: anthropic.Anthropic
) -> None:
    submit_all(ledger, client, questions(50))
    wait_for_ends(ledger, client)
    server.set_faults(Faults(batch_results_cut="from:1"))
    with pytest.raises(SynthesisError, match=r"1 batches could not be collected.*broke off"):
        collect(ledger, client, budget_of(ledger))
    server.set_faults(Faults())
    collect(ledger, client, budget_of(ledger))
    check_paid_once(ledger, 50, server.bill().usd)


def test_collecting_again_changes_nothing(server: RunningServer, ledger: Ledger, client: anthropic.Anthropic) -> None:
    submit_all(ledger, client, questions(50))
    collect_all(ledger, client)
    before = ledger.accounts()
    again = collect_all(ledger, client)
    assert (again.answered, again.collected, ledger.accounts()) == (0, [], before)


def test_batch_whose_results_are_gone_says_so_and_is_asked_again_only_when_given_up(
    server: RunningServer, ledger: Ledger, client: anthropic.Anthropic
) -> None:
    outgoing = questions(100)
    lost, kept = submit_all(ledger, client, outgoing).batches
    wait_for_ends(ledger, client)
    client.messages.batches.delete(lost)
    report = collect(ledger, client, budget_of(ledger))
    assert report.collected == [kept]
    assert f"no longer has the results of {lost} (50 requests" in report.gone[0]
    assert "29 days" in report.gone[0]
    assert submit_all(ledger, client, outgoing).requests == 0
    at_risk = ledger.accounts().at_risk_usd
    assert at_risk > 0
    assert [state.status for state in poll(ledger, client)] == ["gone"]
    assert abandon(ledger, lost) == 50
    assert ledger.accounts().at_risk_usd == at_risk
    assert submit_all(ledger, client, outgoing).requests == 50
    with pytest.raises(SynthesisError, match="nothing was given up"):
        abandon(ledger, lost)


def test_batch_whose_results_are_archived_has_nothing_to_collect(
    server: RunningServer, ledger: Ledger, client: anthropic.Anthropic
) -> None:
    submit_all(ledger, client, questions(3))
    wait_for_ends(ledger, client)
    (batch,) = batches_in(ledger, "created")
    assert batch.seen is not None
    archived = read_seen(orjson.loads(batch.seen.raw) | {"archived_at": "2026-11-20T00:00:00Z"})
    write_seen(ledger, batch, archived)
    (state,) = states(ledger)
    assert (state.is_gone, state.has_ended) == (True, False)
    assert "no longer kept" in describe([state])
    assert "should have ended" not in describe([state])
    assert server.bill().paid == 3


def test_poll_keeps_what_was_known_where_a_look_fails(
    server: RunningServer, ledger: Ledger, client: anthropic.Anthropic
) -> None:
    server.set_faults(Faults(batch_seconds=5.0))
    submit_all(ledger, client, questions(60))
    server.set_faults(Faults(batch_call_failed="nth:1"))
    first, second = poll(ledger, client)
    assert (first.status, first.requests, second.trouble) == ("in_progress", 50, "")
    assert "500" in first.trouble
    text = describe([first, second])
    assert "50 requests" in text
    assert "expires in 24.0 h" in text
    assert "the last look failed: 500" in text
    assert "at risk" in text


def test_refused_key_stops_polling_and_collecting(
    server: RunningServer, ledger: Ledger, client: anthropic.Anthropic
) -> None:
    submit_all(ledger, client, questions(3))
    keyless = httpx2.Client(event_hooks={"request": [lambda request: request.headers.pop("authorization")]})
    with anthropic.Anthropic(max_retries=0, http_client=keyless) as stranger:
        with pytest.raises(StoppedError, match="Mend ANTHROPIC_API_KEY"):
            poll(ledger, stranger)
        with pytest.raises(StoppedError, match="Mend ANTHROPIC_API_KEY"):
            collect(ledger, stranger, budget_of(ledger))
    assert collect_all(ledger, client).answered == 3


def test_nothing_under_way_is_said_plainly(ledger: Ledger) -> None:
    assert describe(states(ledger)) == "No batch is under way."
