"""A filling that is killed at any moment loses the batch in flight, and its resumption makes the very same bytes."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest
import torch

from tinyemo_data.features import released
from tinyemo_data.features.cache import fill_feature_cache, import_released_features, read_features
from tinyemo_data.features.encoder import Encoder
from tinyemo_data.features.pending import pending_folder
from tinyemo_data.features.released import feature_digest
from tinyemo_data.store import Store

SCRIPT = Path(__file__).with_name("fill_and_die.py")
PROJECT = Path(__file__).parents[2]
CLIP = "vit-l-14-quickgelu-openai"


def tree(store: Store) -> dict[str, bytes]:
    """Return every file of a store with its content."""
    folder = Path(store.url)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def start(
    store: Store, samples: pl.DataFrame, root: Path, kind: str, operation: int, moment: str
) -> subprocess.Popen[bytes]:
    table = Path(store.url).with_suffix(".samples.parquet")
    samples.write_parquet(table)
    arguments = [store.url, str(table), str(root), kind, str(operation), moment]
    return subprocess.Popen([sys.executable, str(SCRIPT), *arguments], cwd=PROJECT, env={"PYTHONPATH": str(PROJECT)})


def released_samples(root: Path, count: int) -> pl.DataFrame:
    """Save random features and one file that is none; return their Sample columns."""
    rows = []
    for number in range(count):
        name = f"images/train/joy/{number:02d}.pt"
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        tensor = torch.randn(32, generator=torch.Generator().manual_seed(number)).half()
        torch.save(tensor, root / name)
        rows.append((f"emotion6/{name[:-3]}", "feature", "emotion6", name, feature_digest(tensor.numpy())))
    (root / rows[5][3]).write_bytes(b"damaged")
    return pl.DataFrame(rows, schema=["sample_id", "source_kind", "dataset", "image_path", "sha256"], orient="row")


def check_import(tmp_path: Path, operation: int, moment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(released, "BATCH", 4)
    samples = released_samples(tmp_path / "raw", 22)
    whole, killed = Store(tmp_path / "whole"), Store(tmp_path / "killed")
    import_released_features(whole, samples, tmp_path / "raw", CLIP)
    assert start(killed, samples, tmp_path / "raw", "feature", operation, moment).wait(120) == -signal.SIGKILL
    import_released_features(killed, samples, tmp_path / "raw", CLIP)
    assert tree(killed) == tree(whole)


@pytest.mark.parametrize(("operation", "moment"), [(1, "torn"), (3, "after"), (7, "torn"), (9, "after")])
def test_import_makes_the_same_bytes_when_it_was_killed(
    operation: int, moment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_import(tmp_path, operation, moment, monkeypatch)


@pytest.mark.faults
@pytest.mark.parametrize("moment", ["before", "torn", "after"])
@pytest.mark.parametrize("operation", range(1, 10))
def test_import_makes_the_same_bytes_wherever_it_was_killed(
    operation: int, moment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_import(tmp_path, operation, moment, monkeypatch)


def check_fill(
    root: Path, samples: pl.DataFrame, encoder: Encoder, tmp_path: Path, operation: int, moment: str
) -> None:
    whole, killed = Store(tmp_path / "whole"), Store(tmp_path / "killed")
    first = fill_feature_cache(whole, samples, root, encoder)
    assert start(killed, samples, root, "picture", operation, moment).wait(180) == -signal.SIGKILL
    kept = len(killed.keys(pending_folder(encoder.identity.slug, "emotion6")))
    resumed = fill_feature_cache(killed, samples, root, encoder)
    # Operations 1 to 5 write one batch of four each (the broken file is in one); the one in flight may be lost.
    finished = min(operation - (moment != "after"), 5)
    assert kept >= finished or operation > 5
    assert resumed.computed <= first.computed - 4 * finished + 1
    assert tree(killed) == tree(whole)


def test_fill_makes_the_same_bytes_when_it_was_killed_between_two_batches(
    root: Path, samples: pl.DataFrame, encoder: Encoder, tmp_path: Path
) -> None:
    check_fill(root, samples, encoder, tmp_path, 3, "torn")


@pytest.mark.faults
# The operations from the 10th on are removals, which have no middle.
@pytest.mark.parametrize(
    ("operation", "moment"),
    [
        (operation, moment)
        for operation in (1, 2, 4, 5, 6, 7, 8, 9, 11)
        for moment in ("before", "torn", "after")
        if operation < 10 or moment != "torn"
    ],
)
def test_fill_makes_the_same_bytes_wherever_it_was_killed(
    operation: int, moment: str, root: Path, samples: pl.DataFrame, encoder: Encoder, tmp_path: Path
) -> None:
    check_fill(root, samples, encoder, tmp_path, operation, moment)


def kill_after(store: Store, process: subprocess.Popen[bytes], folder: str, batches: int, delay: float) -> None:
    """Kill `process` from outside, `delay` seconds after so many batches are on disk."""
    deadline = time.monotonic() + 120
    while len(store.keys(folder)) < batches and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.001)
    time.sleep(delay)
    process.kill()
    process.wait()


@pytest.mark.parametrize(
    ("seed", "kills"),
    [
        pytest.param(0, [2], id="once"),
        pytest.param(1, [1, 3], id="twice", marks=pytest.mark.faults),
        pytest.param(2, [0, 1, 4], id="thrice", marks=pytest.mark.faults),
    ],
)
def test_fill_makes_the_same_bytes_when_it_is_killed_from_outside(
    seed: int, kills: list[int], root: Path, samples: pl.DataFrame, encoder: Encoder, tmp_path: Path
) -> None:
    whole, killed = Store(tmp_path / "whole"), Store(tmp_path / "killed")
    fill_feature_cache(whole, samples, root, encoder)
    moments = random.Random(seed)
    folder = pending_folder(encoder.identity.slug, "emotion6")
    for batches in kills:
        process = start(killed, samples, root, "picture", 0, "never")
        kill_after(killed, process, folder, batches, moments.uniform(0, 0.02))
    resumed = fill_feature_cache(killed, samples, root, encoder)
    assert tree(killed) == tree(whole)
    table = read_features(killed, encoder.identity.slug, "emotion6")
    assert len(table.sample_ids) == resumed.rows == 20


def test_resumed_fill_retries_what_had_failed_before_the_kill(
    root: Path, samples: pl.DataFrame, encoder: Encoder, tmp_path: Path
) -> None:
    store = Store(tmp_path / "store")
    lost = samples["image_path"][0]
    content = (root / lost).read_bytes()
    (root / lost).unlink()
    assert start(store, samples, root, "picture", 4, "before").wait(180) == -signal.SIGKILL
    (root / lost).write_bytes(content)
    report = fill_feature_cache(store, samples, root, encoder)
    assert report.rows == 20
    assert report.failed["sample_id"].to_list() == ["emotion6/images/joy/07broken"]
