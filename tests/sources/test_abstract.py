import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyemo_data.errors import LayoutError, TinyEmoError
from tinyemo_data.settings import DatasetSettings
from tinyemo_data.sources.abstract import RATINGS, read
from tinyemo_data.sources.source import Entry, Reject

HEADER = "'','Amusement','Anger','Awe','Content','Disgust','Excitement','Fear','Sad'"
EMOTIONS = ("amusement", "anger", "awe", "contentment", "disgust", "excitement", "fear", "sadness")


def lay(root: Path, rows: list[str], *pictures: str, header: str = HEADER) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    (root / RATINGS).write_text("\n".join([header, *rows]) + "\n")
    for picture in pictures:
        (root / picture).write_bytes(b"x")
    return root


def samples(root: Path) -> list[Entry | Reject]:
    return list(read(root, DatasetSettings()))


@pytest.mark.parametrize("base", ["testImages_abstract", "."], ids=["archive", "inner folder"])
def test_read_unwraps_quotes_and_keeps_the_votes(tmp_path: Path, base: str) -> None:
    lay(tmp_path / base, ["'abstract_0001.jpg',0,1,2,7,0,3,1,0"], "abstract_0001.jpg")
    (found,) = samples(tmp_path)
    assert isinstance(found, Entry)
    assert found.path == (Path(base) / "abstract_0001.jpg").as_posix()
    assert (found.emotion, found.label_source, found.taxonomy) == ("contentment", "votes", "mikels8")
    assert found.votes == dict(zip(EMOTIONS, (0, 1, 2, 7, 0, 3, 1, 0), strict=True))


def test_read_compares_votes_as_integers_where_strings_would_say_2_beats_10(tmp_path: Path) -> None:
    lay(tmp_path, ["'a.jpg',10,2,0,0,0,0,0,0"], "a.jpg")
    assert max(["10", "2"]) == "2"
    (found,) = samples(tmp_path)
    assert isinstance(found, Entry)
    assert found.emotion == "amusement"


def test_read_sends_a_tie_of_integers_to_the_quarantine_where_strings_would_differ(tmp_path: Path) -> None:
    lay(tmp_path, ["'a.jpg',5,05,0,0,0,0,0,0", "'b.jpg',2,2,10,0,0,0,0,0"], "a.jpg", "b.jpg")
    tie, clear = samples(tmp_path)
    assert tie == Reject("a.jpg", "tie", "5 votes each for amusement, anger")
    assert isinstance(clear, Entry)
    assert clear.emotion == "awe"


def test_read_rejects_rated_pictures_that_are_missing_and_pictures_that_are_not_rated(tmp_path: Path) -> None:
    rows = ["'gone.jpg',1,0,0,0,0,0,0,0", "'nil.jpg',0,0,0,0,0,0,0,0", "'../out.jpg',1,0,0,0,0,0,0,0"]
    lay(tmp_path, rows, "nil.jpg", "extra.jpg", "notes.txt", "ReadMe.rtf")
    assert {item.path: getattr(item, "reason", "") for item in samples(tmp_path)} == {
        "../out.jpg": "outside_dataset",
        "gone.jpg": "missing",
        "nil.jpg": "no_votes",
        "extra.jpg": "no_votes",
        "notes.txt": "not_a_picture",
    }


@pytest.mark.parametrize("cell", ["-1", "2.5", "3.0", "", "many", "1_0", "１", "99999999999999999999"])
def test_read_names_file_row_and_column_when_a_cell_is_no_vote(tmp_path: Path, cell: str) -> None:
    lay(tmp_path, ["'a.jpg',1,0,0,0,0,0,0,0", f"'b.jpg',1,0,{cell},0,0,0,0,0"], "a.jpg", "b.jpg")
    with pytest.raises(LayoutError, match=rf"{RATINGS}, row 3, column 'awe': .*found '{cell}'"):
        next(read(tmp_path, DatasetSettings()))


@pytest.mark.parametrize(
    ("rows", "header", "message"),
    [
        (["'a.jpg',1,0,0,0,0,0,0,0", "'./a.jpg',1,0,0,0,0,0,0,0"], HEADER, r"row 3.*row 2 has it already"),
        (["'',1,0,0,0,0,0,0,0"], HEADER, "row 2, column ''"),
        ([], HEADER, "no votes"),
        (["'a.jpg',1,0,0,0,0,0,0,0"], HEADER.replace("'Sad'", "'Sadly'"), "'sad' is missing"),
        (["'a.jpg';1"], HEADER.replace(",", ";"), "is missing"),
    ],
    ids=["twice", "no name", "no rows", "column", "semicolons"],
)
def test_read_raises_layout_error_when_the_ratings_are_malformed(
    tmp_path: Path, rows: list[str], header: str, message: str
) -> None:
    lay(tmp_path, rows, "a.jpg", header=header)
    with pytest.raises(LayoutError, match=message):
        samples(tmp_path)


def test_read_says_what_was_expected_when_the_ratings_are_absent(tmp_path: Path) -> None:
    (tmp_path / "abstract_0001.jpg").write_bytes(b"x")
    with pytest.raises(LayoutError, match=rf"{RATINGS}.*seen 'abstract_0001.jpg'"):
        samples(tmp_path)


@given(st.lists(st.integers(0, 20), min_size=8, max_size=8))
def test_read_agrees_with_a_count_by_hand(votes: list[int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = lay(Path(folder), [f"'a.jpg',{','.join(map(str, votes))}"], "a.jpg")
        (found,) = samples(root)
    best = [emotion for emotion, count in zip(EMOTIONS, votes, strict=True) if all(count >= v for v in votes)]
    if sum(votes) and len(best) == 1:
        assert isinstance(found, Entry)
        assert found.emotion == best[0]
    else:
        assert isinstance(found, Reject)
        assert found.reason == ("tie" if sum(votes) else "no_votes")


@given(st.binary(max_size=120), st.booleans())
def test_read_gives_samples_or_one_error_of_ours_for_any_bytes(content: bytes, with_header: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = lay(Path(folder), [], "a.jpg")
        (root / RATINGS).write_bytes((HEADER.encode() + b"\n") * with_header + content)
        try:
            samples(root)
        except TinyEmoError as exc:
            assert RATINGS in str(exc)
