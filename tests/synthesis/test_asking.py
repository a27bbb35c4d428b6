"""One `Asked` over many waves and rounds: what was asked in batches is collected, and counts are what happened."""

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.synthesis.asking import MODEL, in_chunks, ledger_path, questions
from tinyemo_data.errors import PriceError
from tinyemo_data.settings import BackendName, SynthesisSettings
from tinyemo_data.synthesis import failures
from tinyemo_data.synthesis.asking import Asked, ask_in_batches, ask_online, takes_unpriced
from tinyemo_data.synthesis.backends.batches import CollectReport, open_batches_client, poll
from tinyemo_data.synthesis.ledger import Ledger
from tinyemo_data.synthesis.outgoing import Outgoing
from tinyemo_data.synthesis.recipe import Recipe
from tinyemo_data.synthesis.rehearsal.faults import Faults
from tinyemo_data.synthesis.rehearsal.process import RunningServer, running_server


@pytest.fixture(scope="module")
def one_server() -> Iterator[RunningServer]:
    with running_server() as server:
        yield server


@pytest.fixture
def server(one_server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> RunningServer:
    one_server.reset()
    for name, value in one_server.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(failures, "_EXPONENTIAL", lambda state: 0.02 * state.attempt_number)
    return one_server


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(ledger_path(tmp_path)) as opened:
        yield opened


def settings_of(**values: Any) -> SynthesisSettings:
    return SynthesisSettings.model_validate({"budget_usd": 1.0, "concurrency": 8} | values)


def recipe_by(backend: BackendName) -> Recipe:
    return Recipe(
        name="pretrain",
        prompts=(),
        datasets=(),
        backend=backend,
        model=MODEL,
        picture_side=None,
        max_tokens=None,
        seed=0,
    )


def online(ledger: Ledger, outgoing: list[Outgoing], asked: Asked, **values: Any) -> Asked:
    recipe = recipe_by("anthropic")
    ask_online(in_chunks(outgoing, 4), len(outgoing), ledger, settings_of(**values), recipe, asked, None)
    return asked


def in_batches(ledger: Ledger, outgoing: list[Outgoing], asked: Asked, **values: Any) -> Asked:
    ask_in_batches(in_chunks(outgoing, 4), ledger, settings_of(**values), recipe_by("anthropic_batches"), asked, None)
    return asked


def wait_for_ends(ledger: Ledger) -> None:
    end = time.monotonic() + 20
    with open_batches_client() as client:
        while any(not state.has_ended for state in poll(ledger, client)):
            assert time.monotonic() < end
            time.sleep(0.02)


def test_switching_from_batches_to_messages_collects_what_was_asked_in_batches(
    server: RunningServer, ledger: Ledger
) -> None:
    in_batches(ledger, questions(10), Asked())
    wait_for_ends(ledger)
    asked = online(ledger, questions(12), Asked())
    bill = server.bill()
    assert (asked.answered, asked.cached, asked.under_way, asked.notes) == (11, 1, 0, [])
    assert (bill.paid, bill.most_paid) == (12, 1)
    assert ledger.accounts().states == {"answered": 12}
    assert ledger.accounts().spent_usd == pytest.approx(bill.usd)


def test_switching_while_batches_are_under_way_says_so_and_asks_nothing_twice(
    server: RunningServer, ledger: Ledger
) -> None:
    server.set_faults(Faults(batch_seconds=30))
    in_batches(ledger, questions(10), Asked())
    asked = online(ledger, questions(12), Asked())
    assert (asked.answered, asked.under_way) == (2, 9)
    assert "tinyemo batches" in asked.notes[0]
    assert "9 requests" in asked.notes[0]
    assert "9 requests" in asked.batches
    assert server.bill().most_paid == 1


def test_batches_that_can_not_be_collected_are_told_of_and_the_others_are_asked(
    server: RunningServer, ledger: Ledger
) -> None:
    in_batches(ledger, questions(10), Asked())
    wait_for_ends(ledger)
    server.set_faults(Faults(batch_results_cut="from:1"))
    asked = online(ledger, questions(12), Asked())
    assert (asked.answered, asked.under_way) == (2 + 9 - len(still_submitted(ledger)), len(still_submitted(ledger)))
    assert "Collecting failed now: 1 batches could not be collected" in asked.notes[0]


def still_submitted(ledger: Ledger) -> list[str]:
    return [one.digest for one in ledger.replies([one.digest for one in questions(12)]).values() if one.raw is None]


def test_later_waves_do_not_say_answered_before_on_a_fresh_ledger(server: RunningServer, ledger: Ledger) -> None:
    asked = Asked()
    online(ledger, questions(5), asked)
    online(ledger, questions(12), asked)
    assert (asked.answered, asked.cached) == (12, 0)
    again = Asked()
    online(ledger, questions(5), again)
    online(ledger, questions(14), again)
    assert (again.answered, again.cached) == (2, 12)
    assert server.bill().paid == 14


def test_rounds_of_batches_tell_what_was_answered_before_from_what_they_collect(
    server: RunningServer, ledger: Ledger
) -> None:
    asked = Asked()
    for _ in range(2):
        in_batches(ledger, questions(6), asked)
        wait_for_ends(ledger)
    assert (asked.answered, asked.cached, asked.under_way) == (6, 0, 0)
    again = in_batches(ledger, questions(6), Asked())
    assert (again.answered, again.cached) == (0, 6)
    assert server.bill().paid == 6


def test_requests_that_were_given_up_count_as_settled_before_in_the_next_run_alone(
    server: RunningServer, ledger: Ledger
) -> None:
    server.set_faults(Faults(batch_errored="from:1"))
    asked = Asked()
    for _ in range(4):
        in_batches(ledger, questions(4), asked)
        wait_for_ends(ledger)
    words = "api_error: Internal server error"
    assert asked.retries == {f"errored: {words}": 6}
    assert asked.refused == {f"errored in 3 batches, at last {words}": 3}
    assert (asked.answered, asked.cached, asked.under_way) == (1, 0, 0)
    assert in_batches(ledger, questions(4), Asked()).cached == 4


@pytest.mark.usefixtures("server")
def test_wall_of_one_round_is_forgotten_in_the_next(ledger: Ledger) -> None:
    asked = Asked()
    assert in_batches(ledger, questions(6), asked, budget_usd=0.0).stopped
    assert in_batches(ledger, questions(6), asked, budget_usd=1.0).stopped == ""
    single = Asked()
    more = [*questions(6), *questions(3, length=300)]
    assert online(ledger, more, single, budget_usd=0.0).stopped
    assert online(ledger, more, single, budget_usd=1.0).stopped == ""


def test_counts_of_rounds_are_added() -> None:
    asked = Asked()
    for count in (1, 2):
        released, failed = Counter({"expired": count}), Counter({"invalid_request_error: words": count})
        asked.add_collected(CollectReport(released=released, failed=failed, gone=["gone"], gone_ids=["b"]))
    assert (asked.retries, asked.refused) == ({"expired": 3}, {"invalid_request_error: words": 3})
    assert (asked.notes, asked.lost) == (["gone"], {"b"})


@pytest.mark.parametrize("ask", [online, in_batches], ids=["messages", "batches"])
def test_paid_model_without_a_price_is_refused_even_where_a_server_of_ones_own_is_free(
    ask: Any, server: RunningServer, ledger: Ledger
) -> None:
    with pytest.raises(PriceError, match="no price for the model 'claude-unheard-of'"):
        ask(ledger, questions(3, model="claude-unheard-of"), Asked(), unpriced=True)
    assert server.requests() == []
    assert takes_unpriced(settings_of(unpriced=True), recipe_by("openai_compatible"))
    assert not takes_unpriced(settings_of(), recipe_by("openai_compatible"))
