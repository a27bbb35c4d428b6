"""What is open leaves in batches, once, and no further than the wall and the limits go."""

from pathlib import Path

import anthropic
import pytest

from tests.synthesis.asking import questions
from tests.synthesis.batches.running import (
    LIMITS,
    budget_of,
    check_paid_once,
    collect_all,
    pictured,
    submit_all,
)
from tinyemo_data.errors import BudgetError, LedgerError, SynthesisError
from tinyemo_data.synthesis.backends.anthropic_messages import AnthropicMessages
from tinyemo_data.synthesis.backends.batches import Limits, open_batches_client, states, submit
from tinyemo_data.synthesis.backends.batches.batch import Enclosed
from tinyemo_data.synthesis.backends.batches.intent import write_intent
from tinyemo_data.synthesis.failures import StoppedError
from tinyemo_data.synthesis.ledger import Ledger
from tinyemo_data.synthesis.outgoing import Outgoing
from tinyemo_data.synthesis.pricing import price_of
from tinyemo_data.synthesis.rehearsal.faults import Faults
from tinyemo_data.synthesis.rehearsal.process import RunningServer
from tinyemo_data.synthesis.request import make_request


def online() -> AnthropicMessages:
    return AnthropicMessages(1)


def test_every_open_request_is_in_one_batch_and_is_not_open_any_more(
    server: RunningServer, ledger: Ledger, client: anthropic.Anthropic
) -> None:
    outgoing = questions(130)
    first = submit_all(ledger, client, outgoing)
    again = submit_all(ledger, client, outgoing)
    assert (len(first.batches), first.requests, again.requests, again.settled) == (3, 130, 0, 130)
    assert sorted(state.requests for state in states(ledger)) == [30, 50, 50]
    collect_all(ledger, client)
    bill = server.bill()
    assert (bill.paid, bill.most_paid, bill.batches_created) == (130, 1, 3)
    check_paid_once(ledger, 130, bill.usd)


def test_a_question_that_stands_for_two_records_is_sent_once(
    server: RunningServer, ledger: Ledger, client: anthropic.Anthropic
) -> None:
    outgoing = questions(45)
    assert submit_all(ledger, client, outgoing + outgoing).requests == 45
    collect_all(ledger, client)
    assert server.bill().most_paid == 1


def test_what_fits_under_the_wall_is_sent_and_nothing_more(
    server: RunningServer, ledger: Ledger, client: anthropic.Anthropic
) -> None:
    outgoing = questions(100)
    bound = price_of("claude-haiku-5-5").bound({"max_tokens": 100}, len(outgoing[0].canonical) + 10, batch=True)
    with pytest.raises(BudgetError, match="is used up"):
        submit_all(ledger, client, outgoing, wall=70.5 * bound)
    accounts = ledger.accounts()
    assert accounts.states["submitted"] >= 70
    assert accounts.at_risk_usd <= 70.5 * bound
    sent = accounts.states["submitted"]
    collect_all(ledger, client)
    assert server.bill().paid == sent
    submit_all(ledger, client, outgoing, wall=1.0)
    collect_all(ledger, client)
    check_paid_once(ledger, 100, server.bill().usd)


def test_the_rest_is_held_back_while_enough_batches_are_under_way(
    server: RunningServer, ledger: Ledger, client: anthropic.Anthropic
) -> None:
    outgoing, limits = questions(230), Limits(requests=50, under_way=2, patience_seconds=0.3)
    held = []
    for _ in range(3):
        held.append(submit_all(ledger, client, outgoing, limits=limits).held_back)
        assert submit_all(ledger, client, outgoing, limits=limits).requests == 0
        collect_all(ledger, client)
    assert held == [130, 30, 0]
    check_paid_once(ledger, 230, server.bill().usd)


def test_canary_goes_online_once_a_prompt_and_tells_of_a_cache_that_does_nothing(
    server: RunningServer, ledger: Ledger, client: anthropic.Anthropic
) -> None:
    first = submit_all(ledger, client, questions(60), online=online)
    assert (first.canaries, first.requests) == (1, 59)
    assert "The prompt cache does nothing for claude-haiku-5-5" in first.notes[0]
    more = submit_all(ledger, client, questions(80), online=online)
    assert (more.canaries, more.requests, more.notes) == (0, 20, [])
    collect_all(ledger, client)
    check_paid_once(ledger, 80, server.bill().usd)
    assert [call["route"] for call in server.requests()].count("messages") == 1


def long_prompt(count: int) -> list[Outgoing]:
    schema = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
    made = [
        make_request(
            model="claude-haiku-5-5",
            system="You see a picture and say what it may stir in people. " * 600,
            text=str(number),
            schema=schema,
            max_tokens=50,
            seed=number,
            picture=None,
        )
        for number in range(count)
    ]
    return [Outgoing(request.digest, request.canonical, None) for request in made]


