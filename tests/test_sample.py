import polars as pl
import pytest

from tinyemo_data.errors import StoreError, TableError
from tinyemo_data.sample import (
    Quarantined,
    Sample,
    check_ids,
    check_table,
    read_quarantine,
    read_samples,
    samples_key,
    write_samples,
)
from tinyemo_data.store import Store

ROW = {
    "sample_id": "emotion6/images/joy/1",
    "source_kind": "picture",
    "dataset": "emotion6",
    "split": "train",
    "image_path": "images/joy/1.jpg",
    "sha256": "0" * 64,
    "phash": "f" * 16,
    "width": 4,
    "height": 3,
    "emotion": "joy",
    "taxonomy": "ekman6",
    "label_source": "keyword",
}


def sample_table(**changes: object) -> pl.DataFrame:
    row = dict.fromkeys(Sample.column_names()) | ROW | changes
    return pl.DataFrame([row], schema=Sample.create_empty().schema, strict=False)


def test_samples_and_quarantine_are_read_back_sorted(store: Store) -> None:
    table = pl.concat([sample_table(sample_id="emotion6/b"), sample_table(sample_id="emotion6/a")])
    apart = pl.DataFrame([{"dataset": "emotion6", "path": "x.jpg", "reason": "truncated", "detail": "12 of 99 bytes"}])
    write_samples(store, "emotion6", table, apart)
    assert read_samples(store, "emotion6")["sample_id"].to_list() == ["emotion6/a", "emotion6/b"]
    assert read_quarantine(store, "emotion6").equals(apart)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"sha256": "short"}, "sha256"),
        ({"emotion": None}, "a_label_comes_with_its_taxonomy"),
        ({"phash": None}, "a_picture_has_a_size"),
        ({"source_kind": "feature"}, "a_picture_has_a_size"),
        ({"width": 0}, "width"),
        ({"image_path": "/absolute.jpg"}, "image_path"),
    ],
    ids=["digest", "label-without-taxonomy", "no-hash", "feature-with-size", "no-width", "absolute-path"],
)
def test_check_table_names_the_rule_and_the_row_that_breaks_it(changes: dict[str, object], rule: str) -> None:
    with pytest.raises(TableError, match=rule) as caught:
        check_table(sample_table(**changes), Sample, "here")
    assert "emotion6/images/joy/1" in str(caught.value)


def test_check_table_refuses_a_sample_id_twice() -> None:
    with pytest.raises(TableError, match="primary_key"):
        check_table(pl.concat([sample_table(), sample_table()]), Sample, "here")


@pytest.mark.parametrize("ids", ["aab", "aba", "ba"], ids=["twice", "again", "falling"])
@pytest.mark.parametrize("rows", [1, 2, 3])
def test_check_ids_refuses_an_id_that_is_not_after_the_one_before_it(ids: str, rows: int) -> None:
    table = pl.concat([sample_table(sample_id=f"emotion6/{name}") for name in ids])
    with pytest.raises(TableError, match=r"here: 'emotion6/a' comes twice or out of order"):
        list(check_ids(table.iter_slices(rows), "here"))


def test_check_ids_gives_the_parts_as_they_are_when_the_ids_ascend() -> None:
    parts = [sample_table(sample_id=f"emotion6/{name}") for name in ("a", "a b", "a/b", "ab", "é", "😀")]
    parts.insert(2, Sample.create_empty())
    assert pl.concat(check_ids(parts, "here")).equals(pl.concat(parts))


def test_check_table_names_a_missing_column() -> None:
    with pytest.raises(TableError, match="column 'phash' is missing"):
        check_table(sample_table().drop("phash"), Sample, "here")


def test_read_samples_refuses_a_table_of_another_kind(store: Store) -> None:
    store.write_table(samples_key("emotion6"), Quarantined.create_empty())
    with pytest.raises(TableError, match=r"emotion6\.parquet: column 'sample_id' is missing"):
        read_samples(store, "emotion6")


def test_read_samples_says_what_to_materialize_when_there_are_none(store: Store) -> None:
    with pytest.raises(StoreError, match="materialize"):
        read_samples(store, "emotion6")
