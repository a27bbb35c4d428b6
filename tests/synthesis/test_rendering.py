"""Drafts and replies become records, rejects and counts: whatever the replies are, and however they are cut up."""

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.synthesis.replied import Replies, answer, lookup, plan, stored, write_fields
from tinyemo_data.errors import PromptError, StoreError
from tinyemo_data.store import Store
from tinyemo_data.synthesis.candidates import validator
from tinyemo_data.synthesis.funnel import ACCEPTED, SURPLUS, WAITING
from tinyemo_data.synthesis.gates.registry import GATES
from tinyemo_data.synthesis.ledger import Ledger, Settlement
from tinyemo_data.synthesis.recipe import set_names
from tinyemo_data.synthesis.records import funnel_key, read_records, read_rejects, records_key, rejects_key
from tinyemo_data.synthesis.rendering import render_set
from tinyemo_data.synthesis.reply import Reply, Usage

RAW = st.binary(max_size=60) | st.text(st.characters(codec="utf-8"), max_size=60).map(lambda text: stored("", text).raw)


def files(store: Store, name: str) -> list[bytes]:
    """Return what rendering wrote."""
    return [store.read_bytes(key) for key in (records_key(name), rejects_key(name), funnel_key(name))]


@pytest.mark.parametrize("name", set_names())
def test_every_set_gives_records_that_say_where_they_come_from(name: str, store: Store) -> None:
    drafts = plan(store, name)
    rendered = render_set(store, name, lookup(answer(drafts)))
    records, per_draft = read_records(store, name), 2 if name == "statements" else 1
    assert len(read_rejects(store, name)) == 0, read_rejects(store, name)
    assert len(records) == per_draft * len(drafts) == rendered.funnel.total(ACCEPTED)
    assert records["record_id"].str.replace("/(true|false)$", "").unique(maintain_order=True).to_list() == [
        draft["draft_id"] for draft in drafts
    ]
    assert set(records["recipe"]) == {name}
    assert records["usd"].sum() == pytest.approx(0.002 * len(drafts))
    assert all(row["request_digest"] in {draft["request_digest"] for draft in drafts} for row in records.to_dicts())


def test_statements_share_the_cost_of_their_reply(store: Store) -> None:
    drafts = plan(store, "statements", pictures=2)
    render_set(store, "statements", lookup(answer(drafts)))
    assert read_records(store, "statements")["usd"].to_list() == [0.001] * 4


def faulty(drafts: list[dict[str, Any]]) -> Replies:
    """Return replies of which some fail at every stage: of its number the remainder by ten says how."""
    replies = answer(drafts)
    for number, draft in enumerate(drafts):
        digest = draft["request_digest"]
        kinds = {
            1: stored(digest, "", state="failed", raw=None, failure="invalid_request_error", backend=None, model=None),
            2: stored(digest, "no JSON"),
            3: stored(digest, "{}"),
            4: stored(digest, '{"caption": "As an AI, I see a boat on the sand beside a low wall at noon."}'),
            5: stored(digest, '{"caption": "The same boat on the sand beside the low wall, at noon, in the haze of the '
                      'day, and far behind it the sea under a pale sky."}'),
            6: stored(digest, "", state="submitted", raw=None),
        }  # fmt: skip
        replies[digest] = kinds.get(number % 10, replies[digest])
    return replies


def test_rejects_keep_gate_reason_and_what_was_found(store: Store) -> None:
    drafts = [draft for draft in plan(store, "pretrain", 60) if draft["task"] == "caption"]
    replies = faulty(drafts)
    rendered = render_set(store, "pretrain", lookup(replies))
    rejects = read_rejects(store, "pretrain")
    found = rejects.group_by("gate").len().sort("gate").rows()
    assert found == [("boilerplate", 6), ("failed_request", 6), ("near_duplicate", 5), ("not_json", 6), ("schema", 6)]
    assert {gate: sum(of.values()) for gate, of in rendered.funnel.reasons().items()} == dict(found)
    assert rendered.funnel.total(WAITING) == 120 + 6
    twin = rejects.filter(gate="near_duplicate").row(0, named=True)
    assert twin["detail"] == f"repeats most of {drafts[5]['draft_id']}"
    assert twin["gates"][-1] == "grounding"
    assert rejects.filter(gate="failed_request")["conversations"].null_count() == 6
    assert rejects.sort("picture_sha256")["conversations"].null_count() == 18


