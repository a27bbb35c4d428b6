"""The real features that the projector's benchmarks learn from: the train folder of the released Emotion6 features."""

import hashlib
import os
from pathlib import Path

import torch

from tinyemo_data.features.released import read_released_tensor
from tinyemo_data.features.table import LabelledFeatures

SHARED = Path(os.environ.get("TINYEMO_SHARED") or Path(__file__).parents[1] / ".." / "shared")
TRAIN = SHARED / "data" / "emotion6_clip_features" / "images" / "train"


def train_files() -> list[Path]:
    """Return the `.pt` files of the train folder alone, `<emotion>/<n>.pt`, sorted. Exits where they are absent."""
    files = sorted(TRAIN.glob("*/*.pt"))
    if not files:
        raise SystemExit(f"TINYEMO_SHARED: there are no features in {TRAIN}")
    return files


def train_features() -> LabelledFeatures:
    """Return the train folder's features, (1094, 768) float16, labelled by their folder."""
    files = train_files()
    features = torch.stack([torch.from_numpy(read_released_tensor(path)) for path in files])
    return LabelledFeatures(
        features,
        [f"emotion6/train/{path.parent.name}/{path.stem}" for path in files],
        [hashlib.sha256(row.numpy().tobytes()).hexdigest() for row in features],
        ["emotion6"] * len(files),
        ["ekman6"] * len(files),
        [path.parent.name for path in files],
    )
