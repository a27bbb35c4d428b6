"""The vision tower: CLIP, SigLIP or DINOv2, from a directory or hub id, and the pixels that it expects."""

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from tinyemo_data.errors import MMLLMError
from tinyemo_data.mm_llm import small_vision_tower
from tinyemo_data.mm_llm.hub import FAILURES, find_part, first_line, load_strictly, where

SETTING = "mm_llm.vision_tower"
# By config.json's model_type, alone or as part of a model with a text tower: class, and does a CLS token come first?
KINDS = {
    "clip": ("CLIPVisionModel", True),
    "clip_vision_model": ("CLIPVisionModel", True),
    "siglip": ("SiglipVisionModel", False),
    "siglip_vision_model": ("SiglipVisionModel", False),
    "dinov2": ("Dinov2Model", True),
}


@dataclass(frozen=True)
class VisionTower:
    """A tower with the processor that makes its pixels."""

    name: str
    model: Any
    processor: Any  # of pictures to pixels
    has_class_token: bool
    patches: int  # patch tokens a picture


def load_vision_tower(location: str | None) -> VisionTower:
    """Load the tower at a directory or hub id; None: the small one of this package. Raises MMLLMError."""
    if location is not None:
        return _load(location)
    with tempfile.TemporaryDirectory(prefix="tinyemo-") as folder:
        small_vision_tower.make(Path(folder))
        return replace(_load(folder), name=small_vision_tower.NAME)


def _load(location: str) -> VisionTower:
    import transformers as library

    transformers: Any = library  # its annotations are partial

    files, config = find_part(location, SETTING)
    kind = config.get("model_type")
    if kind not in KINDS:
        raise MMLLMError(
            f"{SETTING}: {files.location} is a '{kind}', expected one of {', '.join(KINDS)}. "
            "Give a directory or hub id such as openai/clip-vit-large-patch14."
        )
    class_name, has_class_token = KINDS[kind]
    model = load_strictly(getattr(transformers, class_name), files, SETTING)
    try:
        processor = transformers.AutoImageProcessor.from_pretrained(**where(files))
    except FAILURES as exc:
        raise MMLLMError(
            f"{SETTING}: {files.location} has no preprocessor_config.json that can be used ({first_line(exc)}). "
            "Put the one of the tower's model beside its weights."
        ) from exc
    return VisionTower(files.name, model, processor, has_class_token, count_patches(model, processor, files.location))


@torch.no_grad()
def count_patches(model: Any, processor: Any, place: str) -> int:
    """Return the patch tokens a picture, as the processor's pixels have them. Raises MMLLMError where none fit."""
    blank = Image.fromarray(np.zeros((64, 64, 3), dtype=np.uint8))
    pixels = processor(images=blank, return_tensors="pt")["pixel_values"]
    size = model.config.patch_size
    patches = (pixels.shape[-2] // size) * (pixels.shape[-1] // size)
    try:
        tokens = model(pixels).last_hidden_state.shape[1]
    except FAILURES as exc:
        raise MMLLMError(f"{SETTING}: {place} does not take its processor's pixels: {first_line(exc)}") from exc
    if tokens - patches not in (0, 1):
        raise MMLLMError(f"{SETTING}: {place} makes {tokens} tokens of {patches} patches, expected one more at most.")
    return int(patches)
