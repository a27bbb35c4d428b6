"""Picture files, whole and broken, and how a number of pictures is shared out between splits."""

import io
from collections.abc import Callable
from pathlib import Path

from PIL import Image

QUALITY = 90

# What a download leaves behind where a picture is gone.
GONE_PAGE = b"<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head><body>Gone.</body></html>\n"


def encode_jpeg(image: Image.Image, quality: int = QUALITY) -> bytes:
    """Return the picture as JPEG bytes; equal pictures give equal bytes."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def make_empty(_whole: bytes) -> bytes:
    """Return a download that never began."""
    return b""


def make_truncated(whole: bytes) -> bytes:
    """Return a download that broke off at two fifths."""
    return whole[: len(whole) * 2 // 5]


def make_page(_whole: bytes) -> bytes:
    """Return a web page that was saved under a picture's name."""
    return GONE_PAGE


def make_placeholder(whole: bytes) -> bytes:
    """Return a grey picture of the same size, as hosts serve for pictures that they have banned."""
    with Image.open(io.BytesIO(whole)) as image:
        return encode_jpeg(Image.new("RGB", image.size, (204, 204, 204)))


# By the reason that the quarantine gives.
FAULTS: dict[str, Callable[[bytes], bytes]] = {
    "empty_file": make_empty,
    "truncated": make_truncated,
    "not_a_picture": make_page,
    "placeholder": make_placeholder,
}


def write_file(root: Path, path: str, content: bytes) -> None:
    """Write `content` to a path below `root`, making its folders."""
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)


def share_out(count: int, validation: float, test: float) -> list[str]:
    """Return the split of each of `count` (at least 3) pictures of an emotion: no split stays empty."""
    in_validation, in_test = max(1, round(count * validation)), max(1, round(count * test))
    in_train = count - in_validation - in_test
    return ["train"] * in_train + ["validation"] * in_validation + ["test"] * in_test


class Album:
    """Writes one dataset's pictures; the first picture of the k-th emotion gets the k-th planted fault."""

    def __init__(self, root: Path, faults: tuple[str, ...] = ()) -> None:
        """Write below `root`, breaking one picture for each of `faults` (keys of FAULTS)."""
        self.root, self.faults = root, faults
        self.pictures = 0
        self.rejected: dict[str, str] = {}

    def add(self, path: str, image: Image.Image, emotion_index: int, index: int, quality: int = QUALITY) -> bool:
        """Write the `index`-th picture of an emotion; tell whether it is whole."""
        content = encode_jpeg(image, quality)
        if index == 0 and emotion_index < len(self.faults):
            fault = self.faults[emotion_index]
            write_file(self.root, path, FAULTS[fault](content))
            self.rejected[path] = fault
            return False
        write_file(self.root, path, content)
        self.pictures += 1
        return True
