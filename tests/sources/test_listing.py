import csv
import io
import tempfile
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyemo_data.errors import LayoutError
from tinyemo_data.sources.listing import read_csv, read_json, read_lines


def write(folder: Path, content: str | bytes, name: str = "list.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_read_lines_tolerates_bom_crlf_and_blank_lines(tmp_path: Path) -> None:
    path = write(tmp_path, b"\xef\xbb\xbfa/1.jpg\r\n\r\n  a/2.jpg \rb/3.jpg\n\n")
    assert list(read_lines(path)) == [(1, "a/1.jpg"), (3, "a/2.jpg"), (4, "b/3.jpg")]


@pytest.mark.parametrize("content", [b"\xff\xfea\x00", b"caf\xe9.jpg"], ids=["utf-16", "latin-1"])
def test_read_lines_names_the_byte_when_the_file_is_no_utf8(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(LayoutError, match=r"list\.csv: byte \d+ is no UTF-8"):
        list(read_lines(write(tmp_path, content)))


def test_read_lines_raises_layout_error_when_the_file_is_absent(tmp_path: Path) -> None:
    with pytest.raises(LayoutError, match=r"absent\.txt can't be read"):
        list(read_lines(tmp_path / "absent.txt"))


def test_read_csv_strips_single_quotes_and_numbers_rows_as_an_editor_does(tmp_path: Path) -> None:
    rows = list(read_csv(write(tmp_path, "'','Fear'\r\n\r\n'a.jpg',3,,\r\n'b.jpg', 4\r\n"), ("", "fear")))
    assert [(row.number, row.cells) for row in rows] == [
        (3, {"": "a.jpg", "fear": "3"}),
        (4, {"": "b.jpg", "fear": "4"}),
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("a,b\n", "'fear' is missing"),
        ("a,fear,Fear\n", "'fear' is there twice"),
        ("a,faer\n", "Did you mean 'faer'"),
        ("a,fear\n1\n", "row 2: expected 2 cells as in the header, found 1"),
        ("a,fear\n1,2,3\n", "row 2: expected 2 cells as in the header, found 3"),
        ("a,fear\n1," + "2" * 200_000, "row 2: no CSV"),
    ],
)
def test_read_csv_names_the_fault_when_the_file_is_another(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(LayoutError, match=message):
        list(read_csv(write(tmp_path, content), ("a", "fear")))


@given(
    rows=st.lists(
        st.lists(st.text(st.characters(categories=("L", "N")), min_size=1), min_size=2, max_size=2),
        max_size=5,
    )
)
def test_read_csv_gives_back_what_the_csv_module_wrote(rows: list[list[str]]) -> None:
    text = io.StringIO()
    csv.writer(text).writerows([["a", "b"], *rows])
    with tempfile.TemporaryDirectory() as folder:
        found = list(read_csv(write(Path(folder), text.getvalue()), ("a", "b")))
    assert [[row.cells["a"], row.cells["b"]] for row in found] == rows


@given(st.binary(max_size=200))
def test_readers_give_values_or_one_layout_error_for_any_bytes(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder), content)
        for read in (
            lambda: list(read_lines(path)),
            lambda: list(read_csv(path, ("a",))),
            lambda: read_json(path),
        ):
            try:
                read()
            except LayoutError as exc:
                assert str(path) in str(exc)


@pytest.mark.parametrize("content", [b"", b"{", b"[NaN]", b"[" * 5000, b'"\\ud800"'])
def test_read_json_names_the_file_when_it_is_broken(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(LayoutError, match=r"a\.json is no JSON"):
        read_json(write(tmp_path, content, "a.json"))


def test_read_json_tolerates_a_bom(tmp_path: Path) -> None:
    assert read_json(write(tmp_path, b"\xef\xbb\xbf" + orjson.dumps({"a": 1}), "a.json")) == {"a": 1}
