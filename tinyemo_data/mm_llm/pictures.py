"""The pictures of conversations: all found before training starts, decoded when a batch needs them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from tinyemo_data.errors import MMLLMError
from tinyemo_data.features.decode import UnreadablePictureError, decode_picture
from tinyemo_data.mm_llm.conversation import Conversation
from tinyemo_data.settings import Settings
from tinyemo_data.synthesis.materialize import picture_roots


def find_pictures(conversations: Sequence[Conversation], settings: Settings) -> tuple[list[Path], list[int]]:
    """Return the distinct pictures in the order of their first record, and each record's index into them.

    Raises MMLLMError where any is missing or empty, naming how many and the first.
    """
    names = {each.dataset for each in conversations}
    unknown = sorted(names - set(settings.datasets))
    if unknown:
        raise MMLLMError(
            f"Records are of the dataset '{unknown[0]}', which the profile {settings.name} does not name. Add it under "
            "datasets, so that its pictures can be found."
        )
    roots = picture_roots(settings, sorted(names))
    places: dict[Path, int] = {}
    indices, missing = [], []
    for conversation in conversations:
        path = roots[conversation.dataset] / conversation.path
        if path not in places:
            places[path] = len(places)
            if not path.is_file() or path.stat().st_size == 0:
                missing.append((conversation.record_id, path))
        indices.append(places[path])
    if missing:
        record, path = missing[0]
        raise MMLLMError(
            f"{len(missing)} of {len(places)} pictures are missing or empty; the first is {path}, of the record "
            f"{record}. Put them back, or make the instruct sets of the pictures that are there."
        )
    return list(places), indices


def read_picture(path: Path) -> Image.Image:
    """Return a picture, upright RGB. Raises MMLLMError where it can't be decoded."""
    try:
        return Image.fromarray(decode_picture(path.read_bytes()))
    except UnreadablePictureError as exc:
        raise MMLLMError(f"{path} can't be decoded ({exc}). Put an intact copy there.") from exc
    except OSError as exc:
        raise MMLLMError(f"{path} can't be read: {exc.strerror or exc}. Put it back.") from exc


def read_pixels(paths: Sequence[Path], processor: Any) -> torch.Tensor:
    """Return the vision tower's pixels of pictures, float32 (B, 3, H, W)."""
    pixels: torch.Tensor = processor(images=[read_picture(path) for path in paths], return_tensors="pt")["pixel_values"]
    return pixels
