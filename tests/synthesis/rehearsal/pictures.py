"""Small pictures for these tests, as bytes and as the services take them."""

import base64
import io
from typing import Any

import numpy as np
from PIL import Image


def encode_picture(kind: str, width: int, height: int, **how: Any) -> bytes:
    """Return a noisy picture, encoded."""
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **how)
    return buffer.getvalue()


def image_block(content: bytes, kind: str = "JPEG") -> dict[str, Any]:
    """Return an image block of the Messages API."""
    data = base64.b64encode(content).decode()
    return {"type": "image", "source": {"type": "base64", "media_type": f"image/{kind.lower()}", "data": data}}


def image_part(content: bytes, kind: str = "JPEG") -> dict[str, Any]:
    """Return an image part of chat completions."""
    url = f"data:image/{kind.lower()};base64,{base64.b64encode(content).decode()}"
    return {"type": "image_url", "image_url": {"url": url}}
