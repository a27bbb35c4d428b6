import io
from pathlib import Path
from typing import Any

import orjson
import pytest
from rich.console import Console

from tests.synthesis.export.records import record, write_records, write_rejects
from tinyemo_data.errors import RecordNotFoundError, TableError
from tinyemo_data.store import Store
from tinyemo_data.synthesis.explain import explain, nearest_id
from tinyemo_data.synthesis.explanation_page import print_explanation
from tinyemo_data.synthesis.ledger import Ledger, Settlement
from tinyemo_data.synthesis.records import records_key
from tinyemo_data.synthesis.reply import Reply, Usage
from tinyemo_data.synthesis.request import Request, make_request

FIELDS = {"reasoning": "Someone laughs in the sun.", "label": "joy"}
RAW = orjson.dumps({"content": [{"type": "text", "text": orjson.dumps(FIELDS).decode()}], "stop_reason": "end_turn"})


def request_of(number: int) -> Request:
    return make_request(
        model="claude-haiku-5-5",
        system="You explain pictures.",
        text=f"Why does picture {number} evoke joy?",
        schema={},
        max_tokens=100,
        seed=number,
        picture={"sha256": f"{number:064x}", "side": 512},
    )


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """A ledger in which the requests 1 and 2 were answered, in a batch."""
    ledger = Ledger(tmp_path / "requests.sqlite")
    requests = [request_of(number) for number in (1, 2)]
    ledger.plan([(request.digest, request.canonical) for request in requests])
    replies = [Reply(one.digest, RAW, Usage(120, 40), "anthropic_batches", "claude-haiku-5-5-x", "batch_7")
               for one in requests]  # fmt: skip
    ledger.settle([Settlement(one.digest, "answered", 0, "anthropic_batches", 0.002, one) for one in replies])
    return ledger


def asked(number: int, **changes: Any) -> dict[str, Any]:
    """Return a record that the ledger's request `number` paid for."""
    priced = {"request_digest": request_of(number).digest, "usd": 0.001, "model": "claude-haiku-5-5-x"}
    return record(number) | priced | changes


def turned_away(number: int, **changes: Any) -> dict[str, Any]:
    verdict = {"gate": "labels", "reason": "label_contradicted", "detail": "says 'fear' of 'joy'"}
    return asked(number, **changes) | verdict


def page(store: Store, ledger: Ledger | None, record_id: str, **options: Any) -> str:
    console = Console(width=160, file=io.StringIO(), record=True)
    print_explanation(explain(store, ledger, record_id, **options), console)
    return console.export_text()


def test_explain_finds_picture_question_reply_and_price_of_a_record(
    store: Store, ledger: Ledger, tmp_path: Path
) -> None:
    row = asked(1)
    write_records(store, "finetune", [asked(2), row])
    picture = tmp_path / "raw" / row["image"]
    picture.parent.mkdir(parents=True)
    picture.write_bytes(b"picture")
    found = explain(store, ledger, row["record_id"], images=tmp_path / "raw")
    assert (found.set_name, found.accepted, found.row, found.picture) == ("finetune", True, row, picture)
    assert found.request is not None
    assert (found.request["system"], found.request["text"]) == (
        "You explain pictures.",
        "Why does picture 1 evoke joy?",
    )
    assert found.reply is not None
    assert (found.reply.raw, found.reply.batch_id, found.reply.usd) == (RAW, "batch_7", 0.002)
    assert found.fields == FIELDS
    shown = page(store, ledger, row["record_id"], images=tmp_path / "raw")
    parts = ["accepted; gates passed: schema", "finetune/reasoning", "joy of ekman6, by annotators", f"{1:064x}",
             "You explain pictures.", "Why does picture 1 evoke joy?", "end_turn", "Someone laughs", "10 in, 20 out",
             "0.001000 dollars, of 0.002000 for the whole request", "anthropic_batches", "batch_7"]  # fmt: skip
    for part in parts:
        assert part in shown, part
    assert str(found.reply.answered_at) in shown


