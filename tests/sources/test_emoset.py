import tempfile
import tracemalloc
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyemo_data.errors import LayoutError, TinyEmoError, UnknownLabelError
from tinyemo_data.settings import DatasetSettings
from tinyemo_data.sources.emoset import CARD, read
from tinyemo_data.sources.source import Entry, Reject

FULL = {
    "image_id": "awe_1",
    "emotion": "awe",
    "brightness": 0.7,
    "colorfulness": 1,
    "scene": "mountain",
    "object": ["Tree", "Sky"],
    "facial_expression": "surprise",
    "human_action": "hiking",
}
LABELS = {
    "amusement": 0,
    "awe": 1,
    "contentment": 2,
    "excitement": 3,
    "anger": 4,
    "disgust": 5,
    "fear": 6,
    "sadness": 7,
}
TABLE = {"label2idx": LABELS, "idx2label": {str(index): label for label, index in LABELS.items()}}


def row(name: str, with_id: bool = True) -> list[str]:
    emotion = name.split("_")[0]
    paths = [f"image/{emotion}/{name}.jpg", f"annotation/{emotion}/{name}.json"]
    return [emotion, name, *paths] if with_id else [emotion, *paths]


def put(root: Path, path: str, content: Any) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_bytes(content if isinstance(content, bytes) else orjson.dumps(content))


def lay(root: Path, train: Any = (), val: Any = (), test: Any = (), info: Any = None) -> Path:
    """Write the lists, and for each of their sound rows the picture and a full annotation."""
    for name, rows in {"train": train, "val": val, "test": test}.items():
        put(root, f"{name}.json", list(rows) if isinstance(rows, tuple) else rows)
        for cells in rows if isinstance(rows, list | tuple) else ():
            put(root, cells[-2], b"x")
            put(root, cells[-1], {**FULL, "emotion": cells[0]})
    if info is not None:
        put(root, "info.json", info)
    return root


def samples(root: Path) -> list[Entry | Reject]:
    return list(read(root, DatasetSettings()))


def only(root: Path) -> Entry | Reject:
    (found,) = samples(root)
    return found


@pytest.mark.parametrize("with_id", [True, False], ids=["four cells", "three cells"])
@pytest.mark.parametrize("base", ["", "EmoSet-118K/"])
def test_read_gives_the_official_splits_in_list_order(tmp_path: Path, with_id: bool, base: str) -> None:
    names = {"train": ["fear_9", "awe_1"], "val": ["anger_2"], "test": ["disgust_3"]}
    lists = {split: [row(name, with_id) for name in rows] for split, rows in names.items()}
    lay(tmp_path / base, **lists)
    assert [(item.path, getattr(item, "split", "")) for item in samples(tmp_path)] == [
        (f"{base}image/fear/fear_9.jpg", "train"),
        (f"{base}image/awe/awe_1.jpg", "train"),
        (f"{base}image/anger/anger_2.jpg", "validation"),
        (f"{base}image/disgust/disgust_3.jpg", "test"),
    ]


def test_read_keeps_all_six_attributes(tmp_path: Path) -> None:
    lay(tmp_path, train=[row("awe_1")])
    attributes = {key: FULL[key] for key in FULL if key not in ("image_id", "emotion")}
    assert only(tmp_path) == Entry("image/awe/awe_1.jpg", "train", "awe", "folder", "mikels8", attributes=attributes)


def test_read_gives_none_for_absent_attributes(tmp_path: Path) -> None:
    lay(tmp_path, train=[row("awe_1")])
    put(tmp_path, "annotation/awe/awe_1.json", {"emotion": "awe", "brightness": 0, "colorfulness": 0.1})
    found = only(tmp_path)
    assert isinstance(found, Entry)
    assert found.attributes == {
        "brightness": 0.0,
        "colorfulness": 0.1,
        "scene": None,
        "object": None,
        "facial_expression": None,
        "human_action": None,
    }


