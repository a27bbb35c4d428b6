import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyemo_data.errors import InstructFileError
from tinyemo_data.synthesis.export import json_list
from tinyemo_data.synthesis.export.json_list import read_json_list

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.lists(VALUES), st.integers(1, 40), st.sampled_from([None, 2]), st.booleans())
def test_read_json_list_gives_what_the_standard_parser_gives_whatever_the_block(
    tmp_path_factory: pytest.TempPathFactory, values: list[Any], block: int, indent: int | None, ascii_only: bool
) -> None:
    path = tmp_path_factory.mktemp("list") / "file.json"
    text = json.dumps(values, indent=indent, ensure_ascii=ascii_only)
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    if "surrogates not allowed" in text:
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_list, "BLOCK", block)
        assert list(read_json_list(path)) == json.loads(text)


@given(st.lists(st.dictionaries(st.text(), st.text()), min_size=1), st.integers(1, 40))
def test_read_json_list_reads_json_lines_when_asked_to(
    tmp_path_factory: pytest.TempPathFactory, values: list[Any], block: int
) -> None:
    path = tmp_path_factory.mktemp("lines") / "file.json"
    path.write_text("\n".join(map(json.dumps, values)), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_list, "BLOCK", block)
        assert list(read_json_list(path, or_lines=True)) == values


@pytest.mark.parametrize(
    ("content", "place", "found"),
    [
        (b'{"a": 1}\n{"a": 2}\n', "record 1", "one object, or JSON Lines"),
        (b"", "record 1", "the end of the file"),
        (b'[{"a": 1}, {"a": 2', "record 2", "Expecting"),
        (b'[{"a": 1}', "record 2", "the end of the file"),
        (b'[{"a": 1} {"a": 2}]', "record 2", "'{'"),
        (b'[{"a": 1}] more', "record 2", "'m'"),
        (b'[{"a": 1,}]', "record 1", "property name"),
        (b'[{"a": "x]', "record 1", "Unterminated string"),
        (b'["a", "\xff"]', "", "no UTF-8"),
        (b"\xef\xbb\xbf[]", "record 1", "ufeff"),
        (b"[" + b"[" * 100_000, "record 1", "nested too deeply"),
    ],
    ids=["lines", "empty", "cut", "unclosed", "no_comma", "more", "trailing_comma", "quote", "bytes", "bom", "deep"],
)
def test_read_json_list_names_record_and_find_when_the_file_is_no_list(
    tmp_path: Path, content: bytes, place: str, found: str
) -> None:
    path = tmp_path / "file.json"
    path.write_bytes(content)
    with pytest.raises(InstructFileError) as caught:
        list(read_json_list(path))
    assert str(path) in str(caught.value)
    assert place in str(caught.value)
    assert found in str(caught.value)


def test_read_json_list_gives_up_on_a_quote_that_is_never_closed_before_the_file_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_list, "BLOCK", 10)
    monkeypatch.setattr(json_list, "LONGEST", 100)
    path = tmp_path / "file.json"
    path.write_text('[{"a": "' + "x" * 1000)
    read: list[int] = []
    monkeypatch.setattr(json_list._Window, "_read_on", counting(json_list._Window._read_on, read))
    with pytest.raises(InstructFileError, match="Unterminated"):
        list(read_json_list(path))
    assert len(read) < 20


def test_read_json_list_gives_the_records_before_the_fault(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    path.write_text('[{"a": 1}, {"a": 2}, oops]')
    records = read_json_list(path)
    assert [next(records), next(records)] == [{"a": 1}, {"a": 2}]
    with pytest.raises(InstructFileError, match="record 3"):
        next(records)


def counting(read_on: Any, calls: list[int]) -> Any:
    def count(window: Any) -> None:
        calls.append(1)
        read_on(window)

    return count
