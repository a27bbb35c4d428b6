import io
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyemo_data import external_sort
from tinyemo_data.external_sort import ExternalSort

SCHEMA = pl.Schema(
    {
        "key": pl.String(),
        "place": pl.Int64(),
        "kind": pl.Enum(["a", "b"]),
        "votes": pl.List(pl.Struct({"n": pl.Int32})),
    }
)


def table(keys: list[str], first: int = 0) -> pl.DataFrame:
    rows = [
        {
            "key": key,
            "place": first + number,
            "kind": "ab"[number % 2],
            "votes": [{"n": number}] if number % 3 else None,
        }
        for number, key in enumerate(keys)
    ]
    return pl.DataFrame(rows, schema=SCHEMA)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of three rows and merges of five, so that a handful of rows has every border."""
    monkeypatch.setattr(external_sort, "BLOCK", 3)
    monkeypatch.setattr(external_sort, "MERGED", 5)


@given(st.lists(st.lists(st.text("abé😀/ ", max_size=3), max_size=12), max_size=8))
def test_external_sort_gives_what_sorting_in_memory_gives(batches: list[list[str]]) -> None:
    tables = [table(keys, first=100 * number) for number, keys in enumerate(batches)]
    with pytest.MonkeyPatch.context() as patched, ExternalSort(("key", "place")) as rows:
        patched.setattr(external_sort, "BLOCK", 3)
        patched.setattr(external_sort, "MERGED", 5)
        for batch in tables:
            rows.add(batch)
        parts = list(rows.in_order())
        assert len(rows) == sum(map(len, batches))
    empty = pl.DataFrame(schema=SCHEMA)
    assert pl.concat([empty, *parts]).equals(pl.concat([empty, *tables]).sort("key", "place"))
    borders = [(before["key"][-1], after["key"][0]) for before, after in pairwise(parts)]
    assert all(before < after for before, after in borders), "rows of one key are in one part"


def test_external_sort_gives_its_rows_again_when_asked_again(small: None) -> None:
    with ExternalSort(("key", "place")) as rows:
        for first in (0, 50):
            rows.add(table(list("dcbaefghij"), first))
        begun = rows.in_order()
        next(begun)
        whole = pl.concat(rows.in_order())
        assert whole.equals(pl.concat(rows.in_order())) and len(whole) == 20
        rows.add(table(["b"], 90))
        assert len(pl.concat(rows.in_order())) == 21


def test_external_sort_reads_no_block_before_its_turn(small: None, monkeypatch: pytest.MonkeyPatch) -> None:
    read, read_block = [0], pl.read_ipc_stream

    def counted(source: io.BytesIO) -> pl.DataFrame:
        read[0] += 1
        return read_block(source)

    monkeypatch.setattr(pl, "read_ipc_stream", counted)
    with ExternalSort(("key",)) as rows:
        for batch in range(20):
            rows.add(table([f"{batch:02d}{number:02d}" for number in range(9)]))
        parts = rows.in_order()
        next(parts)
        # Twenty batches one after another: what is merged first is two blocks of the first.
        assert read[0] == 2


@pytest.mark.parametrize("fails", [True, False])
def test_external_sort_leaves_nothing_in_its_folder(tmp_path: Path, fails: bool) -> None:
    with pytest.raises(KeyError) if fails else pytest.MonkeyPatch.context(), ExternalSort(("key",), tmp_path) as rows:
        rows.add(table(["b", "a"]))
        # Not even now: a process that is killed here leaves nothing behind.
        assert list(tmp_path.iterdir()) == []
        assert [part["key"].to_list() for part in rows.in_order()] == [["a", "b"]]
        if fails:
            raise KeyError
    assert list(tmp_path.iterdir()) == []
