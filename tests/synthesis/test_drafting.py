import hashlib
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tinyemo_data import taxonomy
from tinyemo_data.errors import StoreError, TableError
from tinyemo_data.settings import SynthesisSettings
from tinyemo_data.store import Store
from tinyemo_data.synthesis import draft_file, drafting
from tinyemo_data.synthesis.draft import Draft, drafts_key
from tinyemo_data.synthesis.draft_rows import Drafter
from tinyemo_data.synthesis.drafting import iterate_drafts, plan_drafts
from tinyemo_data.synthesis.recipe import Recipe, recipe_of, set_names
from tinyemo_data.synthesis.request import digest_of
from tinyemo_data.synthesis.subject import Facts, Subject

LABELS = taxonomy.get("parrott25").labels


def recipe(name: str, **options: Any) -> Recipe:
    own = {key: options.pop(key) for key in ("withheld_share", "draws", "tasks") if key in options}
    return recipe_of(SynthesisSettings.model_validate({"sets": {name: own}, **options}), name)


def subjects(count: int, unlabelled: bool = False) -> Iterator[Subject]:
    for number in range(count):
        emotion = None if unlabelled else LABELS[number % len(LABELS)]
        kind, origin = (None, None) if unlabelled else ("parrott25", "projector")
        facts = Facts(brightness=number % 10 / 10, dominant_colours=(("#aabbcc", 0.5),), objects=("dog", "tree"))
        digest = hashlib.sha256(str(number).encode()).hexdigest()
        yield Subject(f"webemo/train/{number}", "webemo", f"train/{number}.jpg", digest, emotion, kind, origin, facts)


def read(store: Store, name: str) -> pl.DataFrame:
    return pl.concat(iterate_drafts(store, name))


def fail(_: int) -> Subject:
    raise AssertionError("no subject should be looked at")


@pytest.mark.parametrize("name", set_names())
def test_drafts_of_every_set_fit_their_schema_and_report(store: Store, name: str) -> None:
    report = plan_drafts(store, recipe(name), subjects(60))
    drafts = Draft.validate(read(store, name))
    assert (report.made, report.rows, report.pictures, report.unlabelled) == (True, len(drafts), 60, 0)
    assert report.by_task == dict(Counter(drafts["task"].to_list()))
    assert report.by_emotion == dict(Counter(drafts["emotion"].to_list()))
    assert drafts.select(pl.struct("prompt", "task").n_unique()).item() == len(report.by_task)


def test_pretraining_has_three_drafts_a_picture(store: Store) -> None:
    plan_drafts(store, recipe("pretrain"), subjects(20))
    drafts = read(store, "pretrain")
    assert sorted(drafts["draft_id"]) == sorted(
        f"webemo/train/{number}#{task}" for number in range(20) for task in ("caption", "vqa", "sqa")
    )


@given(st.lists(st.integers(0, 10_000), unique=True, max_size=40), st.integers(0, 5))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_drafts_are_those_of_a_slow_and_obvious_sort(store: Store, numbers: list[int], seed: int) -> None:
    wanted = recipe("finetune", seed=seed)
    chosen = [replace(next(subjects(1)), sample_id=f"webemo/{number}") for number in numbers]
    plan_drafts(store, wanted, chosen)
    found = [row for table in iterate_drafts(store, "finetune") for row in table.to_dicts()]

    def rank(draft_id: str) -> int:
        return int(hashlib.sha256(f"{seed}/{draft_id}".encode()).hexdigest()[:16], 16)

    ids = sorted((f"{one.sample_id}#reasoning" for one in chosen), key=rank)
    assert [row["draft_id"] for row in found] == ids
    drafter, by_id = Drafter(wanted), {f"{one.sample_id}#reasoning": one for one in chosen}
    rows = [drafter.row(by_id[draft_id], rank(draft_id), draft_id, 0) for draft_id in ids]
    assert found == [{**row, "options": list(row["options"])} for row in rows]


