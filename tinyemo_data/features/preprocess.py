"""From decoded pixels to what the encoder sees: open_clip's transform, two to three times faster.

torch resizes uint8 pixels (bicubic, antialiased, channels last) to within a grey level of Pillow's result:
2 % of values differ by one. Pictures more than twice as tall as wide are left to Pillow itself. The crop
stays uint8 until it is on the encoder's device, where it is normalised.
"""

from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np
import torch
from PIL import Image

from tinyemo_data.features.decode import Pixels, UnreadablePictureError, decode_picture
from tinyemo_data.features.identity import json_digest

LARGEST_RESIZED = 1 << 25  # pixels; only a strip thousands of times longer than wide gets there
VERSION = 1  # of this module's arithmetic: part of the preprocessing digest


@dataclass(frozen=True)
class Preprocessing:
    """Geometry and normalisation of one encoder, as open_clip declares them."""

    height: int
    width: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    interpolation: Literal["bicubic", "bilinear"]
    resize_mode: Literal["shortest", "squash", "longest"]
    fill_color: int = 0
    decode: Literal["exact", "scaled"] = "exact"

    @property
    def digest(self) -> str:
        """Digest of all that decides the encoder's input."""
        return json_digest(asdict(self) | {"version": VERSION})

    def pixels(self, content: bytes) -> Pixels:
        """Decode a picture's bytes, as large as it is or (`scaled`) hardly larger than the crop needs.

        Raises UnreadablePictureError.
        """
        return decode_picture(content, (self.height, self.width) if self.decode == "scaled" else (0, 0))

    def crop(self, pixels: Pixels) -> torch.Tensor:
        """Resize and crop (H, W, 3) pixels to (3, height, width), uint8.

        Raises UnreadablePictureError for a strip that is thousands of times longer than wide.
        """
        if not self._is_fast():
            return self._crop_by_open_clip(pixels)
        height, width = self._resized(*pixels.shape[:2])
        if height * width > LARGEST_RESIZED:
            raise UnreadablePictureError("too_elongated", f"{pixels.shape[1]} × {pixels.shape[0]} pixels")
        resized = self._resize(pixels, height, width)
        top, left = round((height - self.height) / 2), round((width - self.width) / 2)
        return resized[:, top : top + self.height, left : left + self.width]

    def normalise(self, crops: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        """Scale (B, 3, H, W) uint8 to 0–1 and standardise, on the crops' device."""
        mean = torch.tensor(self.mean, device=crops.device).view(3, 1, 1)
        std = torch.tensor(self.std, device=crops.device).view(3, 1, 1)
        return ((crops.float() / 255 - mean) / std).to(dtype)

    def _is_fast(self) -> bool:
        """Tell whether torch gives open_clip's pixels: nearly all models are bicubic and square, and none pads."""
        if self.interpolation != "bicubic" or self.resize_mode == "longest":
            return False
        return self.resize_mode == "squash" or self.height == self.width

    def _resized(self, height: int, width: int) -> tuple[int, int]:
        """Return the size before cropping: the short side fits, the long one is truncated."""
        if self.resize_mode == "squash":
            return self.height, self.width
        if height <= width:
            return self.height, int(self.height * width / height)
        return int(self.width * height / width), self.width

    def _resize(self, pixels: Pixels, height: int, width: int) -> torch.Tensor:
        if (height, width) != pixels.shape[:2] and self._is_resized_in_columns_first(pixels):
            resized = Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC)
            return torch.from_numpy(np.array(resized)).permute(2, 0, 1)
        # A view with channels last: torch's vectorised uint8 path takes it as it lies.
        source = torch.from_numpy(pixels).permute(2, 0, 1)[None]
        if (height, width) == pixels.shape[:2]:
            return source[0]
        return torch.nn.functional.interpolate(
            source, size=(height, width), mode="bicubic", antialias=True, align_corners=False
        )[0]

    def _is_resized_in_columns_first(self, pixels: Pixels) -> bool:
        """Tell where Pillow (since 13) may run its vertical pass first, and rounds otherwise than torch does."""
        height, width = pixels.shape[:2]
        limit = width if self.resize_mode == "squash" else 2 * width
        return bool(height > limit)

    def _crop_by_open_clip(self, pixels: Pixels) -> torch.Tensor:
        """Follow open_clip's own transform where it pads, interpolates otherwise, or crops to other than a square."""
        from open_clip.transform import image_transform

        transform = image_transform(
            (self.height, self.width),
            is_train=False,
            mean=(0.0, 0.0, 0.0),
            std=(1.0, 1.0, 1.0),
            resize_mode=self.resize_mode,
            interpolation=self.interpolation,
            fill_color=self.fill_color,
        )
        cropped: torch.Tensor = transform(Image.fromarray(pixels))
        return (cropped * 255).round().to(torch.uint8)