def test_rejects_do_not_hold_what_may_be_a_secret(store: Store) -> None:
    drafts = plan(store, "pretrain", 1)
    secret = "sk-ant-api03-abcdefghijklmnopqrstuvwxyz"
    replies = answer(drafts, lambda draft, draw: write_fields(draft, draw) | leaked(draft, secret))
    render_set(store, "pretrain", lookup(replies))
    rejects = read_rejects(store, "pretrain")
    assert rejects["reason"].to_list() == ["key"] * 3
    assert rejects["conversations"].null_count() == 3
    assert not any(
        secret.encode() in store.read_bytes(key) for key in (rejects_key("pretrain"), funnel_key("pretrain"))
    )


def leaked(draft: Mapping[str, Any], secret: str) -> dict[str, Any]:
    field = "caption" if draft["task"] == "caption" else "answer"
    return {field: f"A sign on the wall says {secret} in letters of the same size as the awe below it."}


@pytest.mark.parametrize("rows_at_once", [1, 7, 64])
def test_bytes_do_not_depend_on_how_drafts_are_cut_into_parts(
    rows_at_once: int, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    replies = faulty(plan(store, "pretrain", 20))
    render_set(store, "pretrain", lookup(replies), quota=2)
    whole = files(store, "pretrain")
    render_set(store, "pretrain", lookup(replies), quota=2, rows_at_once=rows_at_once)
    assert files(store, "pretrain") == whole


def test_bytes_are_the_same_when_replies_come_from_a_ledger(store: Store, tmp_path: Path) -> None:
    drafts = plan(store, "finetune", 12)
    replies = answer(drafts)
    render_set(store, "finetune", lookup(replies))
    whole = files(store, "finetune")
    with Ledger(tmp_path / "requests.sqlite") as ledger:
        ledger.plan([(draft["request_digest"], draft["request"]) for draft in drafts])
        ledger.settle(
            [
                Settlement(
                    digest,
                    "answered",
                    0.0,
                    "anthropic",
                    0.002,
                    Reply(digest, reply.raw or b"", Usage(100, 50), "anthropic", "m"),
                )
                for digest, reply in replies.items()
            ]
        )
        render_set(store, "finetune", ledger.replies)
    assert files(store, "finetune") == whole


def test_waiting_drafts_are_no_rejects_and_come_in_when_they_are_answered(store: Store) -> None:
    drafts = plan(store, "hq", 8)
    replies = answer(drafts)
    part = {draft["request_digest"]: replies[draft["request_digest"]] for draft in drafts[::2]}
    rendered = render_set(store, "hq", lookup(part))
    assert (rendered.funnel.total(ACCEPTED), rendered.funnel.total(WAITING)) == (4, 4)
    assert len(read_rejects(store, "hq")) == 0
    assert render_set(store, "hq", lookup(replies)).funnel.total(ACCEPTED) == 8


def test_quota_keeps_the_first_of_each_emotion_and_task(store: Store) -> None:
    replies = answer(plan(store, "pretrain", 40))
    render_set(store, "pretrain", lookup(replies))
    everything = read_records(store, "pretrain")
    rendered = render_set(store, "pretrain", lookup(replies), quota=2)
    records = read_records(store, "pretrain")
    first = everything.with_row_index().group_by("emotion", "task").head(2).sort("index")
    assert records["record_id"].to_list() == first["record_id"].to_list()
    assert set(rendered.accepted.values()) == {2}
    assert rendered.funnel.total(SURPLUS) == len(everything) - len(records)
    some = render_set(store, "pretrain", lookup(replies), quota={("awe", "pretrain/vqa"): 1})
    assert some.accepted["awe", "pretrain/vqa"] == 1
    assert some.accepted["fear", "pretrain/vqa"] == 5


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raws=st.lists(RAW, min_size=9, max_size=9))
def test_any_reply_gives_a_record_or_one_reject(raws: list[bytes], tmp_path_factory: pytest.TempPathFactory) -> None:
    store = Store(tmp_path_factory.mktemp("store"))
    drafts = plan(store, "pretrain", 3)
    replies = {
        draft["request_digest"]: stored(draft["request_digest"], "", raw=raw)
        for draft, raw in zip(drafts, raws, strict=True)
    }
    rendered = render_set(store, "pretrain", lookup(replies))
    ids = [*read_records(store, "pretrain")["record_id"], *read_rejects(store, "pretrain")["record_id"]]
    assert sorted(ids) == sorted(draft["draft_id"] for draft in drafts)
    assert rendered.funnel.total() == 9


