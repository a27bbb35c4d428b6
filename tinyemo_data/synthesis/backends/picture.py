"""A picture as language models get it: a JPEG no longer than `side`, the same bytes for the same file."""

import hashlib
import io
from pathlib import Path

from PIL import Image

from tinyemo_data.errors import SynthesisError
from tinyemo_data.features.decode import UnreadablePictureError, decode_picture

QUALITY = 85


class PictureGoneError(SynthesisError):
    """A picture is not where its sample says, or is another one by now."""


def read_picture(path: Path, sha256: str, side: int) -> bytes:
    """Return the picture as JPEG bytes, its longest side at most `side` pixels, upright, never enlarged.

    Raises PictureGoneError where the file is absent, unreadable, or has other bytes than when it was ingested.
    """
    try:
        content = path.read_bytes()
    except OSError as exc:
        raise PictureGoneError(
            f"{path} can't be read ({exc.strerror}). Put it back, or ingest its dataset again."
        ) from exc
    if hashlib.sha256(content).hexdigest() != sha256:
        raise PictureGoneError(f"{path} has other bytes than when it was ingested. Ingest its dataset again.")
    try:
        pixels = decode_picture(content)
    except UnreadablePictureError as exc:
        raise PictureGoneError(f"{path} can't be decoded: {exc}. Ingest its dataset again.") from exc
    image = Image.fromarray(pixels)
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=QUALITY)
    return buffer.getvalue()
