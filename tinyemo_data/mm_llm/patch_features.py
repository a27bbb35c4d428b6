"""Patch features of all pictures, computed once: the vision tower never trains, so they never change.

Float16 in one file, half a megabyte a picture of CLIP ViT-L/14. While they are in use, a stand-in takes the tower's
place in the model: it passes on what it is given in place of pixels.
"""

import contextlib
import hashlib
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tinyemo_data.errors import MMLLMError
from tinyemo_data.mm_llm.freezing import digest_tensors
from tinyemo_data.mm_llm.pictures import read_pixels
from tinyemo_data.progress import Meter, Report

BATCH = 32


@dataclass(frozen=True)
class PatchFeatures:
    """Features of pictures on the disk, (pictures, patches, width) float16."""

    path: Path
    shape: tuple[int, int, int]

    def __call__(self, pictures: Sequence[int]) -> Tensor:
        """Return the features of the pictures of these numbers, float32 (B, patches, width)."""
        stored = np.memmap(self.path, dtype=np.float16, mode="r", shape=self.shape)
        return torch.from_numpy(stored[list(pictures)].astype(np.float32))


class _Given(tuple[Tensor, ...]):
    """Hidden states of which every layer is the one that was given."""

    __slots__ = ()

    def __getitem__(self, index: Any) -> Any:
        return super().__getitem__(0)


class StandIn(nn.Module):
    """Takes the tower's place: its pixels are features already."""

    def forward(self, pixel_values: Tensor, **_: Any) -> Any:
        """Return what it is given as each of its hidden states."""
        from transformers.modeling_outputs import BaseModelOutputWithPooling

        return BaseModelOutputWithPooling(last_hidden_state=pixel_values, hidden_states=_Given((pixel_values,)))


@contextlib.contextmanager
def features_in_place_of_pixels(model: Any) -> Iterator[None]:
    """Let the model take patch features as its pixels; the tower comes back when the block ends."""
    tower, strategy = model.model.vision_tower, model.config.vision_feature_select_strategy
    model.model.vision_tower = StandIn()
    model.config.vision_feature_select_strategy = "full"
    try:
        yield
    finally:
        model.model.vision_tower = tower
        model.config.vision_feature_select_strategy = strategy


def compute_features(
    model: Any, processor: Any, paths: Sequence[Path], folder: Path, device: torch.device, report: Report | None = None
) -> PatchFeatures:
    """Write the features of `paths`, unless they are there; equal pictures, towers and layers share a file.

    Raises MMLLMError where the disk has no room for them, or a picture can't be decoded.
    """
    tokens, width = model.config.image_seq_length, model.config.vision_config.hidden_size
    features = PatchFeatures(folder / f"{_digest(model, processor, paths)}.f16", (len(paths), tokens, width))
    size = 2 * len(paths) * tokens * width
    if features.path.is_file() and features.path.stat().st_size == size:
        return features
    folder.mkdir(parents=True, exist_ok=True)
    check_feature_room(folder, size)
    part = features.path.with_suffix(".part")
    stored = np.memmap(part, dtype=np.float16, mode="w+", shape=features.shape)
    meter = Meter(len(paths), report)
    for start in range(0, len(paths), BATCH):
        batch = paths[start : start + BATCH]
        stored[start : start + len(batch)] = selected_states(model, read_pixels(batch, processor).to(device)).cpu()
        meter.advance(len(batch))
    stored.flush()
    part.replace(features.path)
    return features


@torch.no_grad()
def selected_states(model: Any, pixels: Tensor) -> Tensor:
    """Return what the connector sees of pixels: the chosen layer's patch tokens, (B, patches, width)."""
    states = model.model.vision_tower(pixels, output_hidden_states=True).hidden_states
    chosen: Tensor = states[model.config.vision_feature_layer]
    return chosen[:, 1:] if model.config.vision_feature_select_strategy == "default" else chosen


def check_feature_room(folder: Path, size: int) -> None:
    """Raise MMLLMError where `folder` has no room for `size` bytes of features."""
    free = shutil.disk_usage(folder).free
    if free < size + (64 << 20):
        raise MMLLMError(
            f"{folder} has {free / 1e9:.1f} GB free; the patch features take {size / 1e9:.1f} GB. Make room, or set "
            "mm_llm.cached_features to false: pictures are then encoded anew in each epoch."
        )


def _digest(model: Any, processor: Any, paths: Sequence[Path]) -> str:
    digest = hashlib.sha256(digest_tensors(model.model.vision_tower.state_dict()).encode())
    digest.update(f"{model.config.vision_feature_layer} {processor.to_json_string()}".encode())
    for path in paths:
        digest.update(f"{path} {path.stat().st_mtime_ns} {path.stat().st_size}\n".encode())
    return digest.hexdigest()[:16]
