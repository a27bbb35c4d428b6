import hashlib
import io
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from PIL import Image

from tests.ingested import ingest, ingest_and_read
from tinyemo_data import found_rows, sources
from tinyemo_data import ingest as module
from tinyemo_data.errors import DatasetMissingError, LayoutError, StoreError, UnknownLabelError
from tinyemo_data.features.released import read_released_tensor
from tinyemo_data.ingest import find_root, ingest_into
from tinyemo_data.progress import Progress
from tinyemo_data.sample import Quarantined, Sample, check_table, quarantine_key, samples_key
from tinyemo_data.settings import DatasetSettings
from tinyemo_data.sources.picture import PictureFacts, inspect_picture
from tinyemo_data.sources.source import DatasetCard, Entry, Reject, Source
from tinyemo_data.sources.split import assign_split
from tinyemo_data.store import Store

EMOTION6 = sources.get("emotion6")
EKMAN = ("anger", "disgust", "fear", "joy", "sadness", "surprise")
KEYWORD = DatasetSettings()


def _picture(seed: int, kind: str = "JPEG") -> bytes:
    coarse = np.random.default_rng(seed).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(coarse).resize((48, 32)).save(buffer, kind)
    return buffer.getvalue()


def _write(root: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def _reasons(quarantine: pl.DataFrame) -> dict[str, str]:
    return dict(quarantine.select("path", "reason").iter_rows())


def _source(*entries: Entry | Reject, name: str = "toy") -> Source:
    card = DatasetCard(name, "Toy", "https://example.org/toy", "CC0", "<n>.jpg", "ekman6", {"all": 5})

    def read(_root: Path, _settings: DatasetSettings) -> Iterator[Entry | Reject]:
        yield from entries

    return Source(card, read)


def _entry(path: str, **known: Any) -> Entry:
    return Entry(
        **{"path": path, "split": None, "emotion": "joy", "label_source": "folder", "taxonomy": "ekman6"} | known
    )


@pytest.fixture(scope="module")
def oasis_as_emotion6(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ninety photographs in Emotion6's layout, each rated by everybody as its folder says."""
    root = tmp_path_factory.mktemp("raw") / "emotion6"
    names = ["image_filename", "valence", "arousal", *(f"prob. {label}" for label in (*EKMAN, "neutral"))]
    lines = ["\t".join(f"[{name}]" for name in names)]
    for number, path in enumerate(sorted((shared_data / "oasis" / "images").glob("*.jpg"))[:90]):
        emotion = EKMAN[number % 6]
        target = root / "images" / emotion / f"{number // 6 + 1}.jpg"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
        shares = ["1" if label == emotion else "0" for label in (*EKMAN, "neutral")]
        lines.append("\t".join([f"{emotion}/{target.name}", "5.5", "3.25", *shares]))
    (root / "ground_truth.txt").write_text("\n".join(lines), encoding="utf-8")
    return root


def test_ingest_reads_photographs_in_emotion6s_layout(oasis_as_emotion6: Path, store: Store) -> None:
    chosen = DatasetSettings(label="distribution", split_seed=3)
    ingested = ingest_and_read(store, EMOTION6, oasis_as_emotion6, chosen)
    samples = ingested.samples
    assert (len(samples), len(ingested.quarantine), ingested.source_kind) == (90, 0, "picture")
    for row in samples.iter_rows(named=True):
        path = oasis_as_emotion6 / row["image_path"]
        expected = inspect_picture(path)
        assert isinstance(expected, PictureFacts)
        assert (row["sha256"], row["phash"]) == (
            hashlib.sha256(path.read_bytes()).hexdigest(),
            expected.phash,
        )
        assert (row["width"], row["height"], row["valence"], row["arousal"]) == (500, 400, 5.5, 3.25)
        assert row["sample_id"] == f"emotion6/images/{row['emotion']}/{path.stem}"
        assert row["split"] == assign_split(row["sample_id"], 3)
        assert [pair["emotion"] for pair in row["distribution"]] == sorted([*EKMAN, "neutral"])


def test_ingest_writes_equal_bytes_when_run_again(oasis_as_emotion6: Path, tmp_path: Path) -> None:
    first, second = Store(tmp_path / "first"), Store(tmp_path / "second")
    for store in (first, second, second):
        ingest_into(store, EMOTION6, oasis_as_emotion6, KEYWORD)
    for key in (samples_key("emotion6"), quarantine_key("emotion6")):
        assert first.digest(key) == second.digest(key)


def test_ingest_reads_the_real_released_features(shared_data: Path, store: Store) -> None:
    root = shared_data / "emotion6_clip_features"
    ingested = ingest_and_read(store, EMOTION6, root, KEYWORD)
    samples = ingested.samples
    assert dict(samples["split"].value_counts().iter_rows()) == {"train": 1094, "validation": 292}
    assert ingested.source_kind == "feature" and ingested.quarantine.is_empty()
    assert samples.select("phash", "width", "height").null_count().row(0) == (1386, 1386, 1386)
    for row in samples.gather_every(97).iter_rows(named=True):
        raw = read_released_tensor(root / row["image_path"]).tobytes()
        assert len(raw) == 2 * 768
        assert row["sha256"] == hashlib.sha256(raw).hexdigest()


def test_ingest_quarantines_every_bad_file_and_keeps_the_good_ones(tmp_path: Path, store: Store) -> None:
    good = _picture(0)
    grey = io.BytesIO()
    Image.new("RGB", (64, 64), "white").save(grey, "PNG")
    files = {
        "images/joy/1.jpg": good,
        "images/joy/2.jpg": good[: len(good) // 2],
        "images/joy/3.jpg": b"",
        "images/joy/4.jpg": b"<html>404</html>",
        "images/joy/5.png": grey.getvalue(),
        "images/joy/6.png": good,
        "images/joy/7.jpg": _picture(7),
        "images/joy/7.png": _picture(8, "PNG"),
    }
    root = _write(tmp_path / "emotion6", files)
    (tmp_path / "secret.jpg").write_bytes(good)
    (root / "images" / "joy" / "8.jpg").symlink_to(tmp_path / "secret.jpg")
    ingested = ingest_and_read(store, EMOTION6, root, KEYWORD)
    assert ingested.samples["image_path"].to_list() == [
        "images/joy/1.jpg",
        "images/joy/6.png",
        "images/joy/7.jpg",
    ]
    assert _reasons(ingested.quarantine) == {
        "ground_truth.txt": "missing",
        "images/joy/2.jpg": "truncated",
        "images/joy/3.jpg": "empty_file",
        "images/joy/4.jpg": "not_a_picture",
        "images/joy/5.png": "placeholder",
        "images/joy/7.png": "duplicate_id",
        "images/joy/8.jpg": "outside_dataset",
    }
    assert "images/joy/7.jpg" in ingested.quarantine.filter(reason="duplicate_id")["detail"][0]
    assert ingested.notes == ["1 of 3 rows have the same bytes as an earlier one."]


def test_ingest_quarantines_features_that_are_damaged_or_of_another_dimension(tmp_path: Path) -> None:
    torch.manual_seed(0)
    folder = tmp_path / "images" / "train" / "joy"
    folder.mkdir(parents=True)
    for number, dimension in enumerate([4, 8, 8], start=1):
        torch.save(torch.randn(dimension).half(), folder / f"{number}.pt")
    torch.save(torch.tensor([1.0, float("nan")] * 4).half(), folder / "4.pt")
    torch.save({"feature": torch.randn(8)}, folder / "5.pt")
    whole = (folder / "2.pt").read_bytes()
    (folder / "6.pt").write_bytes(whole[: len(whole) // 2])
    (folder / "7.pt").write_bytes(b"")
    ingested = ingest(EMOTION6, tmp_path, KEYWORD)
    assert [Path(path).stem for path in ingested.samples["image_path"]] == ["2", "3"]
    assert {Path(path).stem: reason for path, reason in _reasons(ingested.quarantine).items()} == {
        "1": "wrong_dimension",
        **dict.fromkeys("4567", "unreadable_feature"),
    }
    assert "4 values where most have 8" in ingested.quarantine.filter(reason="wrong_dimension")["detail"][0]
    assert not any(str(tmp_path) in detail for detail in ingested.quarantine["detail"])


def test_ingest_moves_no_sample_to_another_split_when_pictures_are_added(tmp_path: Path) -> None:
    root = _write(tmp_path, {f"images/joy/{number}.jpg": _picture(number) for number in range(0, 60, 2)})
    before = dict(ingest(EMOTION6, root, KEYWORD).samples.select("sample_id", "split").iter_rows())
    _write(tmp_path, {f"images/joy/{number}.jpg": _picture(number) for number in range(1, 60, 2)})
    after = dict(ingest(EMOTION6, root, KEYWORD).samples.select("sample_id", "split").iter_rows())
    assert len(after) == 60 and set(before.items()) <= set(after.items())


def test_ingest_is_the_same_whatever_the_window_and_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = _write(tmp_path, {f"images/{EKMAN[n % 6]}/{n}.jpg": _picture(n) for n in range(40)})
    expected = ingest(EMOTION6, root, KEYWORD)
    monkeypatch.setattr(module, "HANDFUL", 3)
    monkeypatch.setattr(module, "WINDOW", 4)
    monkeypatch.setattr(found_rows, "BATCH", 7)
    found = ingest(EMOTION6, root, KEYWORD)
    assert found.samples.equals(expected.samples) and found.quarantine.equals(expected.quarantine)


def test_ingest_keeps_the_first_of_an_id_apart_from_later_ones_however_far_they_lie(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(found_rows, "BATCH", 4)
    names = [f"{number:02d}.jpg" for number in range(30)]
    # The same id again in another batch, later in the source's order but earlier by name, and a third time.
    names = [*names[5:], "07.jpeg", *names[:5], "07.JPG", "29.JPG"]
    root = _write(tmp_path, {name: _picture(number) for number, name in enumerate(names)})
    found = ingest(_source(*map(_entry, names)), root, KEYWORD)
    assert found.samples["image_path"].to_list() == sorted(names[:25] + names[26:31])
    assert found.quarantine.select("path", "detail").rows() == [
        ("07.JPG", "its id is that of 07.jpg"),
        ("07.jpeg", "its id is that of 07.jpg"),
        ("29.JPG", "its id is that of 29.jpg"),
    ]


def test_ingest_counts_rows_of_equal_bytes_when_they_lie_batches_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(found_rows, "BATCH", 4)
    root = _write(tmp_path, {f"{number:02d}.jpg": _picture(number % 11) for number in range(30)})
    found = ingest(_source(*(_entry(f"{number:02d}.jpg") for number in range(30))), root, KEYWORD)
    assert found.notes == ["19 of 30 rows have the same bytes as an earlier one."]


def test_ingest_keeps_the_dimension_of_most_ids_and_among_equals_the_first_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(found_rows, "BATCH", 2)
    # 8 comes three times, but two of these share an id: of 4 and 8 there are two each, and 8 was seen first.
    dimensions = {"z.pt": 8, "a.pt": 4, "y.pt": 8, "y.PT": 8, "b.pt": 4, "c.pt": 2}
    for name, dimension in dimensions.items():
        torch.save(torch.randn(dimension).half(), tmp_path / name)
    source = _source(*map(_entry, dimensions))
    source = Source(source.card, source.read, lambda _: True, source.read)
    found = ingest(source, tmp_path, KEYWORD)
    assert found.samples["image_path"].to_list() == ["y.pt", "z.pt"]
    assert _reasons(found.quarantine) == {"y.PT": "duplicate_id"} | dict.fromkeys(
        ("a.pt", "b.pt", "c.pt"), "wrong_dimension"
    )


def test_ingest_leaves_the_store_as_it_was_when_a_label_turns_out_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(found_rows, "BATCH", 2)
    root = _write(tmp_path / "raw", {f"{number}.jpg": _picture(number) for number in range(6)})
    store = Store(tmp_path / "store")
    entries = [_entry(f"{number}.jpg") for number in range(6)]
    ingest_into(store, _source(*entries), root, KEYWORD)
    before = {path: path.read_bytes() for path in (tmp_path / "store").rglob("*") if path.is_file()}
    with pytest.raises(UnknownLabelError):
        ingest_into(store, _source(*entries[:5], _entry("5.jpg", emotion="glee")), root, KEYWORD)
    assert {path: path.read_bytes() for path in (tmp_path / "store").rglob("*") if path.is_file()} == before


def test_ingest_writes_equal_bytes_to_a_store_that_is_no_disk(tmp_path: Path) -> None:
    root = _write(tmp_path / "raw", {f"{number}.jpg": _picture(number) for number in range(6)})
    stores = Store(tmp_path / "store"), Store("memory://test-ingest")
    for store in stores:
        ingest_into(store, _source(*(_entry(f"{number}.jpg") for number in range(6))), root, KEYWORD)
    for key in (samples_key("toy"), quarantine_key("toy")):
        assert stores[0].digest(key) == stores[1].digest(key)


def test_ingest_says_so_before_it_reads_when_the_store_cant_be_written(tmp_path: Path) -> None:
    root = _write(tmp_path / "raw", {"1.jpg": _picture(1)})
    (tmp_path / "store").write_bytes(b"a file where the store's folder belongs")
    calls: list[Progress] = []
    with pytest.raises(StoreError, match=r"store/samples can't be made"):
        ingest_into(Store(tmp_path / "store"), _source(_entry("1.jpg")), root, KEYWORD, calls.append)
    assert not calls


def test_ingest_reads_only_a_window_ahead_of_what_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = _write(tmp_path, {f"{number}.jpg": _picture(number) for number in range(50)})
    monkeypatch.setattr(module, "HANDFUL", 2)
    monkeypatch.setattr(module, "WINDOW", 8)
    monkeypatch.setattr(module, "PROGRESS_EVERY", 1)
    read, ahead = [0], []

    def entries(_root: Path, _settings: DatasetSettings) -> Iterator[Entry | Reject]:
        for number in range(50):
            read[0] += 1
            yield _entry(f"{number}.jpg")

    ingest(Source(_source().card, entries), root, KEYWORD, lambda told: ahead.append(read[0] - told.done))
    assert len(ahead) == 51 and max(ahead) < 8


def test_ingest_reports_progress_up_to_the_number_of_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = _write(tmp_path, {f"{number}.jpg": _picture(number) for number in range(7)})
    monkeypatch.setattr(module, "PROGRESS_EVERY", 1)
    calls: list[Progress] = []
    ingest(_source(*(_entry(f"{n}.jpg") for n in range(7))), root, KEYWORD, calls.append)
    assert [call.done for call in calls] == [1, 2, 3, 4, 5, 6, 7, 7]
    # The published count (5) stands for the total until all files are seen; past it no time left is told.
    assert [call.total for call in calls] == [5] * 7 + [7]
    assert [call.seconds_left is None for call in calls] == [False] * 5 + [True] * 2 + [False]


def test_ingest_keeps_every_field_that_an_entry_brings(tmp_path: Path) -> None:
    attributes = {"brightness": 0.5, "object": ["dog", "tree"], "scene": "park"}
    entries = (
        _entry(
            "1.jpg",
            split="test",
            emotion="Joy ",
            votes={"joy": 3, "anger": 0},
            object="dog",
            attributes=attributes,
        ),
        _entry("2.jpg", emotion=None, taxonomy=None, label_source="dimensions", valence=6.5, arousal=2.25),
        Reject("3.jpg", "tie", "joy and fear have 4 each"),
    )
    root = _write(tmp_path, {"1.jpg": _picture(1), "2.jpg": _picture(2)})
    ingested = ingest(_source(*entries), root, KEYWORD)
    first, second = check_table(ingested.samples, Sample, "samples").to_dicts()
    assert (first["split"], first["emotion"], first["object"]) == ("test", "joy", "dog")
    assert first["votes"] == [{"emotion": "anger", "votes": 0}, {"emotion": "joy", "votes": 3}]
    assert {name: value for name, value in first["attributes"].items() if value is not None} == attributes
    assert (second["emotion"], second["valence"], second["arousal"]) == (None, 6.5, 2.25)
    assert check_table(ingested.quarantine, Quarantined, "quarantine").to_dicts() == [
        {"dataset": "toy", "path": "3.jpg", "reason": "tie", "detail": "joy and fear have 4 each"}
    ]


def test_ingest_quarantines_names_that_no_table_can_hold(tmp_path: Path, store: Store) -> None:
    names = ["new\nline.jpg", "caf\udce9.jpg", "fine é.jpg"]
    root = _write(tmp_path, {name: _picture(number) for number, name in enumerate(names)})
    ingested = ingest_and_read(store, _source(*map(_entry, names)), root, KEYWORD)
    assert ingested.samples["image_path"].to_list() == ["fine é.jpg"]
    assert _reasons(ingested.quarantine) == {"caf\\udce9.jpg": "bad_name", "new\nline.jpg": "bad_name"}


def test_ingest_refuses_paths_of_a_source_that_lead_outside(tmp_path: Path) -> None:
    _write(tmp_path, {"raw/1.jpg": _picture(1), "secret.jpg": _picture(2)})
    ingested = ingest(_source(_entry("1.jpg"), _entry("../secret.jpg")), tmp_path / "raw", KEYWORD)
    assert _reasons(ingested.quarantine) == {"../secret.jpg": "outside_dataset"}


def test_ingest_names_dataset_file_and_label_when_a_label_is_unknown(tmp_path: Path) -> None:
    root = _write(tmp_path, {"1.jpg": _picture(1)})
    with pytest.raises(UnknownLabelError, match=r"toy, 1\.jpg: the label 'glee'"):
        ingest(_source(_entry("1.jpg", emotion="glee")), root, KEYWORD)


@pytest.mark.parametrize("state", ["absent", "empty", "junk", "file", "dangling"])
def test_ingest_says_where_to_get_a_dataset_that_is_not_there(tmp_path: Path, state: str) -> None:
    root = tmp_path / "emotion6"
    if state in ("empty", "junk"):
        _write(root, {".DS_Store": b""} if state == "junk" else {})
        root.mkdir(exist_ok=True)
    elif state == "file":
        root.write_bytes(b"")
    elif state == "dangling":
        root.symlink_to(tmp_path / "nowhere")
    with pytest.raises(DatasetMissingError) as caught:
        ingest(EMOTION6, root, KEYWORD)
    card = EMOTION6.card
    for part in (card.title, card.home, card.licence, card.layout, str(root), "datasets.emotion6.folder"):
        assert part in str(caught.value)


def test_find_root_descends_into_the_one_folder_of_an_archive(tmp_path: Path) -> None:
    inner = _write(tmp_path / "Emotion6", {"images/joy/1.jpg": _picture(1)})
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / "Emotion6.zip").write_bytes(b"PK")
    assert find_root(EMOTION6, tmp_path, KEYWORD) == inner
    ingested = ingest(EMOTION6, tmp_path, KEYWORD)
    assert ingested.root == inner and "Emotion6/" in ingested.notes[0]
    assert ingested.samples["sample_id"].to_list() == ["emotion6/images/joy/1"]


def test_find_root_follows_a_linked_root_and_stays_where_the_dataset_lies(tmp_path: Path) -> None:
    real = _write(tmp_path / "real", {"images/joy/1.jpg": _picture(1)})
    (tmp_path / "link").symlink_to(real)
    assert find_root(EMOTION6, tmp_path / "link", KEYWORD) == real
    assert len(ingest(EMOTION6, tmp_path / "link", KEYWORD).samples) == 1


def test_ingest_raises_the_sources_own_error_when_neither_folder_holds_the_dataset(tmp_path: Path) -> None:
    _write(tmp_path, {"pictures/1.jpg": _picture(1)})
    with pytest.raises(LayoutError, match="pictures"):
        ingest(EMOTION6, tmp_path, KEYWORD)


def test_ingest_says_what_was_expected_and_seen_when_nothing_is_usable(tmp_path: Path) -> None:
    _write(tmp_path, {"images/joy/1.jpg": b"", "images/joy/2.jpg": b"x"})
    with pytest.raises(LayoutError) as caught:
        ingest(EMOTION6, tmp_path, KEYWORD)
    for part in ("empty_file 1", "not_a_picture 1", "'images'", EMOTION6.card.layout, str(tmp_path)):
        assert part in str(caught.value)


def test_ingest_stops_its_threads_when_a_label_file_turns_out_broken(tmp_path: Path) -> None:
    root = _write(tmp_path, {f"{number}.jpg": _picture(number) for number in range(5)})

    def entries(_root: Path, _settings: DatasetSettings) -> Iterator[Entry | Reject]:
        yield from (_entry(f"{number}.jpg") for number in range(5))
        raise LayoutError("list.txt, row 6: expected a name.")

    with pytest.raises(LayoutError, match="row 6"):
        ingest(Source(_source().card, entries), root, KEYWORD)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("ingest")]
