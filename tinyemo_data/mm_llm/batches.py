"""Batches for training: token ids padded at the right, labels, and pixels or cached patch features."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.utils.data import Dataset

from tinyemo_data.mm_llm.encoding import IGNORED, Encoded
from tinyemo_data.mm_llm.pictures import read_pixels

MULTIPLE = 8  # tokens: what matrix units like


class PictureTensors(Protocol):
    """Gives what the model's vision tower takes of some pictures."""

    def __call__(self, pictures: Sequence[int]) -> Tensor:
        """Return a tensor (B, …) of the pictures of these numbers."""
        ...


@dataclass(frozen=True)
class Pixels:
    """Decodes pictures whenever they are asked for."""

    paths: Sequence[Path]
    processor: Any

    def __call__(self, pictures: Sequence[int]) -> Tensor:
        """Return pixels, float32 (B, 3, H, W)."""
        return read_pixels([self.paths[number] for number in pictures], self.processor)


class Conversations(Dataset[dict[str, Any]]):
    """Encoded conversations as torch wants them; pictures are read when a batch is made."""

    def __init__(self, encoded: Encoded, pictures: Sequence[int]) -> None:
        """Hold the encoded conversations and the number of each one's picture."""
        self.encoded, self.pictures = encoded, pictures

    def __len__(self) -> int:
        return len(self.encoded)

    def __getitem__(self, number: int) -> dict[str, Any]:
        ids, learnt = self.encoded[number]
        return {"ids": ids, "learnt": learnt, "picture": self.pictures[number]}


@dataclass(frozen=True)
class Collator:
    """Makes a batch of items."""

    picture_tensors: PictureTensors
    padding: int  # token id

    def __call__(self, items: Sequence[dict[str, Any]]) -> dict[str, Tensor]:
        """Return input_ids, attention_mask and labels, int64 (B, T), and pixel_values (B, …)."""
        longest = max(len(item["ids"]) for item in items)
        width = -(-longest // MULTIPLE) * MULTIPLE
        ids = torch.full((len(items), width), self.padding)
        labels = torch.full_like(ids, IGNORED)
        attention = torch.zeros_like(ids)
        for row, item in enumerate(items):
            count = len(item["ids"])
            ids[row, :count] = torch.from_numpy(item["ids"])
            labels[row, :count] = torch.where(torch.from_numpy(item["learnt"]), ids[row, :count], IGNORED)
            attention[row, :count] = 1
        pixels = self.picture_tensors([item["picture"] for item in items])
        return {"input_ids": ids, "attention_mask": attention, "labels": labels, "pixel_values": pixels}
