"""One picture file: is it whole, what is its size, and what are its two fingerprints?

Pictures are read by their content, whatever their suffix says. A flaw is a value, not an exception:
`ingest` puts it into the quarantine and goes on.
"""

import hashlib
import io
import os
import stat
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import simplejpeg
from PIL import Image, ImageOps

# Formats that pictures of these datasets come in; Pillow knows more, and some of them run programs (EPS).
FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF", "MPO")

MAX_PIXELS = 89_478_485  # Pillow's own threshold of suspicion: 256 MiB as 24-bit RGB
MAX_BYTES = 256 * 1024**2
MIN_SIDE = 16  # smaller ones are spacers and placeholders: no scene fits in
HASH_SIDE = 32
HASH_FREQUENCIES = 8
DRAFT_SIDE = 64  # a JPEG may be decoded as small as twice the hash's side: within 2 bits of a full decode

# Everything that Pillow's decoders raise on damaged bytes.
CODEC_ERRORS = (
    OSError, SyntaxError, ValueError, TypeError, EOFError, LookupError, ArithmeticError, AttributeError,
    AssertionError, RuntimeError, struct.error, zlib.error,
)  # fmt: skip
BOMBS = (Image.DecompressionBombError, Image.DecompressionBombWarning)

Grey = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class PictureFacts:
    """What a whole picture's bytes say."""

    sha256: str  # of the file's bytes, hex
    phash: str  # 64-bit perceptual hash of the upright picture, 16 hex digits
    width: int  # pixels, after EXIF rotation
    height: int


@dataclass(frozen=True)
class Flaw:
    """Why a file can't be a sample."""

    reason: str  # machine-readable
    detail: str  # for people; the same on every machine


def locate(root: Path, relative: str) -> Path | Flaw:
    """Return the file at `relative`, or the flaw `outside_dataset`; `root` has no links left in it."""
    real = os.path.realpath(root / relative)
    if real.startswith(f"{str(root).rstrip(os.sep)}{os.sep}"):
        return Path(real)
    return Flaw("outside_dataset", "a symbolic link or '..' leads outside the dataset's folder")


def inspect_picture(path: Path) -> PictureFacts | Flaw:
    """Decode the picture at `path` and return its facts, or the flaw for which it can't be used.

    Reasons: missing, unreadable, empty_file, not_a_picture, too_large, animated, truncated, damaged,
    placeholder. Placeholders are files under 16 pixels on a side and pictures of one single colour.
    """
    content = read_file(path)
    if isinstance(content, Flaw):
        return content
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            return _inspect_opened(image, content)
    except BOMBS:
        return Flaw("too_large", f"its header claims more than {MAX_PIXELS} pixels")
    except _PrematureEndError:
        return Flaw("truncated", f"the JPEG data ends early; the file has {len(content)} bytes")
    except CODEC_ERRORS:
        return _explain_failure(content)


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


def perceptual_hash(grey: Grey) -> str:
    """Return the 64-bit DCT hash of a grey picture (height, width), as 16 hex digits.

    The 8 × 8 lowest DCT-II frequencies of the picture at 32 × 32, each compared with their median
    (N. Krawetz, "Looks Like It", 2011); bit order and Lanczos resize are those of `imagehash.phash`.
    """
    return _hash_small(_shrink(grey))


def _inspect_opened(image: Image.Image, content: bytes) -> PictureFacts | Flaw:
    """Look at an opened picture whose pixels are not decoded yet: cheap checks on the header come first."""
    width, height = image.size
    if width * height > MAX_PIXELS:
        return Flaw("too_large", f"{width} × {height} pixels; at most {MAX_PIXELS} are decoded")
    # An MPO is a photograph with previews or a second eye; its first frame is the picture.
    if getattr(image, "is_animated", False) and image.format != "MPO":
        return Flaw("animated", "it holds more than one frame")
    small, upright = _decode(image, content)
    if min(upright) < MIN_SIDE:
        return Flaw("placeholder", f"{upright[0]} × {upright[1]} pixels; a side has at least {MIN_SIDE}")
    if small.min() == small.max() and _is_single_colour(content):
        return Flaw("placeholder", "all its pixels have one colour")
    return PictureFacts(hashlib.sha256(content).hexdigest(), _hash_small(small), *upright)