def test_drafts_do_not_depend_on_the_order_of_subjects_nor_on_how_many_are_spooled_at_once(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan_drafts(store, recipe("pretrain"), subjects(200))
    monkeypatch.setattr(drafting, "SPOOLED", 7)
    other = Store(tmp_path / "other")
    plan_drafts(other, recipe("pretrain"), reversed(list(subjects(200))))
    assert read(store, "pretrain").equals(read(other, "pretrain"))


def test_request_says_what_the_draft_says(store: Store) -> None:
    plan_drafts(store, recipe("finetune"), subjects(30))
    for row in read(store, "finetune").iter_rows(named=True):
        body = orjson.loads(row["request"])
        assert row["request_digest"] == digest_of(row["request"])
        assert orjson.dumps(body, option=orjson.OPT_SORT_KEYS) == row["request"]
        known = body["known"]
        assert (body["model"], known["task"], known["variant"]) == ("rules-1", "finetune/reasoning", row["variant"])
        assert (known["emotion"], known["question"], known["options"]) == (
            row["emotion"], row["question"], row["options"],
        )  # fmt: skip
        assert known["facts"] == orjson.loads(row["known"])
        assert row["emotion"] in body["text"]
        assert row["question"] in body["text"]
        assert body["picture"] == {"sha256": row["picture_sha256"], "side": 512}
        assert body["schema"]["properties"]["label"]["enum"] == list(LABELS)


def test_rules_learn_no_label_where_language_models_are_told_none(store: Store) -> None:
    plan_drafts(store, recipe("pretrain"), subjects(10))
    for row in read(store, "pretrain").iter_rows(named=True):
        told = orjson.loads(row["request"])["known"]["emotion"]
        assert told == (row["emotion"] if row["task"] == "sqa" else None)


def test_language_models_get_prose_alone_and_the_model_of_the_prompt_s_class(store: Store) -> None:
    paid = {"backend": "anthropic_batches", "budget_usd": 1}
    models = set()
    for name in ("pretrain", "hq"):
        plan_drafts(store, recipe(name, **paid), subjects(3))
        bodies = [orjson.loads(request) for request in read(store, name)["request"]]
        assert [body["known"] for body in bodies] == [None] * len(bodies)
        models.add((name, *{body["model"] for body in bodies}))
    assert models == {("pretrain", "claude-haiku-5-5"), ("hq", "claude-opus-5-5")}


def test_all_notes_and_no_picture_are_sent_when_its_side_is_null(store: Store) -> None:
    plan_drafts(store, recipe("triggers", picture_side=None), subjects(3))
    bodies = [orjson.loads(request) for request in read(store, "triggers")["request"]]
    assert {body["picture"] for body in bodies} == {None}
    assert all("objects: dog, tree\n" in body["text"] and "brightness: 0." in body["text"] for body in bodies)


def test_requests_of_two_drafts_differ_though_all_that_is_known_is_the_same(store: Store) -> None:
    twins = [replace(one, sha256="0" * 64, emotion="rage", facts=Facts()) for one in subjects(300)]
    plan_drafts(store, recipe("triggers"), twins)
    assert read(store, "triggers")["request_digest"].n_unique() == 300


def test_more_draws_ask_again_and_keep_the_first_questions(store: Store) -> None:
    plan_drafts(store, recipe("hq"), subjects(20))
    first = read(store, "hq")
    plan_drafts(store, recipe("hq", draws=3), subjects(20))
    more = read(store, "hq")
    assert len(more) == 60
    assert more.filter(~pl.col("draft_id").str.contains("~")).equals(first)
    assert set(more["draft_id"].str.extract("~(.*)$")) == {None, "2", "3"}


def test_unlabelled_pictures_are_asked_only_what_needs_no_label(store: Store) -> None:
    report = plan_drafts(store, recipe("pretrain"), subjects(5, unlabelled=True))
    assert (report.rows, report.unlabelled, report.by_task, report.by_emotion) == (10, 5, {"caption": 5, "vqa": 5}, {})
    empty = plan_drafts(store, recipe("hq"), subjects(5, unlabelled=True))
    assert empty.rows == len(list(iterate_drafts(store, "hq"))) == 0
    assert not plan_drafts(store, recipe("hq"), subjects(5, unlabelled=True)).made


def test_same_input_gives_the_same_bytes_in_another_process_with_other_hashes(store: Store, tmp_path: Path) -> None:
    code = (
        "import sys; from tests.synthesis.test_drafting import *;"
        "plan_drafts(Store(sys.argv[1]), recipe('pretrain'), subjects(300));"
        "plan_drafts(Store(sys.argv[1]), recipe('finetune'), subjects(300))"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], env={**os.environ, "PYTHONHASHSEED": "1"}, check=True)
    for name in ("pretrain", "finetune"):
        plan_drafts(store, recipe(name), subjects(300))
        assert store.digest(drafts_key(name)) == Store(tmp_path).digest(drafts_key(name))


