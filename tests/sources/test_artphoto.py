from pathlib import Path

import pytest

from tinyemo_data.errors import LayoutError, UnknownLabelError
from tinyemo_data.settings import DatasetSettings
from tinyemo_data.sources.artphoto import CARD, read
from tinyemo_data.sources.source import Entry, Reject


def lay(root: Path, *paths: str) -> Path:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"x")
    return root


def samples(root: Path) -> list[Entry | Reject]:
    return list(read(root, DatasetSettings()))


@pytest.mark.parametrize("base", ["testImages_artphoto/", ""], ids=["archive", "inner folder"])
def test_read_takes_the_label_from_the_prefix(tmp_path: Path, base: str) -> None:
    lay(tmp_path, f"{base}sad_0012.jpg", f"{base}awe_a_b_c.JPG", f"{base}Contentment_x.jpg")
    assert {item.path.removeprefix(base): getattr(item, "emotion", None) for item in samples(tmp_path)} == {
        "Contentment_x.jpg": "contentment",
        "awe_a_b_c.JPG": "awe",
        "sad_0012.jpg": "sadness",
    }


def test_read_yields_entries_without_a_split_labelled_by_folder(tmp_path: Path) -> None:
    lay(tmp_path, "fear_1.jpg")
    assert samples(tmp_path) == [Entry("fear_1.jpg", None, "fear", "folder", "mikels8")]


def test_read_skips_the_read_me_and_rejects_what_has_no_label(tmp_path: Path) -> None:
    lay(tmp_path, "ReadMe.rtf", ".DS_Store", "anger_1.jpg", "portrait.jpg", "anger_list.txt")
    found = samples(tmp_path)
    assert {item.path: getattr(item, "reason", "") for item in found} == {
        "anger_1.jpg": "",
        "anger_list.txt": "not_a_picture",
        "portrait.jpg": "no_label",
    }


def test_read_names_the_file_and_the_nearest_label_when_a_prefix_is_unknown(tmp_path: Path) -> None:
    lay(tmp_path, "anger_1.jpg", "excitment_7.jpg")
    with pytest.raises(UnknownLabelError, match=r"excitment_7\.jpg.*Did you mean 'excitement'"):
        next(read(tmp_path, DatasetSettings()))


@pytest.mark.parametrize("path", ["anger/1.jpg", "portrait.jpg", "ReadMe.rtf"])
def test_read_raises_layout_error_when_no_name_has_an_emotion(tmp_path: Path, path: str) -> None:
    lay(tmp_path, path)
    with pytest.raises(LayoutError, match="<emotion>_<name>"):
        samples(tmp_path)


def test_card_counts_of_the_emotions_sum_to_all() -> None:
    counts = dict(CARD.published)
    assert counts.pop("all") == sum(counts.values()) == 806
