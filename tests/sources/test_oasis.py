import tempfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyemo_data.errors import LayoutError, TinyEmoError
from tinyemo_data.settings import DatasetSettings
from tinyemo_data.sources.oasis import read
from tinyemo_data.sources.source import Entry, Reject

OFFICIAL = '"",Theme,Category,Source,Valence_mean,Valence_SD,Valence_N,Arousal_mean,Arousal_SD,Arousal_N'


def lay(root: Path, content: str | bytes, *pictures: str, name: str = "OASIS.csv") -> Path:
    (root / "images").mkdir(parents=True)
    (root / name).write_bytes(content.encode() if isinstance(content, str) else content)
    for picture in pictures:
        (root / "images" / picture).write_bytes(b"x")
    return root


def samples(root: Path) -> list[Entry | Reject]:
    return list(read(root, DatasetSettings()))


def test_read_gives_all_274_pictures_of_the_shared_part_their_dimensions(shared_data: Path) -> None:
    found = samples(shared_data / "oasis")
    table = pl.read_csv(shared_data / "oasis" / "oasis.csv").sort("file")
    assert len(found) == 274
    assert [item.path for item in found] == [f"images/{name}" for name in table["file"]]
    for item, row in zip(found, table.iter_rows(named=True), strict=True):
        assert isinstance(item, Entry)
        assert (item.valence, item.arousal) == (row["valence_mean"], row["arousal_mean"])
        assert (item.keyword, item.object) == (row["theme"], row["category"])
        assert (item.emotion, item.taxonomy, item.label_source) == (None, None, "dimensions")


def test_read_takes_the_official_layout_where_the_theme_names_the_picture(tmp_path: Path) -> None:
    rows = [
        "I1,Acorns 1,Object,Pixabay,4.68,1.03,103,2.34,1.51,99",
        'I2,"Angry face 2 ",Person,x,3.07,1,9,3.5,1,9',
    ]
    lay(tmp_path, "\r\n".join([OFFICIAL, *rows]), "Acorns 1.jpg", "Angry face 2.jpg")
    acorns, face = samples(tmp_path)
    assert acorns == Entry(
        "images/Acorns 1.jpg", None, None, "dimensions", None,
        keyword="acorns", valence=4.68, arousal=2.34, object="object",
    )  # fmt: skip
    assert isinstance(face, Entry)
    assert (face.path, face.keyword) == ("images/Angry face 2.jpg", "angry face")


def test_read_rejects_what_is_missing_unrated_or_outside(tmp_path: Path) -> None:
    lay(
        tmp_path,
        "file,theme,category,valence_mean,arousal_mean\n"
        "a.jpg,a,animal,1,7\nb.jpg,b,animal,,3\ngone.jpg,g,animal,2,2\n../a.jpg,a,animal,2,2\n",
        "a.jpg", "b.jpg", "c.jpg", "notes.txt", name="oasis.csv",
    )  # fmt: skip
    assert {item.path: getattr(item, "reason", "") for item in samples(tmp_path)} == {
        "images/a.jpg": "",
        "images/b.jpg": "no_rating",
        "images/gone.jpg": "missing",
        "../a.jpg": "outside_dataset",
        "images/c.jpg": "no_rating",
        "images/notes.txt": "not_a_picture",
    }


@pytest.mark.parametrize("cell", ["0.99", "7.01", "nan", "inf", "-3", "high"])
def test_read_names_file_row_and_column_when_a_rating_is_off_the_scale(tmp_path: Path, cell: str) -> None:
    lay(tmp_path, f"theme,category,valence_mean,arousal_mean\na 1,animal,3,{cell}\n", "a 1.jpg")
    with pytest.raises(LayoutError, match=rf"OASIS\.csv, row 2, column 'arousal_mean': .*1 to 7, found '{cell}'"):
        samples(tmp_path)


def test_read_names_both_rows_when_a_picture_is_rated_twice(tmp_path: Path) -> None:
    lay(tmp_path, "theme,category,valence_mean,arousal_mean\nDog 6,a,3,3\ndog 6 ,a,4,4\n", "Dog 6.jpg")
    with pytest.raises(LayoutError, match=r"row 3, .*row 2 has images/Dog 6\.jpg"):
        samples(tmp_path)


@pytest.mark.parametrize("absent", ["images", "OASIS.csv"])
def test_read_says_what_was_expected_when_a_part_is_absent(tmp_path: Path, absent: str) -> None:
    lay(tmp_path, "theme,category,valence_mean,arousal_mean\n")
    (tmp_path / absent).rename(tmp_path / "elsewhere")
    with pytest.raises(LayoutError, match=r"images/<Theme>\.jpg"):
        samples(tmp_path)


@given(st.binary(max_size=80), st.booleans())
def test_read_gives_samples_or_one_error_of_ours_for_any_bytes(content: bytes, with_header: bool) -> None:
    header = b"theme,category,valence_mean,arousal_mean\n" * with_header
    with tempfile.TemporaryDirectory() as folder:
        root = lay(Path(folder), header + content, "a 1.jpg")
        try:
            samples(root)
        except TinyEmoError as exc:
            assert "OASIS.csv" in str(exc)