def test_read_keeps_a_picture_without_an_annotation(tmp_path: Path) -> None:
    lay(tmp_path, train=[row("awe_1")])
    (tmp_path / "annotation/awe/awe_1.json").unlink()
    found = only(tmp_path)
    assert isinstance(found, Entry)
    assert found.attributes is None


@pytest.mark.parametrize(
    "annotation",
    [
        b"", b"{", b"\xff", b"null", b"[]", {"brightness": 1.1}, {"brightness": True},
        {"colorfulness": "0.5"}, {"object": "Tree"}, {"object": [1]}, {"scene": 3}, {"human_action": ["a"]},
    ],
)  # fmt: skip
def test_read_rejects_a_broken_annotation_and_goes_on(tmp_path: Path, annotation: object) -> None:
    lay(tmp_path, train=[row("awe_1"), row("awe_2")])
    put(tmp_path, "annotation/awe/awe_1.json", annotation)
    broken, sound = samples(tmp_path)
    assert isinstance(broken, Reject)
    assert (broken.path, broken.reason) == ("image/awe/awe_1.jpg", "bad_annotation")
    assert broken.detail.startswith("annotation/awe/awe_1.json")  # no path of this machine
    assert isinstance(sound, Entry)


@pytest.mark.parametrize(
    ("cells", "annotated"),
    [
        (["awe", "image/fear/1.jpg", "annotation/awe/1.json"], "awe"),
        (["awe", "image/awe/1.jpg", "annotation/awe/1.json"], "fear"),
        (["awe", "image/awe/1.jpg", "annotation/awe/1.json"], "nonsense"),
        (["awe", "image/1.jpg", "annotation/1.json"], "awe"),
    ],
    ids=["folder", "annotation", "unknown annotation", "no folder"],
)
def test_read_rejects_labels_that_disagree(tmp_path: Path, cells: list[str], annotated: str) -> None:
    lay(tmp_path, train=[cells])
    put(tmp_path, cells[-1], {"emotion": annotated})
    reasons = [item.reason for item in samples(tmp_path) if isinstance(item, Reject) and item.path == cells[-2]]
    assert reasons[0] == "label_mismatch"


@pytest.mark.parametrize("cells", [["awe", "../a/awe/1.jpg", "x.json"], ["awe", "image/awe/1.jpg", "/etc/hosts"]])
def test_read_rejects_a_row_that_leads_out_of_the_dataset(tmp_path: Path, cells: list[str]) -> None:
    root = lay(tmp_path / "data")
    put(root, "train.json", [cells])
    put(root, "image/awe/1.jpg", b"x")
    put(tmp_path, "a/awe/1.jpg", b"x")
    found = samples(root)
    assert isinstance(found[0], Reject)
    assert (found[0].path, found[0].reason) == (cells[1], "outside_dataset")


def test_read_rejects_missing_and_unlisted_pictures(tmp_path: Path) -> None:
    lay(tmp_path, train=[row("awe_1"), row("awe_2")])
    (tmp_path / "image/awe/awe_1.jpg").unlink()
    put(tmp_path, "image/awe/awe_3.jpg", b"x")
    put(tmp_path, "image/loose.jpg", b"x")
    put(tmp_path, "image/awe/.DS_Store", b"x")
    assert {item.path: item.reason for item in samples(tmp_path) if isinstance(item, Reject)} == {
        "image/awe/awe_1.jpg": "missing",
        "image/awe/awe_3.jpg": "not_in_split",
        "image/loose.jpg": "no_label",
    }


def test_read_takes_paths_with_backslashes(tmp_path: Path) -> None:
    lay(tmp_path, train=[row("awe_1")])
    put(tmp_path, "train.json", [["awe", "image\\awe\\awe_1.jpg", "annotation\\awe\\awe_1.json"]])
    found = only(tmp_path)
    assert isinstance(found, Entry)
    assert found.attributes is not None


