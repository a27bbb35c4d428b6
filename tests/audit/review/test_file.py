"""The review file as people save it: any table editor's CSV is read, nothing of it is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyemo_data.audit.review.file import ReviewFile, Row, parse, read_file, render, write_file
from tinyemo_data.audit.review.terms import COLUMNS, REVIEW_KEY
from tinyemo_data.errors import ReviewError
from tinyemo_data.store import Store

CELLS = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufeff"), max_size=20).map(str.strip)


@given(rows=st.lists(st.lists(CELLS, min_size=3, max_size=3).filter(any), max_size=6))
def test_what_was_rendered_is_read_again_whatever_is_in_the_cells(rows: list[list[str]]) -> None:
    columns = ("slice_id", "decision", "my own notes")
    file = ReviewFile(columns, tuple(Row(0, dict(zip(columns, cells, strict=True))) for cells in rows))
    assert parse(render(file), "review.csv") == file


@given(content=st.binary(max_size=80))
def test_any_bytes_are_read_or_refused_for_people(content: bytes) -> None:
    try:
        parse(content, "review.csv")
    except ReviewError as exc:
        assert str(exc).startswith("review.csv")


@pytest.mark.parametrize(
    "content",
    [
        'slice_id,decision,reason\nab,unsure,"one, two"\n',
        "\ufeffslice_id;decision;reason\r\nab;unsure;one, two\r\n;;\r\n",
        "slice_id\tdecision\treason\nab\t unsure \tone, two\n",
    ],
    ids=["commas", "semicolons and a byte-order mark", "tabs and spaces"],
)
def test_what_spreadsheets_save_is_understood(content: str) -> None:
    (row,) = parse(content.encode(), "review.csv").rows
    assert row.cells == {"slice_id": "ab", "decision": "unsure", "reason": "one, two"}
    assert row.line == 2


def test_a_row_after_a_text_of_several_lines_has_its_own_line_number() -> None:
    file = parse(b'slice_id,decision,reason\nab,unsure,"one\ntwo\nthree"\ncd,,\n', "review.csv")
    assert [row.line for row in file.rows] == [2, 5]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"slice_id,descision\n", "line 1: expected a column 'decision', found slice_id, descision. Did you mean"),
        (b"slice_id,decision,decision\n", "two columns are called 'decision'"),
        (b"slice_id,decision\nab,unsure,because, of it\n", "line 2: expected 2 cells, found 4"),
        (b'slice_id,decision\nab,"unsure\n', "no row of a CSV table"),
        (b"slice_id,decision\n\xff\xfe,\n", "byte 18 is no UTF-8"),
    ],
    ids=["misspelt column", "column twice", "too many cells", "open quote", "no text"],
)
def test_a_broken_table_is_refused_with_its_line(content: bytes, message: str) -> None:
    with pytest.raises(ReviewError, match=message):
        parse(content, "review.csv")


def test_no_file_is_an_empty_one(store: Store) -> None:
    assert read_file(store) == ReviewFile(COLUMNS, ())
    assert parse(b" \n", "review.csv") == ReviewFile(COLUMNS, ())


def test_a_file_that_somebody_saved_meanwhile_is_not_overwritten(store: Store) -> None:
    read = read_file(store)
    store.write_bytes(REVIEW_KEY, b"slice_id,decision\nab,unsure\n")
    with pytest.raises(ReviewError, match="was changed while it was read"):
        write_file(store, ReviewFile(COLUMNS, (Row(0, {"slice_id": "new"}),)), read)
    assert store.read_bytes(REVIEW_KEY) == b"slice_id,decision\nab,unsure\n"


def test_a_file_that_says_the_same_is_not_written_again(store: Store) -> None:
    content = "\ufeffslice_id;decision\r\nab;unsure\r\n".encode()
    store.write_bytes(REVIEW_KEY, content)
    read = read_file(store)
    assert not write_file(store, read, read)
    assert store.read_bytes(REVIEW_KEY) == content
