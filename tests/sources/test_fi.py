from pathlib import Path

import pytest

from tinyemo_data.errors import LayoutError, UnknownLabelError
from tinyemo_data.settings import DatasetSettings
from tinyemo_data.sources.fi import CARD, read
from tinyemo_data.sources.source import Entry, Reject

MIKELS = ("amusement", "anger", "awe", "contentment", "disgust", "excitement", "fear", "sadness")


def lay(root: Path, *paths: str) -> Path:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"x")
    return root


def samples(root: Path) -> list[Entry | Reject]:
    return list(read(root, DatasetSettings()))


@pytest.mark.parametrize("base", ["emotion_dataset/", ""], ids=["archive", "inner folder"])
def test_read_yields_each_emotions_pictures_in_sorted_order(tmp_path: Path, base: str) -> None:
    lay(tmp_path, *(f"{base}{emotion}/{emotion}_{n}.jpg" for emotion in MIKELS for n in ("2", "10", "1")))
    found = samples(tmp_path)
    assert found == [
        Entry(f"{base}{emotion}/{emotion}_{n}.jpg", None, emotion, "folder", "mikels8")
        for emotion in MIKELS
        for n in ("1", "10", "2")
    ]


def test_read_skips_junk_and_rejects_the_rest_with_reasons(tmp_path: Path) -> None:
    lay(
        tmp_path / "emotion_dataset",
        "anger/.DS_Store", "anger/._1.jpg", "anger/1.JPEG", "anger/urls.txt", "anger/more/2.jpg", "loose.jpg",
        "Thumbs.db", "urls.csv",
    )  # fmt: skip
    (tmp_path / "emotion_dataset/anger/out.jpg").symlink_to("/etc/hostname")
    found = samples(tmp_path)
    assert [item.path for item in found if isinstance(item, Entry)] == ["emotion_dataset/anger/1.JPEG"]
    assert {item.path: item.reason for item in found if isinstance(item, Reject)} == {
        "emotion_dataset/anger/urls.txt": "not_a_picture",
        "emotion_dataset/anger/more": "unexpected_folder",
        "emotion_dataset/anger/out.jpg": "outside_dataset",
        "emotion_dataset/loose.jpg": "no_label",
        "emotion_dataset/urls.csv": "not_a_picture",
    }


@pytest.mark.parametrize("base", ["emotion_dataset/", ""])
def test_read_raises_before_the_first_picture_when_a_folder_is_no_emotion(tmp_path: Path, base: str) -> None:
    lay(tmp_path, f"{base}amusement/1.jpg", f"{base}sadnes/1.jpg")
    with pytest.raises(UnknownLabelError, match=r"sadnes'.*Did you mean 'sadness'"):
        next(read(tmp_path, DatasetSettings()))


@pytest.mark.parametrize("path", ["photo.jpg", "albums/photo.jpg", "emotion_dataset/photo.jpg"])
def test_read_says_what_was_expected_when_the_layout_is_another(tmp_path: Path, path: str) -> None:
    lay(tmp_path, path)
    with pytest.raises(LayoutError, match="emotion_dataset/<emotion>"):
        samples(tmp_path)


def test_card_gives_the_published_count() -> None:
    assert CARD.published == {"all": 23_308}
