from collections.abc import Iterator

import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.test_sample import sample_table
from tinyemo_data import sample_writing
from tinyemo_data.errors import TableError
from tinyemo_data.sample import Quarantined, Sample, quarantine_key, read_quarantine, read_samples, samples_key
from tinyemo_data.sample_writing import cut_into_groups, write_sorted_samples
from tinyemo_data.store import Store

APART = pl.DataFrame([{"dataset": "emotion6", "path": "x.jpg", "reason": "truncated", "detail": "12 of 99 bytes"}])


def rows(*names: str) -> pl.DataFrame:
    return pl.concat([sample_table(sample_id=f"emotion6/{name}") for name in names])


def test_write_sorted_samples_writes_tables_that_are_read_back_with_their_types(store: Store) -> None:
    votes = [{"emotion": "awe", "votes": 2}, {"emotion": "joy", "votes": 0}]
    attributes = {"brightness": 0.5, "object": ["dog", "tree"]}
    table = pl.concat([
        sample_table(sample_id="emotion6/a", votes=votes, attributes=attributes),
        sample_table(sample_id="emotion6/é", distribution=[{"emotion": "joy", "probability": 1.0}], split="test"),
    ])  # fmt: skip
    write_sorted_samples(store, "emotion6", [table], [APART])
    assert read_samples(store, "emotion6").equals(table)
    assert read_quarantine(store, "emotion6").equals(APART)
    # As the file says it, before any check casts: readers that know no schema get the enumerations too.
    assert store.read_table(samples_key("emotion6")).schema == Sample.create_empty().schema


@pytest.mark.parametrize("cut", [1, 2, 4, 7, 9])
def test_write_sorted_samples_writes_equal_bytes_however_the_rows_are_cut(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, cut: int
) -> None:
    monkeypatch.setattr(sample_writing, "ROW_GROUP", 4)
    whole, parts = (Store(tmp_path_factory.mktemp(name)) for name in ("whole", "parts"))
    table = rows(*"abcdefghi")
    write_sorted_samples(whole, "emotion6", [table], [APART])
    write_sorted_samples(parts, "emotion6", table.iter_slices(cut), [APART.clear(), APART])
    for key in (samples_key("emotion6"), quarantine_key("emotion6")):
        assert whole.digest(key) == parts.digest(key)
    with whole.open(samples_key("emotion6")) as file:
        written = pq.ParquetFile(file).metadata
        assert [written.row_group(number).num_rows for number in range(written.num_row_groups)] == [4, 4, 1]


def test_write_sorted_samples_writes_an_empty_quarantine_when_nothing_is_kept_apart(store: Store) -> None:
    write_sorted_samples(store, "emotion6", [rows("a")], [])
    assert read_quarantine(store, "emotion6").schema == Quarantined.create_empty().schema


def test_write_sorted_samples_asks_for_the_quarantine_when_all_samples_are_given(store: Store) -> None:
    apart = []

    def samples() -> Iterator[pl.DataFrame]:
        yield rows("a")
        apart.append(APART)

    write_sorted_samples(store, "emotion6", samples(), (table for table in apart))
    assert read_quarantine(store, "emotion6").equals(APART)


@pytest.mark.parametrize(
    ("samples", "quarantine", "message"),
    [
        ([rows("b"), rows("b")], [APART], "samples of emotion6: 'emotion6/b' comes twice"),
        ([rows("b", "a")], [APART], "out of order"),
        ([rows("a"), sample_table(sample_id="emotion6/b", width=0)], [APART], "samples of emotion6: 1 of"),
        ([rows("a")], [APART.with_columns(reason=pl.lit("No Reason"))], "quarantine of emotion6: 1 of 1 rows"),
    ],
    ids=["twice", "unsorted", "no-width", "bad-reason"],
)
def test_write_sorted_samples_changes_neither_table_when_a_row_breaks_its_schema(
    store: Store, samples: list[pl.DataFrame], quarantine: list[pl.DataFrame], message: str
) -> None:
    write_sorted_samples(store, "emotion6", [rows("old")], [])
    with pytest.raises(TableError, match=message):
        write_sorted_samples(store, "emotion6", samples, quarantine)
    assert read_samples(store, "emotion6").equals(rows("old"))
    assert read_quarantine(store, "emotion6").is_empty()
    assert not [path for path in store.root.rglob("*") if path.name.startswith(".")]


@given(st.lists(st.integers(0, 20)))
def test_cut_into_groups_keeps_every_row_in_order_in_groups_of_one_length(lengths: list[int]) -> None:
    numbers = pl.DataFrame({"n": range(sum(lengths))}, schema={"n": pl.Int64})
    ends = [sum(lengths[: place + 1]) for place in range(len(lengths))]
    tables = [numbers[end - length : end] for end, length in zip(ends, lengths, strict=True)]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sample_writing, "ROW_GROUP", 7)
        groups = list(cut_into_groups(tables))
    assert pl.concat([numbers.clear(), *groups]).equals(numbers)
    assert [len(group) for group in groups[:-1]] == [7] * (len(groups) - 1)
    assert all(1 <= len(group) <= 7 for group in groups)