def test_explain_says_which_gate_rejected_a_reject(store: Store, ledger: Ledger) -> None:
    write_records(store, "finetune", [asked(2)])
    write_rejects(store, "finetune", [turned_away(1)])
    found = explain(store, ledger, asked(1)["record_id"])
    assert not found.accepted
    assert found.row["reason"] == "label_contradicted"
    assert "rejected by labels: label_contradicted: says 'fear' of 'joy'" in page(store, ledger, asked(1)["record_id"])


def test_explain_asks_which_set_is_meant_when_two_have_the_record(store: Store, ledger: Ledger) -> None:
    write_records(store, "finetune", [asked(1)])
    write_records(store, "hq", [asked(1, task="hq/reasoning")])
    with pytest.raises(RecordNotFoundError, match="several sets: finetune, hq"):
        explain(store, ledger, asked(1)["record_id"])
    assert explain(store, ledger, asked(1)["record_id"], "hq").row["task"] == "hq/reasoning"


@pytest.mark.parametrize(
    "typed",
    ["emotion6/images/joy/117#reasonin", "emotion6/image/joy/117#reasoning", "emotion6/images/joy/117 #reasoning",
     "Emotion6/images/joy/117#reasoning"],
)  # fmt: skip
def test_explain_suggests_the_nearest_record_of_many(store: Store, ledger: Ledger, typed: str) -> None:
    write_records(store, "finetune", [record(number) for number in range(300)])
    with pytest.raises(RecordNotFoundError, match="Did you mean 'emotion6/images/joy/117#reasoning'"):
        explain(store, ledger, typed)


def test_explain_suggests_rejects_too_and_nothing_where_nothing_is_like_it(store: Store) -> None:
    write_rejects(store, "finetune", [turned_away(1)])
    assert nearest_id(store, "emotion6/images/joy/1#reason") == record(1)["record_id"]
    assert nearest_id(store, "x") is None
    with pytest.raises(RecordNotFoundError) as caught:
        explain(store, None, "x")
    assert "Did you mean" not in str(caught.value)


def test_explain_says_that_there_are_no_sets(store: Store) -> None:
    with pytest.raises(RecordNotFoundError, match="has no instruct sets"):
        explain(store, None, "a#b")


def test_explain_tells_what_it_can_of_a_record_that_no_ledger_knows(store: Store, ledger: Ledger) -> None:
    imported = record(1) | {"request_digest": "", "prompt_digest": "", "input_tokens": 0, "generator": "released"}
    write_records(store, "tinyemo-hq", [imported])
    for known in (ledger, None):
        found = explain(store, known, imported["record_id"])
        assert (found.request, found.reply, found.fields) == (None, None, None)
        shown = page(store, known, imported["record_id"])
        assert "released" in shown
        assert shown.count("not known") >= 5


def test_explain_shows_a_reply_that_could_not_be_parsed(store: Store, tmp_path: Path) -> None:
    request = request_of(3)
    raw = b'{"content": [{"type": "text", "text": "I am sorry."}]}'
    with Ledger(tmp_path / "other.sqlite") as ledger:
        ledger.plan([(request.digest, request.canonical)])
        reply = Reply(request.digest, raw, Usage(1, 1), "anthropic", "m")
        ledger.settle([Settlement(request.digest, "answered", 0, "anthropic", 0.0, reply)])
        write_rejects(store, "finetune", [turned_away(3, conversations=None), turned_away(1)])
        found = explain(store, ledger, asked(3)["record_id"])
        assert (found.answer, found.fields) == ("I am sorry.", None)
        assert "I am sorry." in page(store, ledger, asked(3)["record_id"])


def test_the_page_obeys_no_markup_and_writes_no_control_character_of_a_model(store: Store) -> None:
    text = "[bold red]joy[/] \x1b[2J\x07 [link=x]y\u202e"
    row = record(1, turns=[("human", "<image>\nWhy?"), ("gpt", text)])
    write_records(store, "finetune", [row])
    shown = page(store, None, row["record_id"])
    assert "[bold red]joy[/] \\x1b[2J\\x07 [link=x]y\\u202e" in shown


def test_explain_names_the_table_that_can_not_be_read(store: Store) -> None:
    store.write_bytes(records_key("finetune"), b"no table")
    with pytest.raises(TableError, match=r"records\.parquet is no table of records"):
        explain(store, None, "a#b")
