import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyemo_data.errors import LayoutError, TinyEmoError, UnknownLabelError
from tinyemo_data.settings import DatasetSettings
from tinyemo_data.sources.emotionroi import CARD, read
from tinyemo_data.sources.source import Entry, Reject

EKMAN = ("anger", "disgust", "fear", "joy", "sadness", "surprise")


def lay(root: Path, training: bytes, testing: bytes, *pictures: str) -> Path:
    lists = root / "training_testing_split"
    lists.mkdir(parents=True)
    (lists / "training.txt").write_bytes(training)
    (lists / "testing.txt").write_bytes(testing)
    for picture in pictures:
        (root / "images" / picture).parent.mkdir(parents=True, exist_ok=True)
        (root / "images" / picture).write_bytes(b"x")
    return root


def samples(root: Path) -> list[Entry | Reject]:
    return list(read(root, DatasetSettings()))


def test_read_gives_the_official_split_and_joy_stays_joy(tmp_path: Path) -> None:
    pictures = [f"{emotion}/{n}.jpg" for emotion in EKMAN for n in (1, 2)]
    training, testing = ("\n".join(pictures[part::2]).encode() for part in (0, 1))
    lay(tmp_path, training, testing, *pictures)
    assert samples(tmp_path) == [
        Entry(f"images/{emotion}/{n}.jpg", split, emotion, "keyword", "ekman6")
        for emotion in EKMAN
        for n, split in ((1, "train"), (2, "test"))
    ]


def test_read_tolerates_bom_crlf_blank_lines_backslashes_and_a_leading_folder(tmp_path: Path) -> None:
    training = b"\xef\xbb\xbfjoy\\1.jpg\r\n\r\n ./fear/2.jpg \r\nimages/anger/3.jpg\r\n"
    lay(tmp_path, training, b"", "joy/1.jpg", "fear/2.jpg", "anger/3.jpg")
    found = samples(tmp_path)
    assert [(item.path, getattr(item, "split", "")) for item in found] == [
        ("images/anger/3.jpg", "train"),
        ("images/fear/2.jpg", "train"),
        ("images/joy/1.jpg", "train"),
    ]


def test_read_rejects_unlisted_missing_and_outside_pictures_and_ignores_the_maps(tmp_path: Path) -> None:
    lay(
        tmp_path,
        b"joy/1.jpg\njoy/404.jpg\n../x/1.jpg\n",
        b"/etc/passwd\nC:\\x\\y\\1.jpg",
        "joy/1.jpg",
        "joy/9.jpg",
    )
    (tmp_path / "ground_truth" / "joy").mkdir(parents=True)
    (tmp_path / "ground_truth" / "joy" / "1.jpg").write_bytes(b"map")
    found = samples(tmp_path)
    assert [item.path for item in found if isinstance(item, Entry)] == ["images/joy/1.jpg"]
    assert {item.path: item.reason for item in found if isinstance(item, Reject)} == {
        "../x/1.jpg": "outside_dataset",
        "/etc/passwd": "outside_dataset",
        "C:/x/y/1.jpg": "outside_dataset",
        "images/joy/404.jpg": "missing",
        "images/joy/9.jpg": "not_in_split",
    }


def test_read_names_both_lines_when_a_picture_is_in_both_lists(tmp_path: Path) -> None:
    lay(tmp_path, b"joy/2.jpg\njoy/1.jpg\n", b"\njoy//1.jpg\n", "joy/1.jpg", "joy/2.jpg")
    with pytest.raises(LayoutError, match=r"testing\.txt, line 2: .*training\.txt, line 2"):
        next(read(tmp_path, DatasetSettings()))


def test_read_counts_a_picture_once_when_one_list_repeats_it(tmp_path: Path) -> None:
    lay(tmp_path, b"joy/1.jpg\njoy/1.jpg\n", b"", "joy/1.jpg")
    assert len(samples(tmp_path)) == 1


@pytest.mark.parametrize("line", [b"1.jpg", b"joy", b"a/joy/1.jpg"])
def test_read_names_the_line_when_it_is_no_emotion_and_file(tmp_path: Path, line: bytes) -> None:
    lay(tmp_path, b"joy/1.jpg\n" + line, b"", "joy/1.jpg")
    with pytest.raises(LayoutError, match=r"training\.txt, line 2: expected <emotion>/<file>"):
        samples(tmp_path)


@pytest.mark.parametrize(("line", "picture"), [(b"hapiness/1.jpg", "joy/1.jpg"), (b"joy/1.jpg", "contentment/1.jpg")])
def test_read_raises_unknown_label_for_a_line_or_a_folder(tmp_path: Path, line: bytes, picture: str) -> None:
    lay(tmp_path, line, b"", picture)
    with pytest.raises(UnknownLabelError, match=r"training\.txt, line 1|images/contentment"):
        samples(tmp_path)


@pytest.mark.parametrize("absent", ["images", "training_testing_split", "training_testing_split/testing.txt"])
def test_read_says_what_was_expected_when_a_part_is_absent(tmp_path: Path, absent: str) -> None:
    lay(tmp_path, b"joy/1.jpg", b"", "joy/1.jpg")
    (tmp_path / absent).rename(tmp_path / "elsewhere")
    with pytest.raises(LayoutError, match=r"training_testing_split/\{training,testing\}\.txt"):
        samples(tmp_path)


def test_card_counts_of_the_splits_sum_to_all() -> None:
    assert CARD.published["all"] == CARD.published["train"] + CARD.published["test"]


@given(st.binary(max_size=60), st.lists(st.sampled_from([b"joy/1.jpg", b"joy\\2.jpg", b"../1.jpg", b"", b"joy"])))
def test_read_gives_samples_or_one_error_of_ours_for_any_bytes(content: bytes, lines: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = lay(Path(folder), b"\n".join([*lines, content]), b"joy/3.jpg", "joy/1.jpg")
        try:
            samples(root)
        except TinyEmoError as exc:
            assert "training.txt" in str(exc)
