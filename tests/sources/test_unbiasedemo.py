from pathlib import Path

import pytest

from tinyemo_data.errors import LayoutError, UnknownLabelError
from tinyemo_data.settings import DatasetSettings
from tinyemo_data.sources.source import Entry, Reject
from tinyemo_data.sources.unbiasedemo import read


def lay(root: Path, *paths: str) -> Path:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"x")
    return root


def samples(root: Path) -> list[Entry | Reject]:
    return list(read(root, DatasetSettings()))


@pytest.mark.parametrize("base", ["UnBiasedEmo/images/", "images/", "UnbiasedEmo/Images/", ""])
def test_read_keeps_the_object_and_blanks_in_names(tmp_path: Path, base: str) -> None:
    lay(tmp_path, f"{base}love/old car/my car 1.jpg", f"{base}fear/dog/a dog.jpg", f"{base}love/dog/b.jpg")
    assert samples(tmp_path) == [
        Entry(f"{base}fear/dog/a dog.jpg", None, "fear", "folder", "unbiasedemo6", object="dog"),
        Entry(f"{base}love/dog/b.jpg", None, "love", "folder", "unbiasedemo6", object="dog"),
        Entry(f"{base}love/old car/my car 1.jpg", None, "love", "folder", "unbiasedemo6", object="old car"),
    ]


def test_read_gives_no_object_to_a_picture_beside_the_objects(tmp_path: Path) -> None:
    lay(tmp_path, "images/joy/loose.jpg", "images/joy/cat/1.jpg")
    assert {item.path: getattr(item, "object", "") for item in samples(tmp_path)} == {
        "images/joy/loose.jpg": None,
        "images/joy/cat/1.jpg": "cat",
    }


def test_read_rejects_deeper_folders_and_what_is_no_picture(tmp_path: Path) -> None:
    lay(
        tmp_path,
        "images/joy/cat/deep/1.jpg",
        "images/joy/cat/notes.txt",
        "images/joy/.DS_Store",
        "images/x.jpg",
    )
    (tmp_path / "images/joy/dog").symlink_to("/etc")
    assert {item.path: getattr(item, "reason", "") for item in samples(tmp_path)} == {
        "images/joy/cat/deep": "unexpected_folder",
        "images/joy/cat/notes.txt": "not_a_picture",
        "images/joy/dog": "outside_dataset",
        "images/x.jpg": "no_label",
    }


def test_read_raises_unknown_label_when_there_is_a_folder_disgust(tmp_path: Path) -> None:
    lay(tmp_path, "images/anger/dog/1.jpg", "images/disgust/dog/1.jpg")
    with pytest.raises(UnknownLabelError, match="images/disgust"):
        next(read(tmp_path, DatasetSettings()))


@pytest.mark.parametrize("path", ["a.jpg", "dog/1.jpg", "UnBiasedEmo/dog/1.jpg", "images/a.jpg"])
def test_read_says_what_was_expected_when_the_layout_is_another(tmp_path: Path, path: str) -> None:
    lay(tmp_path, path)
    with pytest.raises(LayoutError, match="<emotion>/<object>/<file>"):
        samples(tmp_path)
