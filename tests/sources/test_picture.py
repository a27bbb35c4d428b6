import hashlib
import io
import os
import struct
import zlib
from pathlib import Path

import imagehash
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from tinyemo_data.sources import jpeg, picture
from tinyemo_data.sources.flaw import Flaw
from tinyemo_data.sources.phash import perceptual_hash
from tinyemo_data.sources.picture import PictureFacts, inspect_picture

SUPPRESSED = [HealthCheck.function_scoped_fixture]


def _scene(width: int = 90, height: int = 60, seed: int = 0) -> Image.Image:
    """Return a smooth random picture: low frequencies that a hash can hold on to."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 9, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


def _encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _inspect(tmp_path: Path, content: bytes, name: str = "1.jpg") -> PictureFacts | Flaw:
    path = tmp_path / name
    path.write_bytes(content)
    return inspect_picture(path)


def _facts(found: PictureFacts | Flaw) -> PictureFacts:
    assert isinstance(found, PictureFacts), found
    return found


def _reason(found: PictureFacts | Flaw) -> str:
    assert isinstance(found, Flaw), found
    assert found.detail
    return found.reason


def _distance(first: str, second: str) -> int:
    return (int(first, 16) ^ int(second, 16)).bit_count()


def test_phash_is_within_two_bits_of_imagehash_on_every_oasis_photograph(shared_data: Path) -> None:
    paths = sorted((shared_data / "oasis" / "images").glob("*.jpg"))
    assert len(paths) == 274
    for path in paths:
        facts = _facts(inspect_picture(path))
        with Image.open(path) as image:
            assert _distance(facts.phash, str(imagehash.phash(image))) <= 2, path.name
            assert (facts.width, facts.height) == image.size
        assert facts.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("seed", range(5))
def test_phash_equals_imagehash_when_nothing_is_lost(seed: int) -> None:
    grey = _scene(seed=seed).convert("L")
    assert perceptual_hash(np.asarray(grey)) == str(imagehash.phash(grey))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_inspect_turns_the_picture_upright(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = _encoded(_scene(96, 64), "JPEG", quality=95, exif=exif.tobytes())
    facts = _facts(_inspect(tmp_path, content))
    with Image.open(io.BytesIO(content)) as stored:
        upright = ImageOps.exif_transpose(stored)
    assert (facts.width, facts.height) == upright.size
    assert _distance(facts.phash, str(imagehash.phash(upright))) <= 2


@pytest.mark.parametrize("exif", [b"Exif\0\0garbage", b"Exif\0\0II*\0\xff\xff\xff\xff"], ids=["text", "offset"])
def test_inspect_keeps_the_picture_when_its_exif_is_damaged(tmp_path: Path, exif: bytes) -> None:
    assert _facts(_inspect(tmp_path, _encoded(_scene(), "JPEG", exif=exif))).width == 90


KINDS = {
    "jpeg": _encoded(_scene(), "JPEG", quality=90),
    "progressive": _encoded(_scene(), "JPEG", progressive=True),
    "png": _encoded(_scene(), "PNG"),
    "gif": _encoded(_scene(), "GIF"),
    "bmp": _encoded(_scene(), "BMP"),
    "webp": _encoded(_scene(), "WEBP"),
    "tiff": _encoded(_scene(), "TIFF"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_inspect_reads_each_format_by_content_whatever_its_suffix(tmp_path: Path, kind: str) -> None:
    facts = _facts(_inspect(tmp_path, KINDS[kind], "named.png" if kind != "png" else "named.jpg"))
    assert (facts.width, facts.height) == (90, 60)
    assert _distance(facts.phash, str(imagehash.phash(_scene()))) <= 4


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9], ids=["30%", "60%", "90%"])
@pytest.mark.parametrize("kind", KINDS)
def test_inspect_reports_truncated_when_the_end_is_cut_off(tmp_path: Path, kind: str, kept: float) -> None:
    content = KINDS[kind]
    assert _reason(_inspect(tmp_path, content[: int(len(content) * kept)])) == "truncated"


@pytest.mark.parametrize("missing", [1, 2, 10])
@pytest.mark.parametrize("kind", ["jpeg", "progressive"])
def test_inspect_reports_truncated_when_a_jpeg_lacks_its_last_bytes(tmp_path: Path, kind: str, missing: int) -> None:
    assert _reason(_inspect(tmp_path, KINDS[kind][:-missing])) == "truncated"


def test_inspect_reports_truncated_when_a_broken_download_was_filled_with_zeros(tmp_path: Path) -> None:
    content = KINDS["jpeg"]
    half = len(content) // 2
    assert _reason(_inspect(tmp_path, content[:half] + bytes(half))) == "truncated"


def test_inspect_tolerates_bytes_behind_the_end_of_a_jpeg(tmp_path: Path) -> None:
    assert _facts(_inspect(tmp_path, KINDS["jpeg"] + b"trailing words")).width == 90


def test_inspect_reports_damaged_when_a_png_has_a_wrong_checksum(tmp_path: Path) -> None:
    content = bytearray(KINDS["png"])
    content[content.index(b"IDAT") + 30] ^= 0xFF
    assert _reason(_inspect(tmp_path, bytes(content))) == "damaged"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty_file"),
        (b"<html>404 Not Found</html>", "not_a_picture"),
        (b"{\\rtf1\\ansi ArtPhoto}", "not_a_picture"),
        (b"\xff\xd8\xff\xe0", "truncated"),
        (b"\0" * 4096, "not_a_picture"),
        (b"RIFF\x24\x08\0\0WAVEfmt ", "not_a_picture"),
        (b"\0\0\0\x20ftypisom\0\0\2\0isomiso2mp41", "not_a_picture"),
    ],
    ids=["empty", "html", "rtf", "four-bytes-of-jpeg", "zeros", "wave", "mp4"],
)
def test_inspect_reports_the_reason_when_the_content_is_no_picture(tmp_path: Path, content: bytes, reason: str) -> None:
    assert _reason(_inspect(tmp_path, content)) == reason


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (_encoded(_scene(), "PPM"), "PPM"),
        (_encoded(_scene(), "EPS"), "PostScript"),
        (_encoded(_scene(), "JPEG2000"), "JPEG 2000"),
        (_encoded(_scene(), "AVIF"), "AVIF"),
        (_encoded(_scene(), "ICO"), "ICO"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        (b"8BPS\0\1\0\0\0\0\0\0\0\3", "Photoshop"),
        (b'<?xml version="1.0"?>\n<!-- drawn -->\n<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_inspect_names_the_format_when_it_is_a_picture_that_is_not_read(
    tmp_path: Path, content: bytes, named: str
) -> None:
    found = _inspect(tmp_path, content)
    assert _reason(found) == "unsupported_format"
    assert isinstance(found, Flaw) and f"format {named}: convert it" in found.detail


def _photograph(**options: object) -> bytes:
    """Return a JPEG of noise, whose coded data is long enough to be damaged in its middle."""
    pixels = np.random.default_rng(5).integers(0, 256, (160, 240, 3), dtype=np.uint8)
    return _encoded(Image.fromarray(pixels), "JPEG", quality=90, **options)


EXIF = Image.Exif()
EXIF[0x0112] = 6


@pytest.mark.parametrize("exif", [b"", EXIF.tobytes()], ids=["plain", "turned"])
def test_inspect_reports_damaged_when_a_stretch_of_a_jpeg_is_missing(tmp_path: Path, exif: bytes) -> None:
    content = _photograph(exif=exif)
    middle = len(content) // 2
    cut = content[:middle] + content[middle + 700 :]
    assert _reason(_inspect(tmp_path, cut)) == "damaged"
    with Image.open(io.BytesIO(cut)) as image:
        image.load()  # Pillow alone would take it, grey where pixels are lost


def _with_left_over(left_over: bytes) -> bytes:
    """Return a JPEG with more coded data than its pixels need: libjpeg passes over the rest."""
    content = KINDS["jpeg"]
    assert content.endswith(b"\xff\xd9")
    return content[:-2] + left_over + content[-2:]


@pytest.mark.parametrize("left_over", [b"\x01", bytes(2000), b"\x55" * 60], ids=["a-byte", "zeros", "under-64"])
def test_inspect_tolerates_padding_before_the_end_of_a_jpeg(tmp_path: Path, left_over: bytes) -> None:
    assert _facts(_inspect(tmp_path, _with_left_over(left_over))).width == 90


def test_inspect_reports_damaged_when_much_coded_data_is_left_over(tmp_path: Path) -> None:
    assert _reason(_inspect(tmp_path, _with_left_over(b"\x55" * 400))) == "damaged"


def test_inspect_gives_the_same_facts_with_and_without_pillow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fast = {kind: _inspect(tmp_path, content) for kind, content in KINDS.items()}
    monkeypatch.setattr(jpeg, "plain_size", lambda _: None)
    assert {kind: _inspect(tmp_path, content) for kind, content in KINDS.items()} == fast


def _png_header(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(9))) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [10_000, 40_000], ids=["over-ours", "over-pillows"])
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_inspect_reports_too_large_from_the_header_when_a_bomb_is_offered(tmp_path: Path, side: int) -> None:
    assert _reason(_inspect(tmp_path, _png_header(side, side))) == "too_large"


def test_inspect_reports_too_large_when_the_file_has_too_many_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture, "MAX_BYTES", 100)
    assert _reason(_inspect(tmp_path, KINDS["jpeg"])) == "too_large"


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF"])
def test_inspect_reports_animated_when_there_is_more_than_one_frame(tmp_path: Path, kind: str) -> None:
    content = _encoded(_scene(), kind, save_all=True, append_images=[_scene(seed=1)])
    assert _reason(_inspect(tmp_path, content)) == "animated"


def test_inspect_accepts_a_cameras_multi_picture_file(tmp_path: Path) -> None:
    content = _encoded(_scene(), "MPO", save_all=True, append_images=[_scene(seed=1)])
    assert _facts(_inspect(tmp_path, content)).width == 90


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF"])
def test_inspect_reports_placeholder_when_all_is_one_colour(tmp_path: Path, kind: str) -> None:
    assert _reason(_inspect(tmp_path, _encoded(Image.new("RGB", (64, 48), (200, 30, 30)), kind))) == "placeholder"


@pytest.mark.parametrize("size", [(15, 200), (200, 15), (1, 1)])
def test_inspect_reports_placeholder_when_a_side_is_under_sixteen_pixels(tmp_path: Path, size: tuple[int, int]) -> None:
    assert _reason(_inspect(tmp_path, _encoded(_scene(*size), "PNG"))) == "placeholder"


def test_inspect_accepts_two_colours_of_one_grey(tmp_path: Path) -> None:
    image = Image.new("RGB", (64, 48), (100, 0, 0))
    other = next(g for g in range(256) if Image.new("RGB", (1, 1), (0, g, 0)).convert("L").getpixel((0, 0)) == 30)
    image.paste((0, other, 0), (0, 0, 32, 48))
    assert len(set(image.convert("L").tobytes())) == 1
    assert _facts(_inspect(tmp_path, _encoded(image, "PNG"))).width == 64


def test_inspect_reads_sixteen_bit_samples_without_clipping(tmp_path: Path) -> None:
    grey = np.asarray(_scene().convert("L"))
    deep = Image.fromarray(grey.astype(np.uint16) * 257)
    facts = _facts(_inspect(tmp_path, _encoded(deep, "PNG")))
    assert facts.phash == perceptual_hash(grey)


def test_inspect_reads_cmyk_like_pillow(tmp_path: Path) -> None:
    content = _encoded(_scene().convert("CMYK"), "JPEG")
    with Image.open(io.BytesIO(content)) as image:
        expected = str(imagehash.phash(image))
    assert _facts(_inspect(tmp_path, content)).phash == expected


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA"])
def test_inspect_reads_every_mode_of_png(tmp_path: Path, mode: str) -> None:
    assert _facts(_inspect(tmp_path, _encoded(_scene().convert(mode), "PNG"))).height == 60


def test_inspect_reports_what_the_file_system_says(tmp_path: Path) -> None:
    (tmp_path / "folder.jpg").mkdir()
    (tmp_path / "loop.jpg").symlink_to("loop.jpg")
    os.mkfifo(tmp_path / "pipe.jpg")  # opening it would wait for ever
    assert _reason(inspect_picture(tmp_path / "none.jpg")) == "missing"
    assert _reason(inspect_picture(tmp_path / "folder.jpg" / "1.jpg")) == "missing"
    assert _reason(inspect_picture(tmp_path / "folder.jpg")) == "not_a_picture"
    assert _reason(inspect_picture(tmp_path / "pipe.jpg")) == "not_a_picture"
    assert _reason(inspect_picture(tmp_path / "loop.jpg")) == "unreadable"
    assert _reason(inspect_picture(tmp_path / ("x" * 300))) == "unreadable"
    assert _reason(inspect_picture(tmp_path / "a\0b.jpg")) == "unreadable"


def test_inspect_leaves_no_machine_path_in_its_detail(tmp_path: Path) -> None:
    for content in (b"", b"text", KINDS["png"][:100], KINDS["jpeg"][:-1], _png_header(40_000, 40_000)):
        found = _inspect(tmp_path, content)
        assert isinstance(found, Flaw)
        assert str(tmp_path) not in found.detail and "0x" not in found.detail


@settings(max_examples=150, deadline=None, suppress_health_check=SUPPRESSED)
@given(st.sampled_from(sorted(KINDS)), st.data())
def test_inspect_never_raises_when_bytes_are_changed_cut_or_inserted(
    tmp_path: Path, kind: str, data: st.DataObject
) -> None:
    content = bytearray(KINDS[kind])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
    found = _inspect(tmp_path, bytes(content))
    assert isinstance(found, PictureFacts) or found.reason


@settings(max_examples=150, deadline=None, suppress_health_check=SUPPRESSED)
@given(
    st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF", b"BM", b"II*\0", b"MM\0*"]),
    st.binary(),
)
def test_inspect_never_raises_on_any_bytes(tmp_path: Path, start: bytes, rest: bytes) -> None:
    assert _reason(_inspect(tmp_path, start + rest))