class _PrematureEndError(ValueError):
    """A JPEG's data ends before its last pixel, be it cut off or filled up with zeros."""


def _decode(image: Image.Image, content: bytes) -> tuple[Grey, tuple[int, int]]:
    """Decode all of the picture; return it upright at 32 × 32 grey, and its upright (width, height)."""
    if image.format in ("JPEG", "MPO") and image.mode in ("L", "RGB"):
        grey = _decode_jpeg_draft(content)
        if grey is not None:
            orientation = _orientation(image)
            size = image.size if orientation < 5 else image.size[::-1]
            return _rotate(_shrink(grey), orientation), size
    image.load()
    upright = ImageOps.exif_transpose(image)
    return _shrink(_to_grey(upright)), upright.size


def _decode_jpeg_draft(content: bytes) -> Grey | None:
    """Decode a JPEG's luma at reduced size; None where the strict decoder complains and Pillow may decide.

    All of the entropy-coded data is read, so that what is cut off is found.
    """
    try:
        decoded: Grey = simplejpeg.decode_jpeg(content, colorspace="GRAY", min_height=DRAFT_SIDE, min_width=DRAFT_SIDE)
    except ValueError as exc:
        if "Premature end" in str(exc):
            raise _PrematureEndError(str(exc)) from exc
        return None
    return decoded[:, :, 0]


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


def _shrink(grey: Grey) -> Grey:
    small = Image.fromarray(grey).resize((HASH_SIDE, HASH_SIDE), Image.Resampling.LANCZOS)
    return np.asarray(small)


def _dct_rows() -> npt.NDArray[np.float64]:
    """Return the lowest rows of the DCT-II matrix, (8, 32)."""
    frequency, sample = np.arange(HASH_FREQUENCIES)[:, None], np.arange(HASH_SIDE)[None]
    return np.asarray(np.cos(np.pi * frequency * (2 * sample + 1) / (2 * HASH_SIDE)))


_DCT = _dct_rows()


def _hash_small(small: Grey) -> str:
    frequencies = _DCT @ small.astype(np.float64) @ _DCT.T
    return np.packbits(frequencies > np.median(frequencies)).tobytes().hex()


def _is_single_colour(content: bytes) -> bool:
    """Look at every pixel of every band: equal greys may still be different colours."""
    with Image.open(io.BytesIO(content), formats=FORMATS) as image:
        pixels = np.asarray(image.convert("RGB") if image.mode in ("P", "PA", "CMYK") else image)
    flat = pixels.reshape(image.size[0] * image.size[1], -1)
    return bool((flat == flat[0]).all())


def _explain_failure(content: bytes) -> Flaw:
    """Tell apart what never was a picture, what was cut off, and what is damaged inside."""
    signature = next((kind for kind, start in _SIGNATURES if content.startswith(start)), None)
    if signature is None:
        return Flaw("not_a_picture", f"{len(content)} bytes that begin like no format of {', '.join(FORMATS)}")
    if _is_cut(signature, content):
        return Flaw("truncated", f"the {signature} data ends early; the file has {len(content)} bytes")
    return Flaw("damaged", f"the {signature} data can't be decoded; the file has {len(content)} bytes")


_SIGNATURES = (
    ("JPEG", b"\xff\xd8\xff"),
    ("PNG", b"\x89PNG\r\n\x1a\n"),
    ("GIF", b"GIF8"),
    ("WEBP", b"RIFF"),
    ("BMP", b"BM"),
    ("TIFF", b"II*\0"),
    ("TIFF", b"MM\0*"),
)


def _is_cut(signature: str, content: bytes) -> bool:
    """Tell whether the format's end mark is missing or its header announces more bytes than there are."""
    if signature == "JPEG":
        return not content.rstrip(b"\0").endswith(b"\xff\xd9")
    if signature == "PNG":
        return b"IEND" not in content[-32:]
    if signature == "GIF":
        return not content.rstrip(b"\0").endswith(b";")
    if signature == "WEBP":
        return len(content) < 12 or int.from_bytes(content[4:8], "little") + 8 > len(content)
    if signature == "BMP":
        return len(content) < 26 or int.from_bytes(content[2:6], "little") > len(content)
    return True  # a TIFF's directory and strips may lie anywhere: what can't be reached was cut off
