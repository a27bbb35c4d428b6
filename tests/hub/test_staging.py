import hashlib
from pathlib import Path

import polars as pl
import pytest
import yaml

from tests.hub.world import LABELS, PICTURES, records_of
from tests.synthesis.export.records import write_records
from tinyemo_data.audit.leakage import REPORT_KEY
from tinyemo_data.errors import LicenceError, StagingError, StoreError
from tinyemo_data.hub.files import differences, read_manifest, staged_paths
from tinyemo_data.hub.staging import stage_set
from tinyemo_data.settings import Settings
from tinyemo_data.store import Store
from tinyemo_data.synthesis.records import funnel_key, read_records, records_key


def contents(store: Store, folder: str) -> dict[str, bytes]:
    return {path: store.read_bytes(f"{folder}/{path}") for path in staged_paths(store, folder)}


def card_of(store: Store, name: str) -> tuple[dict[str, object], str]:
    _, front, body = store.read_bytes(f"hub/{name}/README.md").decode().split("---\n", 2)
    return yaml.safe_load(front), body


def test_stage_set_holds_every_record_once_and_changes_none(store: Store, world: Settings) -> None:
    stage_set(store, world, "pretrain")
    staged = pl.read_parquet(str(store.path("hub/tinyemo-pretrain/data/train-00000-of-00001.parquet")))
    plain = staged.with_columns(pl.col("picture_sha256").str.strip_prefix("sha256:"))
    expected = read_records(store, "pretrain").with_columns(pl.col("variant", "label_origin").cast(pl.String))
    assert staged["picture_sha256"].str.starts_with("sha256:").all()
    assert plain.sort("record_id").to_dicts() == expected.sort("record_id").to_dicts()


def test_stage_set_writes_equal_bytes_on_a_second_run(store: Store, world: Settings) -> None:
    stage_set(store, world, "pretrain")
    first = contents(store, "hub/tinyemo-pretrain")
    stage_set(store, world, "pretrain")
    assert contents(store, "hub/tinyemo-pretrain") == first


def test_stage_set_names_every_file_with_its_digest_and_what_it_was_made_of(store: Store, world: Settings) -> None:
    stage_set(store, world, "finetune")
    folder = "hub/tinyemo-finetune"
    manifest = read_manifest(store, folder)
    assert {entry.path for entry in manifest.files} == set(staged_paths(store, folder)) - {"manifest.json"}
    for entry in manifest.files:
        content = store.read_bytes(f"{folder}/{entry.path}")
        assert (len(content), hashlib.sha256(content).hexdigest()) == (entry.bytes, entry.sha256)
    lineage = {entry.path: entry.made_from for entry in manifest.files}
    assert lineage["data/train-00000-of-00001.parquet"] == [records_key("finetune")]
    assert set(lineage["README.md"]) >= {records_key("finetune"), funnel_key("finetune"), REPORT_KEY}
    assert manifest.made_from[records_key("finetune")] == store.digest(records_key("finetune"))
    assert set(manifest.prompts) == {"finetune/reasoning"}
    assert manifest.code["version"] and len(manifest.code["sha256"]) == 64


def test_stage_set_removes_what_an_earlier_staging_left_behind(store: Store, world: Settings) -> None:
    store.write_bytes("hub/tinyemo-hq/data/train-00001-of-00002.parquet", b"of an earlier staging")
    stage_set(store, world, "hq")
    assert staged_paths(store, "hub/tinyemo-hq").count("data/train-00001-of-00002.parquet") == 0


