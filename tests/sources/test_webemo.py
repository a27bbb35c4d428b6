from pathlib import Path

import pytest

from tinyemo_data import taxonomy
from tinyemo_data.errors import LayoutError, UnknownLabelError
from tinyemo_data.settings import DatasetSettings
from tinyemo_data.sources.source import Entry, Reject
from tinyemo_data.sources.webemo import read

AS_SPELLED = (
    "affection", "cheerfullness", "confusion", "contentment", "disappointment", "disgust",
    "enthrallment", "envy", "exasperation", "gratitude", "horror", "irritabilty", "lust", "neglect",
    "nervousness", "optimism", "pride", "rage", "relief", "sadness", "shame", "suffering", "surprise",
    "sympathy", "zest",
)  # fmt: skip


def lay(root: Path, *paths: str) -> Path:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"x")
    return root


def samples(root: Path) -> list[Entry | Reject]:
    return list(read(root, DatasetSettings()))


def test_read_gives_all_25_folders_their_labels_and_mends_the_two_misspelt(tmp_path: Path) -> None:
    lay(tmp_path, *(f"train/{folder}/1.jpg" for folder in AS_SPELLED))
    found = {item.path.split("/")[1]: item for item in samples(tmp_path)}
    labels = {folder: item.emotion for folder, item in found.items() if isinstance(item, Entry)}
    assert sorted(str(label) for label in labels.values()) == list(taxonomy.get("parrott25").labels)
    assert {folder: label for folder, label in labels.items() if folder != label} == {
        "cheerfullness": "cheerfulness",
        "irritabilty": "irritability",
    }


def test_read_keeps_the_official_splits_apart_and_the_labels_weak(tmp_path: Path) -> None:
    lay(tmp_path, "validation/zest/v.jpg", "test/zest/t.jpg", "train/zest/b.jpg", "train/zest/a.jpg")
    assert samples(tmp_path) == [
        Entry("train/zest/a.jpg", "train", "zest", "keyword", "parrott25"),
        Entry("train/zest/b.jpg", "train", "zest", "keyword", "parrott25"),
        Entry("validation/zest/v.jpg", "validation", "zest", "keyword", "parrott25"),
        Entry("test/zest/t.jpg", "test", "zest", "keyword", "parrott25"),
    ]


def test_read_rejects_what_is_in_no_split_and_no_emotion(tmp_path: Path) -> None:
    lay(
        tmp_path,
        "test/zest/t.jpg",
        "extra/zest/x.jpg",
        "loose.jpg",
        "test/loose.jpg",
        "readme.txt",
        "test/.DS_Store",
    )
    found = samples(tmp_path)
    assert {item.path: item.reason for item in found if isinstance(item, Reject)} == {
        "extra": "unexpected_folder",
        "loose.jpg": "no_split",
        "readme.txt": "not_a_picture",
        "test/loose.jpg": "no_label",
    }
    assert [item.path for item in found if isinstance(item, Entry)] == ["test/zest/t.jpg"]


def test_read_raises_before_the_first_picture_when_a_late_split_has_an_unknown_folder(tmp_path: Path) -> None:
    lay(tmp_path, "train/zest/1.jpg", "test/cheerfulnes/1.jpg")
    with pytest.raises(UnknownLabelError, match=r"test/cheerfulnes.*Did you mean 'cheerful"):
        next(read(tmp_path, DatasetSettings()))


@pytest.mark.parametrize("path", ["zest/1.jpg", "train/1.jpg", "1.jpg"])
def test_read_says_what_was_expected_when_there_are_no_splits(tmp_path: Path, path: str) -> None:
    lay(tmp_path, path)
    with pytest.raises(LayoutError, match="train,validation,test"):
        samples(tmp_path)
