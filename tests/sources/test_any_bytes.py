"""Whatever bytes stand in a label file or a list: a Sample table that holds to its schema, or one error of ours."""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.integration.layouts import LAYOUTS, Photograph
from tinyemo_data import sources
from tinyemo_data.errors import TinyEmoError
from tinyemo_data.ingest import ingest_into
from tinyemo_data.sample import read_quarantine, read_samples
from tinyemo_data.settings import DatasetSettings
from tinyemo_data.store import Store

OASIS = "Theme,Category,Valence_mean,Arousal_mean\n"
LABEL_FILES = [
    ("abstract", "testImages_abstract/ABSTRACT_groundTruth.csv"),
    ("emoset", "EmoSet-118K/info.json"),
    ("emoset", "EmoSet-118K/train.json"),
    ("emoset", "EmoSet-118K/val.json"),
    ("emoset", "EmoSet-118K/test.json"),
    ("emoset", "EmoSet-118K/annotation/awe/awe_00001.json"),
    ("emotion6", "ground_truth.txt"),
    ("emotionroi", "training_testing_split/training.txt"),
    ("emotionroi", "training_testing_split/testing.txt"),
    ("oasis", "OASIS.csv"),
]
# What such files are made of: separators, quotes, numbers that are none, names that lead elsewhere.
PIECES = [
    b"\t", b",", b"\n", b"\r", b'"', b"'", b"[", b"]", b"{}", b"null", b"NaN", b"1e999", b"-1", b"99999999999999999999",
    b"../../x.jpg", b"/etc/hostname", b"C:\\x.jpg", b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80",
    b"joy", b"images/",
]  # fmt: skip


@dataclass(frozen=True)
class Copy:
    """A dataset on disk, one file of which is written anew for every example."""

    root: Path
    label_file: Path
    whole: bytes  # that file as it is distributed
    store: Store


def album(folder: Path, count: int) -> list[Photograph]:
    """Return small pictures in the place of photographs."""
    folder.mkdir()
    made = []
    for number in range(count):
        coarse = np.random.default_rng(number).integers(0, 256, (3, 4, 3), dtype=np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(coarse).resize((24, 18)).save(buffer, "JPEG")
        path = folder / f"{number:03d}.jpg"
        path.write_bytes(buffer.getvalue())
        made.append(Photograph(path, f"theme {number}", "object", 1 + number % 7, 4.0))
    return made


def lay(name: str, base: Path) -> Path:
    pictures, root = album(base / "album", 72), base / name
    if name != "oasis":
        LAYOUTS[name](root, pictures)
        return root
    (root / "images").mkdir(parents=True)
    for picture in pictures[:8]:
        (root / "images" / f"{picture.theme}.jpg").write_bytes(picture.path.read_bytes())
    rows = [f"{picture.theme},{picture.category},{picture.valence},{picture.arousal}\n" for picture in pictures[:8]]
    (root / "OASIS.csv").write_text(OASIS + "".join(rows))
    return root


@pytest.fixture(scope="module", params=LABEL_FILES, ids=lambda pair: pair[1].rpartition("/")[2])
def copy(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Copy:
    name, file = request.param
    base = tmp_path_factory.mktemp(name)
    root = lay(name, base)
    return Copy(root, root / file, (root / file).read_bytes(), Store(base / "store"))


def outcome(copy: Copy, content: bytes, label: str) -> None:
    """Ingest with `content` in the label file: rows that can be read back, or one error."""
    name = copy.root.name
    copy.label_file.write_bytes(content)
    try:
        chosen = DatasetSettings.model_validate({"label": label})
        ingested = ingest_into(copy.store, sources.get(name), copy.root, chosen)
    except TinyEmoError as exc:
        assert len(str(exc)) > 20
        return
    samples = read_samples(copy.store, name)
    assert (len(samples), read_quarantine(copy.store, name).height) == (ingested.rows, ingested.kept_apart)
    there = {path.relative_to(ingested.root).as_posix() for path in ingested.root.rglob("*.jpg")}
    assert set(samples["image_path"]) <= there


EXAMPLES = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
LABELS = st.sampled_from(["keyword", "distribution"])


def test_ingest_succeeds_with_the_file_as_it_is_distributed(copy: Copy) -> None:
    copy.label_file.write_bytes(copy.whole)
    assert ingest_into(copy.store, sources.get(copy.root.name), copy.root, DatasetSettings()).rows >= 8


@EXAMPLES
@given(st.binary(max_size=200), LABELS)
def test_ingest_gives_a_table_or_one_error_for_any_bytes(copy: Copy, content: bytes, label: str) -> None:
    outcome(copy, content, label)


@EXAMPLES
@given(st.data(), LABELS)
def test_ingest_gives_a_table_or_one_error_when_a_true_file_is_changed(
    copy: Copy, data: st.DataObject, label: str
) -> None:
    content = bytearray(copy.whole)
    for _ in range(data.draw(st.integers(1, 3), label="changes")):
        start = data.draw(st.integers(0, len(content)), label="at")
        end = start + data.draw(st.integers(0, 12), label="cut")
        content[start:end] = data.draw(st.sampled_from(PIECES) | st.binary(max_size=6), label="put")
    outcome(copy, bytes(content), label)
