"""JPEGs without Pillow: most pictures are plain ones, and their luma at reduced size is all that ingest needs.

The whole of the entropy-coded data is read, so that what was cut off or overwritten is found; only the
inverse transform is done at a smaller size.
"""

import re

import numpy as np
import simplejpeg

from tinyemo_data.sources.phash import HASH_SIDE, Grey

# Decoded as small as twice the hash's side: the hash is within 2 bits of a full decode's.
DRAFT_SIDE = 2 * HASH_SIDE
COLOURS = {"YCbCr", "Gray", "RGB"}  # CMYK and YCCK are Pillow's
# libjpeg's warnings when pixels are missing: Pillow passes over them and paints grey.
LOST = re.compile("premature end of data segment|bad Huffman code|instead of RST")
LEFT_OVER = re.compile("([0-9]+) extraneous bytes before marker 0xd9")
# Coded bytes that are left when the last pixel is reached: more than these are blocks that were skipped.
TOLERATED = 64


class PrematureEndError(ValueError):
    """A JPEG's data ends before its last pixel, be it cut off or filled up with zeros."""


class DamagedDataError(ValueError):
    """A part of a JPEG's data can't be decoded: some of its pixels are not the picture's."""


def plain_size(content: bytes) -> tuple[int, int] | None:
    """Return the (width, height) of an upright grey or RGB JPEG; None for everything else, which Pillow opens."""
    if not simplejpeg.is_jpeg(content) or b"Exif\0\0" in content or b"rientation" in content:
        return None
    try:
        height, width, colours, _ = simplejpeg.decode_jpeg_header(content)
    except ValueError:
        return None
    return (width, height) if colours in COLOURS else None


def decode_draft(content: bytes) -> Grey | None:
    """Decode a JPEG's luma at reduced size, 64 pixels a side or more where it has them, (height, width) uint8.

    None where the strict decoder complains of what may be harmless, and Pillow may decide. Raises
    PrematureEndError or DamagedDataError where pixels are lost.
    """
    try:
        decoded: Grey = simplejpeg.decode_jpeg(content, colorspace="GRAY", min_height=DRAFT_SIDE, min_width=DRAFT_SIDE)
    except ValueError as exc:
        complaint = str(exc)
        if "Premature end" in complaint:
            raise PrematureEndError(complaint) from exc
        if LOST.search(complaint) or _skipped(complaint, content):
            raise DamagedDataError(complaint) from exc
        return None
    return np.asarray(decoded[:, :, 0])


def _skipped(complaint: str, content: bytes) -> bool:
    """Tell whether bytes before the end mark are skipped blocks and no padding with zeros."""
    left = LEFT_OVER.search(complaint)
    if left is None or int(left[1]) <= TOLERATED:
        return False
    return not content[: content.rfind(b"\xff\xd9")].endswith(bytes(int(left[1])))