@pytest.mark.usefixtures("server")
def test_canary_is_silent_where_the_prompt_is_cached(ledger: Ledger, client: anthropic.Anthropic) -> None:
    assert submit_all(ledger, client, long_prompt(3), online=online).notes == []
    assert collect_all(ledger, client).answered == 2


def test_prompt_that_the_service_takes_no_request_of_is_never_put_into_a_batch(
    server: RunningServer, ledger: Ledger, client: anthropic.Anthropic
) -> None:
    bad = questions(30, max_tokens=10_000_000)
    with pytest.raises(StoppedError, match="takes no request of one prompt"):
        submit_all(ledger, client, [*bad, *questions(20)], online=online)
    assert collect_all(ledger, client).answered == 19
    bill = server.bill()
    assert (bill.paid, bill.batches_created) == (20, 1)
    assert sorted(ledger.open_of([one.digest for one in bad])) == sorted(one.digest for one in bad)


def test_pictures_go_with_their_requests_and_those_that_are_gone_stay_behind(
    server: RunningServer, ledger: Ledger, client: anthropic.Anthropic, tmp_path: Path
) -> None:
    outgoing = pictured(tmp_path, 12)
    (tmp_path / "3.png").unlink()
    report = submit_all(ledger, client, outgoing)
    assert (report.requests, len(report.pictures_gone)) == (11, 1)
    assert "3.png can't be read" in report.pictures_gone[0]
    assert collect_all(ledger, client).answered == 11
    assert ledger.open_of([one.digest for one in outgoing]) == [outgoing[3].digest]
    contents = [row["params"]["messages"][0]["content"] for row in server.requests()[0]["body"]["requests"]]
    assert {tuple(block["type"] for block in content) for content in contents} == {("image", "text")}


def test_spend_limit_stops_submitting_with_nothing_left_at_risk(
    server: RunningServer, ledger: Ledger, client: anthropic.Anthropic
) -> None:
    server.set_faults(Faults(spend_limit="enforced", spend_limit_from=2))
    outgoing = questions(120)
    with pytest.raises(StoppedError, match="own spending limit"):
        submit_all(ledger, client, outgoing)
    collect_all(ledger, client)
    assert ledger.accounts().at_risk_usd == 0
    server.set_faults(Faults())
    submit_all(ledger, client, outgoing)
    collect_all(ledger, client)
    bill = server.bill()
    assert (bill.paid, bill.most_paid) == (120, 1)


def test_batch_that_the_service_refuses_as_a_whole_says_why_and_leaves_its_requests_open(
    server: RunningServer, ledger: Ledger, client: anthropic.Anthropic
) -> None:
    outgoing = questions(201)  # this server takes 200 a batch
    with pytest.raises(StoppedError, match=r"refuses a batch of 201 requests.*at most 200"):
        submit_all(ledger, client, outgoing, limits=Limits())
    assert len(ledger.open_of([one.digest for one in outgoing])) == 201
    assert ledger.accounts().at_risk_usd == 0
    assert states(ledger) == []


def test_a_server_that_is_not_there_makes_no_doubt(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, server: RunningServer
) -> None:
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:9")
    with open_batches_client() as client, pytest.raises(SynthesisError, match="connection lost"):
        submit_all(ledger, client, questions(3))
    assert states(ledger) == []
    assert ledger.accounts().at_risk_usd == 0


def test_missing_key_is_told_with_what_becomes_of_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(StoppedError, match="kept for 29 days"):
        open_batches_client()


def test_intent_is_refused_where_another_process_has_a_request_on_its_way(ledger: Ledger) -> None:
    outgoing = questions(2)
    ledger.plan((one.digest, one.canonical) for one in outgoing)
    enclosed = [Enclosed(one.digest, "claude-haiku-5-5", 0.1) for one in outgoing]
    write_intent(ledger, enclosed[:1], 10, None)
    with pytest.raises(LedgerError, match="1 of 2 requests of a batch are no longer open"):
        write_intent(ledger, enclosed, 20, None)
    assert ledger.accounts().at_risk_usd == pytest.approx(0.1)
    assert len(states(ledger)) == 1


def test_progress_tells_of_requests_and_batches(
    server: RunningServer, ledger: Ledger, client: anthropic.Anthropic
) -> None:
    told: list[tuple[int, str]] = []
    submit(
        [questions(80)],
        ledger,
        budget_of(ledger),
        client,
        limits=LIMITS,
        report=lambda progress: told.append((progress.done, progress.detail)),
    )
    assert told == [(0, ""), (50, "1 batches"), (80, "2 batches")]