def test_stage_set_lets_records_of_a_picture_share_a_shard_and_a_dropped_one_change_that_shard_alone(
    store: Store, world: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tinyemo_data.hub.shards.MOST_ROWS", 10)
    stage_set(store, world, "pretrain")
    before = {entry.path: entry.sha256 for entry in read_manifest(store, "hub/tinyemo-pretrain").files}
    shards = sorted(path for path in before if path.endswith(".parquet"))
    assert len(shards) == 4
    tables = [pl.read_parquet(str(store.path(f"hub/tinyemo-pretrain/{path}"))) for path in shards]
    owners = pl.concat([table.select("sample_id", shard=pl.lit(number)) for number, table in enumerate(tables)])
    assert sum(len(table) for table in tables) == 3 * PICTURES
    assert owners.group_by("sample_id").agg(pl.col("shard").n_unique())["shard"].to_list() == [1] * PICTURES

    rows = read_records(store, "pretrain").with_columns(pl.col("variant", "label_origin").cast(pl.String)).to_dicts()
    write_records(store, "pretrain", rows[:-1])
    stage_set(store, world, "pretrain")
    after = {entry.path: entry.sha256 for entry in read_manifest(store, "hub/tinyemo-pretrain").files}
    assert [after[path] == before[path] for path in shards].count(False) == 1


def test_card_tells_what_was_measured(store: Store, world: Settings) -> None:
    stage_set(store, world, "pretrain")
    front, body = card_of(store, "tinyemo-pretrain")
    assert front["license"] == "other" and front["license_link"] == "LICENSE.md"
    assert front["source_datasets"] == ["extended|other-emoset"] and front["size_categories"] == ["n<1K"]
    assert f"{3 * PICTURES} machine-made conversations about {PICTURES} pictures" in body
    assert "Made of drawn pictures" in body
    assert "| pretrain/vqa | – | 12 |" in body
    assert f"| {LABELS[0]} | mikels8 | 2 | 2 | 2 |" in body
    assert "| length | answer_too_short | 3 |" in body
    assert "cost 0.7500 dollars" in body  # of the three that were turned away
    assert "| rules | rules-1 | 36 | 360 | 720 | 0.0000 |" in body
    assert "evoke in its viewer" in body and "Article 5(1)(f)" in body
    assert "No bias audit was run" in body


def test_card_tells_which_evaluated_pictures_the_set_shows(store: Store, world: Settings) -> None:
    stage_set(store, world, "pretrain")
    _, body = card_of(store, "tinyemo-pretrain")
    assert "| fi/test | 5 | 1 | 1 | 3 |" in body
    assert "Not at hand, so not compared: abstract" in body
    twins = pl.read_csv(str(store.path("hub/tinyemo-pretrain/contamination.csv")))
    assert twins["evaluated_dataset"].to_list() == ["fi"] and twins["kind"].to_list() == ["identical"]
    assert twins["sample_id"].to_list() == ["emoset/image/contentment/contentment_00003"]


def test_card_says_that_contamination_was_not_measured_when_samples_are_newer(store: Store, world: Settings) -> None:
    store.remove(REPORT_KEY)
    staged = stage_set(store, world, "hq")
    assert "**This was not measured**" in staged.card
    assert not staged.manifest.contamination_measured


def test_card_names_the_model_the_tokens_and_the_dollars_when_an_api_answered(store: Store, world: Settings) -> None:
    rows = read_records(store, "hq").to_dicts()
    paid = {"generator": "anthropic_batches", "model": "claude-opus-5-5", "usd": 0.5, "input_tokens": 1000}
    write_records(store, "hq", [{**row, **paid} for row in rows])
    staged = stage_set(store, world, "hq")
    assert "| anthropic_batches | claude-opus-5-5 | 6 | 6,000 | 120 | 3.0000 |" in staged.card
    assert "written permission" in staged.card
    assert staged.manifest.generators == ["anthropic_batches"]


def test_prompt_s_text_is_staged_only_where_it_is_the_one_that_was_asked_with(store: Store, world: Settings) -> None:
    rows = read_records(store, "hq").to_dicts()
    write_records(store, "hq", [{**row, "prompt_digest": "f" * 64} for row in rows])
    staged = stage_set(store, world, "hq")
    assert not any(path.startswith("prompts/") for path in staged_paths(store, "hub/tinyemo-hq"))
    assert "edited since, or not ours" in staged.card
    stage_set(store, world, "finetune")
    text = store.read_bytes("hub/tinyemo-finetune/prompts/finetune/reasoning.md")
    assert (
        hashlib.sha256(text).hexdigest() == read_manifest(store, "hub/tinyemo-finetune").prompts["finetune/reasoning"]
    )


def test_stage_set_refuses_a_set_without_records(store: Store, world: Settings) -> None:
    write_records(store, "hq", [])
    with pytest.raises(StagingError, match="holds no record"):
        stage_set(store, world, "hq")


def test_stage_set_says_what_to_materialize_when_the_set_was_not_made(store: Store, world: Settings) -> None:
    store.remove(records_key("hq"))
    with pytest.raises(StoreError, match=r"hq.records\.parquet is not there"):
        stage_set(store, world, "hq")


def test_stage_set_refuses_a_dataset_of_which_nobody_knows_the_licence(store: Store, world: Settings) -> None:
    rows = read_records(store, "hq").to_dicts()
    write_records(store, "hq", [{**row, "dataset": "emosset"} for row in rows])
    with pytest.raises(LicenceError, match=r"'emosset'\. Did you mean 'emoset'\?"):
        stage_set(store, world, "hq")


def test_differences_names_what_was_changed_added_and_removed_since(store: Store, world: Settings) -> None:
    stage_set(store, world, "hq")
    folder = "hub/tinyemo-hq"
    manifest = read_manifest(store, folder)
    assert differences(store, folder, manifest) == []
    store.write_bytes(f"{folder}/README.md", b"edited")
    store.write_bytes(f"{folder}/notes.md", b"added")
    store.remove(f"{folder}/LICENSE.md")
    assert differences(store, folder, manifest) == [
        "notes.md was not staged", "LICENSE.md is gone", "README.md was changed",
    ]  # fmt: skip


def test_staging_works_in_a_store_that_is_no_local_disk(store: Store, world: Settings, tmp_path: Path) -> None:
    remote = Store("memory://staging-test")
    for key in ("instruct/hq/records.parquet", "instruct/hq/funnel.json", "samples/emoset.parquet"):
        remote.write_bytes(key, store.read_bytes(key))
    staged = stage_set(remote, world, "hq")
    assert staged.found == [] and differences(remote, staged.repository.folder, staged.manifest) == []


def test_world_s_records_are_as_the_engine_writes_them(store: Store) -> None:
    samples = store.read_table("samples/emoset.parquet").to_dicts()
    assert len(read_records(store, "pretrain")) == len(records_of("pretrain", samples))
