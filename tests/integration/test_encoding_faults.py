"""Runs that are killed (SIGKILL) at seeded moments, again and again, and then left to finish.

Three seeds in `make test`, twenty in `make test-faults` (TINYEMO_FAULT_TRIALS=all); `-s` shows the figures.
"""

import hashlib
import io
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.integration.killable_steps import BATCH, ENCODER, PROJECTOR, RELEASED
from tinyemo_data import settings, sources, taxonomy
from tinyemo_data.errors import FeatureError
from tinyemo_data.features.cache import import_released_features
from tinyemo_data.features.identity import encoder_slug
from tinyemo_data.features.manifest import features_folder, is_cached
from tinyemo_data.features.pending import pending_folder
from tinyemo_data.features.reading import read_features
from tinyemo_data.ingest import ingest_into
from tinyemo_data.projector.materialize import materialize_prototypes
from tinyemo_data.sample import quarantine_key, read_quarantine, read_samples, samples_key
from tinyemo_data.settings import DatasetSettings
from tinyemo_data.store import Store

# Read here: the tests themselves run in an environment without this project's variables.
TRIALS = range(20 if os.environ.get("TINYEMO_FAULT_TRIALS") == "all" else 3)
CHECKOUT = Path(__file__).parents[2]
PICTURES = 200
KILLS = 2  # of one run that is to be finished
EMOTIONS = taxonomy.get("mikels8").labels
SLUG = encoder_slug(settings.EncoderSettings.model_validate(ENCODER))
pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif(not hasattr(os, "fork") or not Path("/proc").exists(), reason="needs fork and /proc"),
]


@dataclass(frozen=True)
class Moment:
    """When a run is killed: so many lines of its log after its beginning, and then so many seconds."""

    lines: int
    seconds: float


def tell(figures: str) -> None:
    sys.stdout.write(f"\n{figures}\n")


