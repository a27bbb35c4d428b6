import polars as pl
import pytest

from tests.synthesis.replied import answer, lookup, plan
from tinyemo_data.errors import StoreError, TableError
from tinyemo_data.store import Store
from tinyemo_data.synthesis import record_file
from tinyemo_data.synthesis.record_file import RECORD, REJECT, RecordFile, read_row_groups
from tinyemo_data.synthesis.records import (
    Record,
    Reject,
    iterate_records,
    read_records,
    read_rejects,
    records_key,
    rejects_key,
)
from tinyemo_data.synthesis.rendering import render_set


@pytest.fixture
def rendered(store: Store) -> Store:
    """A store with the records of a small set."""
    render_set(store, "hq", lookup(answer(plan(store, "hq", 12))))
    return store


def test_files_have_the_columns_of_their_schemas() -> None:
    assert RECORD.names == Record.column_names()
    assert REJECT.names == Reject.column_names()
    assert REJECT.names[: len(RECORD.names)] == RECORD.names


def test_records_read_back_checked_whole_or_in_parts(rendered: Store) -> None:
    records = read_records(rendered, "hq")
    assert len(records) == 12
    assert records.schema["conversations"] == pl.List(pl.Struct({"from": pl.String(), "value": pl.String()}))
    assert pl.concat(iterate_records(rendered, "hq")).equals(records)
    assert read_rejects(rendered, "hq").is_empty()


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (pl.col("usd") * -1, "usd|min"),
        (pl.lit("told").alias("variant"), "variant"),
        (pl.lit(None, pl.String()).alias("generator"), "generator|nullability"),
        (pl.lit("same").alias("record_id"), "primary_key"),
        (pl.col("conversations").list.head(1), "conversations|min_length"),
    ],
)
def test_read_records_names_the_rule_when_a_row_breaks_it(rendered: Store, change: pl.Expr, found: str) -> None:
    table = rendered.read_table(records_key("hq"))
    rendered.write_table(records_key("hq"), table.with_columns(change))
    with pytest.raises(TableError, match=found.replace("|", r"\|")) as told:
        read_records(rendered, "hq")
    assert "records.parquet" in str(told.value)


def test_iterate_records_checks_as_well(rendered: Store) -> None:
    rendered.write_table(records_key("hq"), rendered.read_table(records_key("hq")).drop("emotion"))
    with pytest.raises(TableError, match="column 'emotion' is missing"):
        list(iterate_records(rendered, "hq"))


@pytest.mark.parametrize("content", [b"", b"PAR1 and no more"], ids=["empty", "torn"])
def test_a_damaged_file_is_told_with_its_mend(rendered: Store, content: bytes) -> None:
    rendered.write_bytes(rejects_key("hq"), content)
    with pytest.raises(StoreError, match=r"rejects\.parquet .*[Dd]elete it and run its step again"):
        read_rejects(rendered, "hq")
    with pytest.raises(StoreError, match=r"rejects\.parquet .*Delete it and run its step again"):
        list(read_row_groups(rendered, rejects_key("hq")))


def test_bytes_of_a_file_do_not_depend_on_how_its_rows_came(rendered: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record_file, "ROW_GROUP", 5)
    records = read_records(rendered, "hq").with_columns(pl.col("variant", "label_origin").cast(pl.String))
    written = []
    for size in (1, 3, 5, 7, 12, 100):
        with rendered.writing("copy.parquet") as path, RecordFile(path, RECORD) as file:
            for start in range(0, len(records), size):
                file.add(records[start : start + size])
        written.append(rendered.read_bytes("copy.parquet"))
        assert [len(part) for part in read_row_groups(rendered, "copy.parquet")] == [5, 5, 2]
    assert len(set(written)) == 1


def test_a_file_without_rows_reads_as_an_empty_table(store: Store) -> None:
    with store.writing(rejects_key("hq")) as path, RecordFile(path, REJECT):
        pass
    assert read_rejects(store, "hq").is_empty()
