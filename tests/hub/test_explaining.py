from pathlib import Path

import orjson
import polars as pl
import pytest

from tests.synthesis.export.records import write_records
from tinyemo_data.errors import RecordNotFoundError
from tinyemo_data.hub.explaining import explain_published
from tinyemo_data.hub.published_set import open_published
from tinyemo_data.hub.staging import stage_set
from tinyemo_data.settings import Settings
from tinyemo_data.store import Store
from tinyemo_data.synthesis.ledger import Ledger, Settlement
from tinyemo_data.synthesis.records import read_records
from tinyemo_data.synthesis.reply import Reply, Usage
from tinyemo_data.synthesis.request import make_request

RAW = orjson.dumps({"content": [{"type": "text", "text": '{"reasoning": "A lamp shines.", "label": "awe"}'}]})
REQUEST = make_request(
    model="claude-opus-5-5", system="You explain pictures.", text="Why does this picture evoke awe?", schema={},
    max_tokens=100, seed=1, picture=None,
)  # fmt: skip


@pytest.fixture
def published(store: Store, world: Settings) -> Path:
    """A downloaded set, one record of which was asked of a model."""
    rows = read_records(store, "hq").to_dicts()
    asked = {"request_digest": REQUEST.digest, "generator": "anthropic", "model": "claude-opus-5-5"}
    write_records(store, "hq", [{**rows[0], **asked}, *rows[1:]])
    return Path(str(store.path(stage_set(store, world, "hq").repository.folder)))


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    with Ledger(tmp_path / "requests.sqlite") as opened:
        opened.plan([(REQUEST.digest, REQUEST.canonical)])
        reply = Reply(REQUEST.digest, RAW, Usage(120, 40), "anthropic", "claude-opus-5-5")
        opened.settle([Settlement(REQUEST.digest, "answered", 0, "anthropic", 0.002, reply)])
    return tmp_path / "requests.sqlite"


def first_record(published: Path) -> dict[str, object]:
    (shard,) = (published / "data").iterdir()
    return pl.read_parquet(shard).filter(pl.col("generator") == "anthropic").to_dicts()[0]


def test_explain_published_leads_from_a_record_to_picture_prompt_code_and_files(
    published: Path, world: Settings, store: Store
) -> None:
    record = first_record(published)
    found = explain_published(published, str(record["record_id"]), pictures=Path(world.raw))
    assert found.explanation.picture == Path(world.raw) / str(record["image"])
    assert found.explanation.row["picture_sha256"] == str(record["picture_sha256"]).removeprefix("sha256:")
    assert found.prompt is not None and "=== user ===" in found.prompt
    told = str(found)
    for expected in (
        REQUEST.digest, str(record["prompt_digest"])[:40], "claude-opus-5-5", "tinyemo-hq", "tinyemo-data 0",
        store.digest("instruct/hq/records.parquet")[:40], "A careful account",
    ):  # fmt: skip
        assert expected in told
    assert found.explanation.reply is None  # it is with those who made the set


def test_explain_published_takes_no_other_bytes_for_the_picture(published: Path, world: Settings) -> None:
    record = first_record(published)
    (Path(world.raw) / str(record["image"])).write_bytes(b"another picture of that name")
    found = explain_published(published, str(record["record_id"]), pictures=Path(world.raw))
    assert found.explanation.picture is None


def test_explain_published_shows_question_and_raw_reply_to_who_has_the_ledger(published: Path, ledger: Path) -> None:
    found = explain_published(published, str(first_record(published)["record_id"]), ledger)
    assert found.explanation.fields == {"reasoning": "A lamp shines.", "label": "awe"}
    told = str(found)
    assert "Why does this picture evoke awe?" in told and "A lamp shines." in told and "Raw reply" in told


def test_explain_published_names_the_nearest_record_when_there_is_none(published: Path) -> None:
    wanted = str(first_record(published)["record_id"])
    with pytest.raises(RecordNotFoundError, match=f"Did you mean '{wanted}'"):
        explain_published(published, wanted.replace("#reasoning", "#reasonning"))


def test_prompt_of_a_downloaded_set_is_read_from_within_it_alone(published: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_text("not yours")
    outside = "/".join([".."] * 12) + str(tmp_path / "secret")
    assert open_published(published).prompt(outside) is None
    assert open_published(published).prompt(str(tmp_path / "secret")) is None
