"""Decoding a picture into upright 8-bit RGB pixels.

Usual photographs go through libjpeg-turbo (simplejpeg), whose pixels are bit for bit Pillow's. CMYK and
EXIF-rotated JPEGs, and every other format, go through Pillow. Alpha is dropped, as `convert("RGB")` does.
"""

import io
import struct

import numpy as np
import numpy.typing as npt
import simplejpeg
from PIL import Image, ImageOps, UnidentifiedImageError

# Formats that photographs come in. Pillow's other plugins are not asked: some run external programs.
Image.init()  # or `open` knows only the most usual formats by name
FORMATS = tuple(name for name in ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "AVIF") if name in Image.OPEN)
LARGEST = 178_956_970  # pixels; above, Pillow speaks of a decompression bomb
FAST_COLOURS = {"YCbCr", "Gray", "RGB"}
ORIENTATION = 0x0112  # EXIF tag
START_OF_SCAN = 0xDA  # JPEG marker
# What Pillow raises for damaged files, over its formats.
DAMAGE = (OSError, SyntaxError, ValueError, EOFError, struct.error, LookupError, TypeError, OverflowError)

Pixels = npt.NDArray[np.uint8]


class UnreadablePictureError(Exception):
    """A picture has no pixels to give: `reason` for machines, the message for people."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def decode_picture(content: bytes, at_least: tuple[int, int] = (0, 0)) -> Pixels:
    """Return a picture's pixels, (H, W, 3) uint8 RGB, upright. Raises UnreadablePictureError.

    With `at_least` (height, width) a JPEG may come scaled down by libjpeg, to no less than that: faster, but other
    pixels than a whole decode and a resize give. (0, 0): as large as it is.
    """
    pixels = decode_photograph(content, at_least) if simplejpeg.is_jpeg(content) else None
    return pixels if pixels is not None else decode_by_pillow(content)


def decode_photograph(content: bytes, at_least: tuple[int, int] = (0, 0)) -> Pixels | None:
    """Decode an upright RGB or grey JPEG; None for one that Pillow must turn, convert or try to bear."""
    try:
        height, width, colours, _ = simplejpeg.decode_jpeg_header(content)
        if colours not in FAST_COLOURS or height * width > LARGEST or _may_be_rotated(content):
            return None
        pixels: Pixels = simplejpeg.decode_jpeg(
            content, "RGB", fastdct=False, fastupsample=False, min_height=at_least[0], min_width=at_least[1]
        )
    except ValueError:
        return None
    return pixels


def decode_by_pillow(content: bytes) -> Pixels:
    """Decode any picture through Pillow, turned as its EXIF says. Raises UnreadablePictureError."""
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
            if picture.width * picture.height > LARGEST:
                raise UnreadablePictureError("too_large", f"{picture.width} × {picture.height} pixels")
            picture.load()
            upright = ImageOps.exif_transpose(picture)
            return np.array(_eight_bit(upright).convert("RGB"))
    except UnidentifiedImageError as exc:
        raise UnreadablePictureError("undecodable", f"it is no {', '.join(FORMATS)} file") from exc
    except Image.DecompressionBombError as exc:
        raise UnreadablePictureError("too_large", str(exc)) from exc
    except DAMAGE as exc:
        reason = "truncated" if "truncated" in str(exc) else "undecodable"
        raise UnreadablePictureError(reason, str(exc) or type(exc).__name__) from exc


def _may_be_rotated(content: bytes) -> bool:
    """Tell whether EXIF or XMP asks for a rotation; reads metadata only where there is some."""
    header = _header(content)
    if b"Exif\0\0" not in header and b"rientation" not in header:
        return False
    try:
        with Image.open(io.BytesIO(content), formats=("JPEG",)) as picture:
            return bool(picture.getexif().get(ORIENTATION, 1) != 1)
    except DAMAGE:
        return True


def _header(content: bytes) -> bytes:
    """Return a JPEG's segments before its first scan; all of it where they can't be walked."""
    position = 2  # behind the start-of-image marker
    while content[position : position + 1] == b"\xff" and position + 4 <= len(content):
        if content[position + 1] == START_OF_SCAN:
            return content[:position]
        position += 2 + int.from_bytes(content[position + 2 : position + 4])
    return content


def _eight_bit(picture: Image.Image) -> Image.Image:
    """Bring 16-bit grey to 8 bits by its upper byte; Pillow's own conversion clips at 255."""
    if picture.mode != "I" and not picture.mode.startswith("I;16"):
        return picture
    values = np.asarray(picture)
    return Image.fromarray((values >> 8 if values.max(initial=0) > 255 else values).astype(np.uint8))
