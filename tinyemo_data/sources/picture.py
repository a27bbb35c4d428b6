"""One picture file: is it whole, what is its size, and what are its two fingerprints?

Pictures are read by their content, whatever their suffix says. A flaw is a value, not an exception:
`ingest` puts it into the quarantine and goes on.
"""

import hashlib
import io
import stat
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from tinyemo_data.sources import jpeg
from tinyemo_data.sources.flaw import FORMATS, Flaw, explain_failure
from tinyemo_data.sources.phash import Grey, hash_small, shrink

MAX_PIXELS = 89_478_485  # Pillow's own threshold of suspicion: 256 MiB as 24-bit RGB
MAX_BYTES = 256 * 1024**2
MIN_SIDE = 16  # smaller ones are spacers and placeholders: no scene fits in

# Everything that Pillow's decoders raise on damaged bytes.
CODEC_ERRORS = (
    OSError, SyntaxError, ValueError, TypeError, EOFError, LookupError, ArithmeticError, AttributeError,
    AssertionError, RuntimeError, struct.error, zlib.error,
)  # fmt: skip
BOMBS = (Image.DecompressionBombError, Image.DecompressionBombWarning)


@dataclass(frozen=True)
class PictureFacts:
    """What a whole picture's bytes say."""

    sha256: str  # of the file's bytes, hex
    phash: str  # 64-bit perceptual hash of the upright picture, 16 hex digits
    width: int  # pixels, after EXIF rotation
    height: int


def inspect_picture(path: Path) -> PictureFacts | Flaw:
    """Decode the picture at `path` and return its facts, or the flaw for which it can't be used.

    Reasons: missing, unreadable, empty_file, not_a_picture, unsupported_format, too_large, animated, truncated,
    damaged, placeholder. Placeholders are files under 16 pixels on a side and pictures of one single colour.
    """
    content = read_file(path)
    if isinstance(content, Flaw):
        return content
    try:
        found = _inspect_plain_jpeg(content)
        if found is None:
            with Image.open(io.BytesIO(content), formats=FORMATS) as image:
                found = _inspect_opened(image, content)
    except BOMBS:
        return Flaw("too_large", f"its header claims more than {MAX_PIXELS} pixels")
    except jpeg.PrematureEndError:
        return Flaw("truncated", f"the JPEG data ends early; the file has {len(content)} bytes")
    except jpeg.DamagedDataError as exc:
        return Flaw("damaged", f"a part of the JPEG data can't be decoded ({exc})")
    except CODEC_ERRORS:
        return explain_failure(content)
    return found


def read_file(path: Path) -> bytes | Flaw:
    """Return a regular file's bytes, or why there are none to be had."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            return Flaw("not_a_picture", "it is no regular file")
        if status.st_size > MAX_BYTES:
            return Flaw("too_large", f"{status.st_size} bytes; at most {MAX_BYTES} are read")
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return Flaw("missing", "there is no such file")
    except (OSError, ValueError) as exc:
        return Flaw("unreadable", f"the system can't read it ({type(exc).__name__})")
    return content or Flaw("empty_file", "0 bytes")


def _inspect_plain_jpeg(content: bytes) -> PictureFacts | Flaw | None:
    """Look at an upright JPEG without Pillow, which takes longer to open a small one than to decode it."""
    size = jpeg.plain_size(content)
    if size is None:
        return None
    if size[0] * size[1] > MAX_PIXELS:
        return _too_large(*size)
    grey = jpeg.decode_draft(content)
    return None if grey is None else _facts(shrink(grey), size, content)


def _inspect_opened(image: Image.Image, content: bytes) -> PictureFacts | Flaw:
    """Look at an opened picture whose pixels are not decoded yet: cheap checks on the header come first."""
    if image.width * image.height > MAX_PIXELS:
        return _too_large(*image.size)
    # An MPO is a photograph with previews or a second eye; its first frame is the picture.
    if getattr(image, "is_animated", False) and image.format != "MPO":
        return Flaw("animated", "it holds more than one frame")
    return _facts(*_decode(image, content), content)


def _too_large(width: int, height: int) -> Flaw:
    return Flaw("too_large", f"{width} × {height} pixels; at most {MAX_PIXELS} are decoded")


def _facts(small: Grey, upright: tuple[int, int], content: bytes) -> PictureFacts | Flaw:
    """Return the facts of a decoded picture: its grey at 32 × 32, upright, and its upright (width, height)."""
    if min(upright) < MIN_SIDE:
        return Flaw("placeholder", f"{upright[0]} × {upright[1]} pixels; a side has at least {MIN_SIDE}")
    if small.min() == small.max() and _is_single_colour(content):
        return Flaw("placeholder", "all its pixels have one colour")
    return PictureFacts(hashlib.sha256(content).hexdigest(), hash_small(small), *upright)


def _decode(image: Image.Image, content: bytes) -> tuple[Grey, tuple[int, int]]:
    """Decode all of the picture; return it upright at 32 × 32 grey, and its upright (width, height)."""
    if image.format in ("JPEG", "MPO") and image.mode in ("L", "RGB"):
        grey = jpeg.decode_draft(content)
        if grey is not None:
            orientation = _orientation(image)
            size = image.size if orientation < 5 else image.size[::-1]
            return _rotate(shrink(grey), orientation), size
    image.load()
    upright = ImageOps.exif_transpose(image)
    return shrink(_to_grey(upright)), upright.size


def _orientation(image: Image.Image) -> int:
    """Return the EXIF orientation, 1 to 8; a damaged EXIF block is no reason to lose the picture."""
    try:
        value = image.getexif().get(0x0112, 1)
    except CODEC_ERRORS:
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _rotate(grey: Grey, orientation: int) -> Grey:
    """Turn the stored picture upright (EXIF 2.3, tag 274)."""
    if orientation in (2, 3):
        grey = grey[:, ::-1]
    if orientation in (3, 4):
        grey = grey[::-1]
    if orientation >= 5:
        grey = grey.T
        grey = grey[:, ::-1] if orientation in (6, 7) else grey
        grey = grey[::-1] if orientation in (7, 8) else grey
    return grey


def _to_grey(image: Image.Image) -> Grey:
    """Convert any mode to 8-bit grey; 16-bit samples keep their upper byte instead of being clipped."""
    if image.mode.startswith(("I", "F")):
        samples = np.asarray(image).astype(np.float64)
        scale = 257.0 if samples.max(initial=0) > 255 else 1.0
        return np.clip(samples / scale, 0, 255).astype(np.uint8)
    return np.asarray(image.convert("L"))


def _is_single_colour(content: bytes) -> bool:
    """Look at every pixel of every band: equal greys may still be different colours."""
    with Image.open(io.BytesIO(content), formats=FORMATS) as image:
        pixels = np.asarray(image.convert("RGB") if image.mode in ("P", "PA", "CMYK") else image)
    flat = pixels.reshape(image.size[0] * image.size[1], -1)
    return bool((flat == flat[0]).all())
