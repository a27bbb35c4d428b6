"""Pictures' heads are read as Pillow reads them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.synthesis.rehearsal.pictures import encode_picture
from tinyemo_data.synthesis.rehearsal.picture import picture_tokens, read_head

WAYS = [
    ("JPEG", {}),
    ("JPEG", {"progressive": True}),
    ("JPEG", {"exif": b"Exif\0\0" + b"x" * 20_000}),
    ("PNG", {}),
    ("GIF", {}),
    ("WEBP", {}),
    ("WEBP", {"lossless": True}),
    ("WEBP", {"exif": b"Exif\0\0" + b"x" * 50}),
]


@given(width=st.integers(1, 120), height=st.integers(1, 120), way=st.sampled_from(WAYS))
@settings(max_examples=40, deadline=None)
def test_kind_and_size_are_read(width: int, height: int, way: tuple[str, dict[str, object]]) -> None:
    kind, how = way
    head = read_head(encode_picture(kind, width, height, **how))
    assert head is not None
    assert (head.kind, head.width, head.height) == (kind, width, height)


@given(content=st.binary(max_size=60), start=st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a"]))
def test_any_bytes_have_a_head_or_none(content: bytes, start: bytes) -> None:
    head = read_head(start + content)
    assert head is None or head.kind in ("JPEG", "PNG", "GIF", "WEBP")


@pytest.mark.parametrize(
    ("size", "tokens"), [((28, 28), 1), ((29, 28), 2), ((512, 384), 19 * 14), ((1, 1), 1), ((8_000, 8_000), 4_784)]
)
def test_a_token_is_a_patch_of_28_pixels(size: tuple[int, int], tokens: int) -> None:
    assert picture_tokens(*size) == tokens