@pytest.mark.parametrize("name", set_names())
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_fields_that_fit_the_schema_give_records_or_rejects(
    name: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    store = Store(tmp_path_factory.mktemp("store"))
    drafts = plan(store, name, 1)
    texts = st.text(st.characters(codec="utf-8"), max_size=30) | st.sampled_from(["<image>", "awe", "a boat " * 12])
    replies = answer(drafts, lambda draft, draw: refill(write_fields(draft, draw), data, texts))
    rendered = render_set(store, name, lookup(replies))
    outcomes = {ACCEPTED, *(gate.name for gate in GATES)}
    assert {cell.outcome for cell in rendered.funnel.counts} <= outcomes
    assert len(read_records(store, name)) + len(read_rejects(store, name)) >= len(drafts)


def refill(value: Any, data: st.DataObject, texts: st.SearchStrategy[str]) -> Any:
    """Put drawn texts into a value of the same shape; lists may be empty, labels stay."""
    if isinstance(value, dict):
        return {key: inner if key == "label" else refill(inner, data, texts) for key, inner in value.items()}
    if isinstance(value, list):
        return [refill(value[0], data, texts) for _ in range(data.draw(st.integers(0, 3)))]
    return data.draw(texts)


def test_a_changed_prompt_is_told_before_anything_is_written(store: Store) -> None:
    drafts = plan(store, "hq", 1)
    with pytest.raises(PromptError, match=r"hq/reasoning has digest .* Plan the set's drafts again"):
        validator("hq/reasoning", "0" * 64, "mikels8")
    assert validator("hq/reasoning", drafts[0]["prompt_digest"], "mikels8")


def test_a_failed_rendering_leaves_the_records_before_as_they_were(store: Store) -> None:
    replies = answer(plan(store, "hq", 8))
    render_set(store, "hq", lookup(replies))
    before = files(store, "hq")

    def fail(_digests: object) -> Replies:
        raise StoreError("the disk is gone")

    with pytest.raises(StoreError, match="the disk is gone"):
        render_set(store, "hq", fail)
    assert files(store, "hq") == before


def test_records_are_absent_while_rejects_change_places(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    replies = answer(plan(store, "hq", 8))
    render_set(store, "hq", lookup(replies))

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Store, "write_json", die)
    with pytest.raises(KeyboardInterrupt):
        render_set(store, "hq", lookup(replies))
    assert not store.exists(records_key("hq"))


def test_progress_counts_drafts_and_ends_at_all_of_them(store: Store) -> None:
    drafts, told = plan(store, "pretrain", 10), []
    render_set(store, "pretrain", lookup(answer(drafts)), rows_at_once=8, report=lambda progress: told.append(progress))
    assert [one.done for one in told] == [8, 16, 24, 30]
    assert told[-1].total == 30


def test_order_of_the_mapping_of_replies_does_not_matter(store: Store) -> None:
    replies = faulty(plan(store, "pretrain", 20))
    render_set(store, "pretrain", lookup(replies))
    whole, mixed = files(store, "pretrain"), list(replies.items())
    random.Random(1).shuffle(mixed)
    render_set(store, "pretrain", lambda _digests: dict(mixed))
    assert files(store, "pretrain") == whole


def test_a_set_without_drafts_is_told(store: Store) -> None:
    with pytest.raises(StoreError, match=r"drafts.parquet is not there"):
        render_set(store, "hq", lookup({}))