@pytest.mark.parametrize("info", [None, TABLE, {"emotion": TABLE, "scene": {}}], ids=["absent", "flat", "nested"])
def test_read_accepts_info_in_both_shapes_or_absent(tmp_path: Path, info: object) -> None:
    lay(tmp_path, train=[row("awe_1")], info=info)
    assert isinstance(only(tmp_path), Entry)


@pytest.mark.parametrize("info", [[], {}, {"emotion": ["awe"]}, {"label2idx": {}}, {"classes": 8}, b"{", 7])
def test_read_raises_layout_error_when_info_has_another_shape(tmp_path: Path, info: object) -> None:
    lay(tmp_path, train=[row("awe_1")], info=info)
    with pytest.raises(LayoutError, match=r"info\.json"):
        samples(tmp_path)


def test_read_raises_unknown_label_when_info_is_of_other_emotions(tmp_path: Path) -> None:
    lay(tmp_path, info={"label2idx": {"joyful": 0}})
    with pytest.raises(UnknownLabelError, match=r"info\.json.*'joyful'"):
        samples(tmp_path)


@pytest.mark.parametrize(
    "rows",
    [{}, "awe", [["awe"]], [["awe", "a", "b", "c", "d"]], [[1, "a", "b"]], [None], [{"emotion": "awe"}], 3],
)
def test_read_names_the_list_when_its_rows_have_another_form(tmp_path: Path, rows: object) -> None:
    lay(tmp_path)
    put(tmp_path, "val.json", rows)
    with pytest.raises(LayoutError, match=r"val\.json"):
        samples(tmp_path)


def test_read_names_the_row_and_the_nearest_label_when_a_rows_emotion_is_unknown(tmp_path: Path) -> None:
    lay(tmp_path, train=[row("awe_1"), row("amusment_2")])
    with pytest.raises(UnknownLabelError, match=r"train\.json, row 2: .*Did you mean 'amusement'"):
        next(read(tmp_path, DatasetSettings()))


def test_read_names_both_rows_when_a_picture_is_in_two_splits(tmp_path: Path) -> None:
    lay(tmp_path, train=[row("awe_1"), row("awe_2")], test=[row("awe_2")])
    with pytest.raises(LayoutError, match=r"test\.json, row 1: .*row 2 of the train list"):
        next(read(tmp_path, DatasetSettings()))


@pytest.mark.parametrize("name", ["train.json", "val.json", "test.json"])
def test_read_says_what_was_expected_when_a_list_is_absent(tmp_path: Path, name: str) -> None:
    lay(tmp_path, train=[row("awe_1")])
    (tmp_path / name).unlink()
    with pytest.raises(LayoutError, match=r"\{train,val,test\}\.json"):
        samples(tmp_path)


def test_read_keeps_no_annotation_in_memory(tmp_path: Path) -> None:
    lay(tmp_path, train=[row(f"awe_{n}") for n in range(100)])
    wordy = orjson.dumps({"emotion": "awe", "object": ["x" * 100] * 1000})  # 150 kB of objects once parsed
    for n in range(100):
        put(tmp_path, f"annotation/awe/awe_{n}.json", wordy)
    tracemalloc.start()
    count = sum(1 for _ in read(tmp_path, DatasetSettings()))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 100
    assert peak < 8e6  # all of them at once are 15 MB


def test_card_counts_of_the_splits_sum_to_all() -> None:
    counts = dict(CARD.published)
    assert counts.pop("all") == sum(counts.values())


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text() | st.sampled_from(["awe", "image/awe/1.jpg"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text() | st.just("emotion"), inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=60)
@given(name=st.sampled_from(["train.json", "info.json", "annotation/awe/awe_1.json"]), content=st.binary() | JSON)
def test_read_gives_samples_or_one_error_of_ours_for_any_content(name: str, content: object) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = lay(Path(folder), train=[row("awe_1")])
        put(root, name, content)
        try:
            samples(root)
        except TinyEmoError as exc:
            assert name in str(exc)
