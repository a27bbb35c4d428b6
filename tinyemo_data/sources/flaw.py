"""Why a file can't be a sample: told from its first and last bytes, where no decoder could read it."""

import re
from dataclasses import dataclass

# Formats that pictures of these datasets come in; Pillow knows more, and some of them run programs (EPS).
FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF")  # an MPO is opened as the JPEG that it begins with


@dataclass(frozen=True)
class Flaw:
    """Why a file can't be a sample."""

    reason: str  # machine-readable
    detail: str  # for people; the same on every machine


def explain_failure(content: bytes) -> Flaw:
    """Tell apart what never was a picture, what no decoder here reads, what was cut off, and what is damaged."""
    kind = _kind(content, _SIGNATURES)
    if kind is None:
        other = _kind(content, _UNSUPPORTED)
        if other is not None:
            return Flaw("unsupported_format", f"it is a picture in the format {other}: convert it to JPEG or PNG")
        return Flaw("not_a_picture", f"{len(content)} bytes that begin like no format of {', '.join(FORMATS)}")
    if _is_cut(kind, content):
        return Flaw("truncated", f"the {kind} data ends early; the file has {len(content)} bytes")
    return Flaw("damaged", f"the {kind} data can't be decoded; the file has {len(content)} bytes")


def _kind(content: bytes, signatures: dict[str, re.Pattern[bytes]]) -> str | None:
    return next((kind for kind, start in signatures.items() if start.match(content)), None)


_SIGNATURES = {
    "JPEG": re.compile(rb"\xff\xd8\xff"),
    "PNG": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "GIF": re.compile(rb"GIF8"),
    "WEBP": re.compile(rb"RIFF....WEBP", re.DOTALL),
    "BMP": re.compile(rb"BM"),
    "TIFF": re.compile(rb"II\*\0|MM\0\*"),
}
# Formats that people save pictures in, and that nobody distributes these datasets in.
_UNSUPPORTED = {
    "AVIF": re.compile(rb"....ftypavi[fs]", re.DOTALL),
    "HEIC": re.compile(rb"....ftyp(hei[cxms]|hev[cxms]|mif1|msf1)", re.DOTALL),
    "JPEG 2000": re.compile(rb"\0\0\0\x0cjP  \r\n|\xff\x4f\xff\x51"),
    "JPEG XL": re.compile(rb"\0\0\0\x0cJXL \r\n|\xff\x0a"),
    "Photoshop": re.compile(rb"8BPS"),
    "PostScript": re.compile(rb"%!PS-Adobe"),
    "PPM": re.compile(rb"P[1-6]\s+[0-9#]"),
    "SVG": re.compile(rb"\s*(<\?xml[^>]*>\s*)?(<!--.{0,400}?-->\s*)?(<!DOCTYPE svg[^>]*>\s*)?<svg[\s>]", re.DOTALL),
    "ICO": re.compile(rb"\0\0[\x01\x02]\0[^\0]\0"),
}


def _is_cut(signature: str, content: bytes) -> bool:
    """Tell whether the format's end mark is missing or its header announces more bytes than there are."""
    if signature == "JPEG":
        return not content.rstrip(b"\0").endswith(b"\xff\xd9")
    if signature == "PNG":
        return b"IEND" not in content[-32:]
    if signature == "GIF":
        return not content.rstrip(b"\0").endswith(b";")
    if signature == "WEBP":
        return int.from_bytes(content[4:8], "little") + 8 > len(content)
    if signature == "BMP":
        return len(content) < 26 or int.from_bytes(content[2:6], "little") > len(content)
    return True  # a TIFF's directory and strips may lie anywhere: what can't be reached was cut off
