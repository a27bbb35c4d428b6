"""Pictures as requests carry them: are they what they say, how large are they, how many tokens is that?"""

import base64
import binascii
import io
import math
import struct
from dataclasses import dataclass
from typing import Any

from PIL import Image, UnidentifiedImageError

from tinyemo_data.synthesis.rehearsal.api_error import ApiError, invalid

# https://platform.claude.com/docs/en/build-with-claude/vision: a token is a patch of 28 pixels a side; a larger picture
# is scaled down to 2,576 pixels and 4,784 tokens; more than 8,000 pixels or 5 MB are refused.
PATCH = 28
LONGEST_EDGE = 2_576
MOST_TOKENS = 4_784
REFUSED_EDGE = 8_000
REFUSED_BYTES = 5 * 1024 * 1024
MEDIA = {"image/jpeg": "JPEG", "image/png": "PNG", "image/gif": "GIF", "image/webp": "WEBP"}
HEADER = 8_192  # characters of base64 (a multiple of 4) in which a picture's size nearly always stands
UNSEEN = (1_024, 1_024)  # pixels that a picture behind a URL is taken to have: the rehearsal fetches nothing


@dataclass(frozen=True, slots=True)
class PictureHead:
    """What a picture's first bytes say."""

    kind: str  # a value of MEDIA
    width: int
    height: int


def picture_tokens(width: int, height: int) -> int:
    """Return the tokens of a picture of so many pixels."""
    scale = min(1.0, LONGEST_EDGE / max(width, height))
    return min(MOST_TOKENS, math.ceil(width * scale / PATCH) * math.ceil(height * scale / PATCH))


def source_tokens(source: Any, where: str, strict: bool, only_base64: bool = False) -> int:
    """Return the tokens of an image block's source. Raises ApiError where the service would refuse it."""
    kind = source.get("type") if isinstance(source, dict) else None
    if kind == "url" and not only_base64:
        if not str(source.get("url", "")).startswith(("http://", "https://")):
            raise invalid(f"{where}.url.url: URL must be a valid http or https URL")
        return picture_tokens(*UNSEEN)
    if kind == "file" and not only_base64:
        raise ApiError("not_found_error", f"File not found: {source.get('file_id')}")
    if kind != "base64":
        raise invalid(f"{where}: Input tag {kind!r} found using 'type' does not match any of the expected tags")
    if source.get("media_type") not in MEDIA:
        raise invalid(f"{where}.base64.media_type: Input should be {', '.join(map(repr, MEDIA))}")
    head = read_picture_data(source.get("data"), source["media_type"], f"{where}.base64", strict)
    return picture_tokens(head.width, head.height)


def read_picture_data(data: Any, media_type: str, where: str, strict: bool) -> PictureHead:
    """Return a base64 picture's head, checked against its media type. Raises ApiError in the service's words."""
    if not isinstance(data, str) or not data or len(data) % 4:
        raise invalid(f"{where}.data: The image was not provided as valid base64")
    if len(data) // 4 * 3 > REFUSED_BYTES:
        raise invalid(f"{where}: image exceeds 5 MB maximum: {len(data) // 4 * 3} bytes > {REFUSED_BYTES} bytes")
    head = read_head(_decode(data if strict else data[:HEADER], where))
    if head is None and not strict:
        head = read_head(_decode(data, where))
    if head is None or (strict and not _decodes(_decode(data, where))):
        raise invalid(f"{where}.data: Could not process image")
    if head.kind != MEDIA[media_type]:
        found = f"image/{head.kind.lower()}"
        raise invalid(f"{where}.data: The image was specified using the {media_type} media type, but is {found}")
    if max(head.width, head.height) > REFUSED_EDGE:
        raise invalid(f"{where}.data: At least one of the image dimensions exceed max allowed size: 8000 pixels")
    return head


def _decode(data: str, where: str) -> bytes:
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise invalid(f"{where}.data: The image was not provided as valid base64") from None


def _decodes(content: bytes) -> bool:
    try:
        with Image.open(io.BytesIO(content)) as picture:
            picture.load()
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError):
        return False
    return True


def read_head(content: bytes) -> PictureHead | None:
    """Return kind and size of a picture from its first bytes; None where they are no such picture's, or too few."""
    try:
        if content.startswith(b"\x89PNG\r\n\x1a\n"):
            return PictureHead("PNG", *struct.unpack(">II", content[16:24]))
        if content.startswith((b"GIF87a", b"GIF89a")):
            return PictureHead("GIF", *struct.unpack("<HH", content[6:10]))
        if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
            return PictureHead("WEBP", *_webp_size(content))
        if content.startswith(b"\xff\xd8\xff"):
            return PictureHead("JPEG", *_jpeg_size(content))
    except (struct.error, IndexError):
        return None
    return None


def _jpeg_size(content: bytes) -> tuple[int, int]:
    """Walk the segments to the frame header (ITU-T T.81, B.2.2): marker C0-CF but C4, C8 and CC."""
    at = 2
    while True:
        marker, length = content[at + 1], struct.unpack(">H", content[at + 2 : at + 4])[0]
        if marker == 0xFF:  # a fill byte
            at += 1
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", content[at + 5 : at + 9])
            return width, height
        else:
            at += 2 + length


def _webp_size(content: bytes) -> tuple[int, int]:
    """Read the size of a lossy, a lossless or an extended WebP (RFC 9649, sections 2.5 to 2.7)."""
    chunk = content[12:16]
    if chunk == b"VP8X":
        return 1 + int.from_bytes(content[24:27], "little"), 1 + int.from_bytes(content[27:30], "little")
    if chunk == b"VP8L":
        bits = struct.unpack("<I", content[21:25])[0]
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    width, height = struct.unpack("<HH", content[26:30])
    return width & 0x3FFF, height & 0x3FFF
