"""A folder of small drawn pictures with its Sample table, and the demo's encoder."""

import hashlib
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from tinyemo_data.features.encoder import Encoder
from tinyemo_data.settings import EncoderSettings

EMOTIONS = ("joy", "fear", "anger")


def samples_of(root: Path, dataset: str = "emotion6") -> pl.DataFrame:
    """Make the Sample columns that features need, from the files under `root`."""
    rows = []
    for number, path in enumerate(sorted(path for path in root.rglob("*") if path.is_file())):
        name = path.relative_to(root).as_posix()
        rows.append(
            {
                "sample_id": f"{dataset}/{name.rpartition('.')[0]}",
                "source_kind": "picture",
                "dataset": dataset,
                "split": ("train", "train", "test")[number % 3],
                "image_path": name,
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
                "emotion": EMOTIONS[number % 3],
                "taxonomy": "ekman6",
            }
        )
    return pl.DataFrame(rows)


def draw_picture(path: Path, seed: int, size: tuple[int, int] = (80, 60)) -> None:
    """Draw a picture of smooth random colours."""
    path.parent.mkdir(parents=True, exist_ok=True)
    coarse = np.random.default_rng(seed).integers(0, 256, (5, 5, 3), dtype=np.uint8)
    Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).save(path)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Twenty pictures (JPEG and PNG), two of them byte-identical, and one file that is no picture."""
    folder = tmp_path / "raw"
    for seed in range(19):
        draw_picture(folder / f"images/{EMOTIONS[seed % 3]}/{seed:02d}.{'png' if seed % 5 == 0 else 'jpg'}", seed)
    (folder / "images/joy/99.jpg").write_bytes((folder / "images/joy/03.jpg").read_bytes())
    (folder / "images/joy/07broken.jpg").write_bytes(b"\xff\xd8\xff no picture")
    return folder


@pytest.fixture
def samples(root: Path) -> pl.DataFrame:
    """The Sample table of `root`."""
    return samples_of(root)


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    """The demo's encoder, in small batches."""
    return Encoder(EncoderSettings(model="tinyemo-vit", batch_size=4, device="cpu"))
