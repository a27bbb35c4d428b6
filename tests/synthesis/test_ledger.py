import sqlite3
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyemo_data.errors import LedgerError
from tinyemo_data.synthesis.ledger import Ledger, Sent, Settlement
from tinyemo_data.synthesis.migrations import MIGRATIONS
from tinyemo_data.synthesis.reply import Reply, Usage

RAW = b'{"content": [{"type": "text", "text": "hello"}]}'


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger" / "requests.sqlite")


def answered(digest: str, reserved: float, usd: float) -> Settlement:
    reply = Reply(digest, RAW, Usage(10, 5, 2, 1), "anthropic", "claude-haiku-5-5")
    return Settlement(digest, "answered", reserved, "anthropic", usd, reply)


def test_ledger_gives_back_the_very_bytes_of_a_reply(ledger: Ledger) -> None:
    ledger.plan([("a", b"{}")])
    ledger.mark_sent([Sent("a", 0.5)], "anthropic")
    ledger.settle([answered("a", 0.5, 0.25)])
    stored = ledger.replies(["a", "never planned"])["a"]
    assert (stored.raw, stored.state, stored.usd) == (RAW, "answered", 0.25)
    assert (stored.input_tokens, stored.output_tokens) == (13, 5)
    assert ledger.canonical("a") == b"{}"


def test_ledger_keeps_the_first_answer_when_a_second_one_comes(ledger: Ledger) -> None:
    ledger.plan([("a", b"{}")])
    ledger.settle([answered("a", 0, 0.25)])
    late = Settlement("a", "answered", 0, "anthropic", 0.25, Reply("a", b"{}", Usage(), "anthropic", "m"))
    ledger.settle([late])
    assert ledger.replies(["a"])["a"].raw == RAW
    # Both were paid.
    assert ledger.accounts().spent_usd == pytest.approx(0.5)


def test_open_of_leaves_out_what_is_answered_failed_or_in_a_batch(ledger: Ledger) -> None:
    names = ["answered", "failed", "in a batch", "sent", "planned"]
    ledger.plan([(name, b"{}") for name in names])
    ledger.mark_sent([Sent(name, 0) for name in names[:4]], "anthropic")
    ledger.settle([answered("answered", 0, 0), Settlement("failed", "failed", 0, "anthropic", detail="400: no")])
    with ledger.transaction() as connection:
        connection.execute("UPDATE requests SET batch_id = 'b' WHERE digest = 'in a batch'")
    assert ledger.open_of([*names, "unknown"]) == ["sent", "planned", "unknown"]
    assert ledger.replies(["failed"])["failed"].failure == "400: no"


def test_what_was_sent_stays_at_risk_after_the_process_died(tmp_path: Path) -> None:
    path = tmp_path / "requests.sqlite"
    with Ledger(path) as first:
        first.plan([("a", b"{}"), ("b", b"{}")])
        first.mark_sent([Sent("a", 0.5), Sent("b", 0.5)], "anthropic")
        first.settle([answered("a", 0.5, 0.1)])
    accounts = Ledger(path).accounts()
    assert accounts.spent_usd == pytest.approx(0.1)
    assert accounts.at_risk_usd == pytest.approx(0.5)
    assert accounts.states == {"answered": 1, "submitted": 1}


@given(
    st.lists(st.tuples(st.floats(0, 1), st.sampled_from(["answered", "released", "unknown", "failed"])), max_size=20)
)
def test_nothing_is_at_risk_but_what_is_unknown(tmp_path_factory: pytest.TempPathFactory, ends: list) -> None:  # type: ignore[type-arg]
    with Ledger(tmp_path_factory.mktemp("ledger") / "requests.sqlite") as ledger:
        for number, (usd, event) in enumerate(ends):
            digest = str(number)
            ledger.plan([(digest, b"{}")])
            ledger.mark_sent([Sent(digest, usd)], "anthropic")
            if event == "answered":
                ledger.settle([answered(digest, usd, usd / 2)])
            else:
                ledger.settle([Settlement(digest, event, 0.0 if event == "unknown" else usd, "anthropic")])
        unknown = sum(usd for usd, event in ends if event == "unknown")
        spent = sum(usd / 2 for usd, event in ends if event == "answered")
        assert ledger.accounts().at_risk_usd == pytest.approx(unknown, abs=1e-6)
        assert ledger.accounts().spent_usd == pytest.approx(spent)


def test_threads_and_connections_share_one_ledger(tmp_path: Path) -> None:
    path = tmp_path / "requests.sqlite"
    ledgers = [Ledger(path), Ledger(path)]

    def write(number: int) -> None:
        for part in range(20):
            ledgers[number % 2].plan([(f"{number}-{part}", b"{}")])

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ledgers[0].accounts().states == {"planned": 80}


def test_ledger_refuses_a_file_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "requests.sqlite"
    path.write_bytes(b"not a database, but long enough to look at" * 10)
    with pytest.raises(LedgerError, match=r"requests\.sqlite can't be opened"):
        Ledger(path)


def test_ledger_refuses_a_later_version_and_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "requests.sqlite"
    Ledger(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("INSERT INTO migrations VALUES ('m999_later')")
    with pytest.raises(LedgerError, match="later version"):
        Ledger(path)
    with sqlite3.connect(path) as connection:
        names = {name for (name,) in connection.execute("SELECT name FROM migrations")}
    assert names == {*(step.__name__ for step in MIGRATIONS), "m999_later"}