class Steps:
    """The process that forks one child a step."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.integration.killable_steps"]
        alone = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        clean = {name: value for name, value in os.environ.items() if not name.startswith(settings.PREFIX)}
        self._process = subprocess.Popen(
            command, cwd=CHECKOUT, env=clean | alone, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self, step: str, raw: Path, store: Store, log: Path, moment: Moment | None = None) -> bool:
        """Do a step; kill it at `moment`. Tell whether it finished; fail where it ended in another way."""
        log.touch()
        begun = lines(log)
        assert self._process.stdin is not None and self._process.stdout is not None
        command = {"step": step, "raw": str(raw), "store": store.url, "log": str(log)}
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        child = int(self._process.stdout.readline())
        if moment is not None and wait_for(log, begun + moment.lines, child):
            time.sleep(moment.seconds)
            if is_running(child):
                os.kill(child, signal.SIGKILL)
        status = int(self._process.stdout.readline())
        assert status in (0, -signal.SIGKILL), f"{step} ended with {status}"
        assert moment is not None or status == 0
        return status == 0

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        assert self._process.wait(timeout=60) == 0


def lines(log: Path) -> int:
    return log.read_bytes().count(b"\n")


def is_running(child: int) -> bool:
    return Path(f"/proc/{child}").exists()


def wait_for(log: Path, count: int, child: int) -> bool:
    """Wait until the log has `count` lines; tell whether the child got there."""
    while is_running(child):
        if lines(log) >= count:
            return True
        time.sleep(0.0005)
    return False


@pytest.fixture(scope="module")
def steps() -> Iterator[Steps]:
    opened = Steps()
    yield opened
    opened.close()


def picture(number: int) -> bytes:
    coarse = np.random.default_rng(number).integers(0, 256, (4, 5, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(coarse).resize((80, 64)).save(buffer, "JPEG")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """FI with 200 pictures and two broken ones."""
    folder = tmp_path_factory.mktemp("raw")
    for number in range(PICTURES + 2):
        path = folder / "fi" / "emotion_dataset" / EMOTIONS[number % 8] / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture(number) if number < PICTURES else b"")
    return folder


def content(store: Store) -> dict[str, str]:
    """Return the digest of every file of a store, be it hidden, half-written or pending."""
    root = Path(store.url)
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def ingested(raw: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = Store(tmp_path_factory.mktemp("ingested") / "store")
    ingest_into(store, sources.get("fi"), raw / "fi", DatasetSettings())
    return store


@pytest.fixture(scope="module")
def encoded(steps: Steps, raw: Path, ingested: Store, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """The features of a run that nobody killed."""
    folder = tmp_path_factory.mktemp("encoded")
    store = copy(ingested, folder)
    assert steps.run("encode", raw, store, folder / "log")
    assert encodings(folder / "log") == PICTURES
    return store


def copy(store: Store, folder: Path) -> Store:
    shutil.copytree(store.url, folder / "store")
    return Store(folder / "store")


def encodings(log: Path) -> int:
    """Return how many pictures the encoder was given, in all runs together."""
    return sum(int(line) for line in log.read_text().split())


@pytest.mark.parametrize("seed", TRIALS)
def test_killed_encoding_finishes_with_the_same_bytes_and_repeats_at_most_a_batch_a_kill(
    steps: Steps, raw: Path, ingested: Store, encoded: Store, tmp_path: Path, seed: int
) -> None:
    drawn, log, store, killed = random.Random(seed), tmp_path / "log", copy(ingested, tmp_path), 0
    for _ in range(KILLS):
        moment = encoding_moment(drawn, PICTURES // BATCH - len(store.keys(pending_folder(SLUG, "fi"))))
        if steps.run("encode", raw, store, log, moment):
            break
        killed += 1
        check_that_nothing_is_half_there(store, encoded)
    steps.run("encode", raw, store, log)
    assert content(store) == content(encoded)
    repeated = encodings(log) - PICTURES
    assert 0 <= repeated <= killed * BATCH
    tell(f"seed {seed}: {killed} kills, {repeated} of {PICTURES} pictures encoded again (batch {BATCH})")


def encoding_moment(drawn: random.Random, left: int) -> Moment:
    """Draw when to kill a run that has so many batches left: among them, or while it publishes."""
    if left == 0:
        return Moment(0, drawn.uniform(0, 1.5))  # its first second goes into imports
    if drawn.random() < 0.3:
        return Moment(left, drawn.uniform(0, 0.05))
    return Moment(drawn.randint(1, left), drawn.uniform(0, 0.03))


def check_that_nothing_is_half_there(store: Store, whole: Store) -> None:
    """Look at the store as its readers do: what is there by its name is there with all its bytes."""
    for key in store.keys(pending_folder(SLUG, "fi")):
        assert key.removesuffix(".parquet").endswith(store.digest(key)), key
    folder = features_folder(SLUG, "fi")
    for key in store.keys(folder):
        if key.endswith(".parquet"):
            store.read_table(key)
    if not is_cached(store, SLUG, "fi"):
        with pytest.raises(FeatureError, match="materialize features/fi first"):
            read_features(store, SLUG, "fi")
        return
    found, expected = read_features(store, SLUG, "fi"), read_features(whole, SLUG, "fi")
    assert found.sample_ids == expected.sample_ids and torch.equal(found.features, expected.features)


def test_encoding_that_is_killed_before_its_first_batch_leaves_no_feature(
    steps: Steps, raw: Path, ingested: Store, encoded: Store, tmp_path: Path
) -> None:
    store = copy(ingested, tmp_path)
    assert not steps.run("encode", raw, store, tmp_path / "log", Moment(0, 0.0))
    assert content(store) == content(ingested)


@pytest.mark.parametrize("seed", TRIALS)
def test_killed_ingest_leaves_both_tables_whole_or_absent_and_finishes_with_the_same_bytes(
    steps: Steps, raw: Path, ingested: Store, tmp_path: Path, seed: int
) -> None:
    drawn, store, killed = random.Random(seed), Store(tmp_path / "store"), 0
    for _ in range(KILLS):
        moment = Moment(drawn.randint(0, 3), drawn.uniform(0, 0.04))
        if not steps.run("ingest", raw, store, tmp_path / "log", moment):
            killed += 1
        if store.exists(samples_key("fi")):
            assert read_samples(store, "fi").equals(read_samples(ingested, "fi"))
            assert store.exists(quarantine_key("fi"))
        if store.exists(quarantine_key("fi")):
            assert read_quarantine(store, "fi").equals(read_quarantine(ingested, "fi"))
    steps.run("ingest", raw, store, tmp_path / "log")
    assert content(store) == content(ingested)
    tell(f"seed {seed}: {killed} kills of an ingest")


@pytest.fixture(scope="module")
def untrained(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """The released features of Emotion6, and the prototypes to learn from."""
    store, root = Store(tmp_path_factory.mktemp("untrained") / "store"), shared_data / "emotion6_clip_features"
    ingest_into(store, sources.get("emotion6"), root, DatasetSettings())
    import_released_features(store, read_samples(store, "emotion6"), root, RELEASED)
    with pytest.MonkeyPatch.context() as patched:
        for name in [name for name in os.environ if name.startswith(settings.PREFIX)]:
            patched.delenv(name)
        materialize_prototypes(store, settings.load("emotion6"), "{emotion}")
    return store


@pytest.fixture(scope="module")
def trained(steps: Steps, raw: Path, untrained: Store, tmp_path_factory: pytest.TempPathFactory) -> Store:
    folder = tmp_path_factory.mktemp("trained")
    store = copy(untrained, folder)
    assert steps.run("train", raw, store, folder / "log")
    return store


@pytest.mark.parametrize("seed", TRIALS)
def test_killed_training_finishes_with_the_same_weights_and_trains_no_finished_seed_again(
    steps: Steps, raw: Path, untrained: Store, trained: Store, tmp_path: Path, seed: int
) -> None:
    drawn, log, store, killed = random.Random(seed), tmp_path / "log", copy(untrained, tmp_path), 0
    for _ in range(KILLS):
        if steps.run("train", raw, store, log, Moment(drawn.randint(1, 12), drawn.uniform(0, 0.1))):
            break
        killed += 1
        weights = content(trained)
        for key, digest in content(store).items():
            assert "/." in key or weights[key] == digest, f"{key} is neither whole nor in the making"
    steps.run("train", raw, store, log)
    assert content(store) == content(trained)
    trainings = Counter(line for line in log.read_text().splitlines() if line.startswith("seed"))
    assert set(trainings) == {f"seed {number}" for number in PROJECTOR["seeds"]}
    again = sum(trainings.values()) - len(trainings)
    assert again <= killed
    tell(f"seed {seed}: {killed} kills, {again} of {len(trainings)} seeds trained again")