@pytest.mark.parametrize("origin", [None, "digest of the tables"])
def test_unchanged_plan_is_not_made_again(store: Store, origin: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    first = plan_drafts(store, recipe("statements"), subjects(30), origin)
    monkeypatch.setattr(draft_file, "write_drafts", None)
    again = plan_drafts(store, recipe("statements"), subjects(30) if origin is None else map(fail, range(9)), origin)
    assert again == replace(first, made=False)


@pytest.mark.parametrize(
    "change",
    [{"seed": 1}, {"draws": 2}, {"picture_side": 256}, {"max_tokens": 99}, {"withheld_share": 0.1},
     {"backend": "anthropic", "budget_usd": 1}],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_plan_is_made_again_when_the_recipe_changed(store: Store, change: dict[str, Any]) -> None:
    first = plan_drafts(store, recipe("hq"), subjects(4), "origin")
    other = plan_drafts(store, recipe("hq", **change), subjects(4), "origin")
    assert other.made
    assert other.fingerprint != first.fingerprint


@pytest.mark.parametrize("origin", [True, False])
def test_plan_is_made_again_when_a_subject_changed(store: Store, origin: bool) -> None:
    plan_drafts(store, recipe("hq"), subjects(4), "one" if origin else None)
    changed = [replace(one, facts=Facts(scene="sea")) for one in subjects(4)]
    assert plan_drafts(store, recipe("hq"), changed, "two" if origin else None).made
    assert "sea" in read(store, "hq")["known"][0]


def test_what_only_says_how_requests_are_sent_makes_no_other_drafts(store: Store) -> None:
    first = recipe("hq", backend="anthropic", budget_usd=1)
    plan_drafts(store, first, subjects(4))
    other = recipe("hq", backend="anthropic_batches", budget_usd=5, concurrency=3)
    assert not plan_drafts(store, other, subjects(4)).made


def test_another_prompt_leaves_the_requests_of_every_other_untouched(store: Store) -> None:
    before = recipe("pretrain")
    plan_drafts(store, before, subjects(20))
    first = read(store, "pretrain")
    caption, *others = before.prompts
    mended = replace(caption, system=caption.system + "More.\n", digest="other")
    assert plan_drafts(store, replace(before, prompts=(mended, *others)), subjects(20)).made
    second = read(store, "pretrain")
    same = first["request_digest"] == second["request_digest"]
    assert (same == (first["task"] != "caption")).all()


def test_failing_subjects_leave_the_plan_that_was_there(store: Store) -> None:
    plan_drafts(store, recipe("hq"), subjects(4))
    before = store.digest(drafts_key("hq"))

    def failing() -> Iterator[Subject]:
        yield from subjects(9)
        raise StoreError("gone")

    with pytest.raises(StoreError, match="gone"):
        plan_drafts(store, recipe("hq"), failing())
    with pytest.raises(TableError, match="two subjects have the id of 'webemo/train/0#reasoning'"):
        plan_drafts(store, recipe("hq"), [*subjects(3), *subjects(1)])
    assert store.digest(drafts_key("hq")) == before
    assert [path.name for path in store.path("instruct/hq").iterdir()] == ["drafts.parquet"]


@given(st.integers(1, 130), st.sampled_from([["draft_id"], ["request", "rank", "variant"], None]))
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_drafts_are_read_in_parts_of_the_wanted_size(store: Store, size: int, columns: list[str] | None) -> None:
    plan_drafts(store, recipe("dialogue"), subjects(101))
    parts = list(iterate_drafts(store, "dialogue", columns, size))
    assert max(map(len, parts)) <= size
    whole = pl.concat(parts)
    assert whole.columns == (columns or Draft.column_names())
    assert whole.equals(read(store, "dialogue").select(whole.columns))


def test_reading_says_what_is_wrong(store: Store) -> None:
    with pytest.raises(StoreError, match="not there"):
        next(iterate_drafts(store, "hq"))
    with pytest.raises(TableError, match="no column 'requst'"):
        next(iterate_drafts(store, "hq", ["requst"]))
    store.write_bytes(drafts_key("hq"), b"PAR1 no Parquet PAR1")
    with pytest.raises(StoreError, match="plan the set again"):
        next(iterate_drafts(store, "hq"))
    assert plan_drafts(store, recipe("hq"), subjects(3)).made


def test_drafts_are_read_and_written_on_a_remote_store() -> None:
    remote = Store("memory://drafts-of-a-test")
    assert plan_drafts(remote, recipe("hq"), subjects(3)).made
    assert not plan_drafts(remote, recipe("hq"), subjects(3)).made
    assert len(read(remote, "hq")) == 3
