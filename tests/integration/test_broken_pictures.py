"""A folder of a thousand pictures, thirty of them broken in ten ways, read through the asset `samples/fi`."""

import io
import struct
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pytest
from PIL import Image

from pipelines.definitions import build_defs
from tinyemo_data import settings, taxonomy
from tinyemo_data.features.decode import decode_picture
from tinyemo_data.sample import quarantine_key, read_quarantine, read_samples, samples_key
from tinyemo_data.store import Store

ALL, BROKEN = 1000, 30
EMOTIONS = taxonomy.get("mikels8").labels
SEED = 20


def scene(number: int, width: int = 40, height: int = 30) -> Image.Image:
    """Return a smooth picture that no other number has."""
    coarse = np.random.default_rng([SEED, number]).integers(0, 256, (3, 4, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BILINEAR)


def noise(number: int) -> Image.Image:
    """Return a picture whose coded data is long enough to be damaged in its middle."""
    return Image.fromarray(np.random.default_rng([SEED, number]).integers(0, 256, (96, 128, 3), dtype=np.uint8))


def encoded(image: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def animated(kind: str) -> bytes:
    return encoded(scene(0), kind, save_all=True, append_images=[scene(1), scene(2)])


def without_middle(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + content[middle + 500 :]


def overwritten(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes(range(256)) + content[middle + 256 :]


def huge_png() -> bytes:
    """Return a PNG of 70 bytes that claims 60,000 x 60,000 pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(9))) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def huge_jpeg() -> bytes:
    """Return a small JPEG whose frame header claims 60,000 x 60,000 pixels."""
    content = bytearray(encoded(scene(3)))
    frame = content.index(b"\xff\xc0") + 5  # marker, length, precision
    content[frame : frame + 4] = struct.pack(">HH", 60_000, 60_000)
    return bytes(content)


def huge_gif() -> bytes:
    content = bytearray(encoded(scene(4), "GIF"))
    content[6:10] = struct.pack("<HH", 60_000, 60_000)
    return bytes(content)


MP4 = b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41" + bytes(600)
HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(600)

# Ten ways of being broken, each in three files: the suffix and the bytes, or what a link names.
FAULTS: dict[str, list[tuple[str, bytes | str]]] = {
    "empty_file": [(".jpg", b""), (".png", b""), (".JPG", b"")],
    "truncated": [
        (".jpg", encoded(noise(1))[:-200]),
        (".png", encoded(noise(2), "PNG")[:4000]),
        (".webp", encoded(noise(3), "WEBP")[:900]),
    ],
    "not_a_picture": [(".jpg", b"<html>This photo is no longer available</html>"), (".jpg", MP4), (".txt", b"notes")],
    "unsupported_format": [
        (".jpg", encoded(scene(5), "AVIF")),
        (".jpg", HEIC),
        (".png", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
    ],
    "too_large": [(".png", huge_png()), (".jpg", huge_jpeg()), (".gif", huge_gif())],
    "animated": [(".gif", animated("GIF")), (".webp", animated("WEBP")), (".png", animated("PNG"))],
    "placeholder": [
        (".jpg", encoded(Image.new("RGB", (500, 375), (238, 238, 238)))),
        (".png", encoded(Image.new("RGB", (64, 64), "white"), "PNG")),
        (".gif", encoded(scene(6, 1, 1), "GIF")),
    ],
    "damaged": [
        (".jpg", without_middle(encoded(noise(4)))),
        (".png", overwritten(encoded(noise(5), "PNG"))),
        (".jpg", overwritten(encoded(noise(6)))),
    ],
    "outside_dataset": [(".jpg", "../../../secret.jpg"), (".jpg", "/etc/hostname"), (".jpg", "../../../secret.jpg")],
    "missing": [(".jpg", "removed.jpg"), (".png", "../fear/removed.png"), (".jpg", "")],
}


def turned() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright
    return encoded(scene(10, 60, 20), exif=exif.tobytes())


def deep() -> bytes:
    grey = np.asarray(scene(11).convert("L")).astype(np.uint16) * 257
    return encoded(Image.fromarray(grey), "PNG")


# Odd, and no fault: how each is laid out, and its upright (width, height).
ODD: dict[str, tuple[Callable[[], bytes], tuple[int, int]]] = {
    "cmyk.jpg": (lambda: encoded(scene(12).convert("CMYK")), (40, 30)),
    "sixteen bits.png": (deep, (40, 30)),
    "turned.jpg": (turned, (20, 60)),
    "png named so.jpg": (lambda: encoded(scene(13), "PNG"), (40, 30)),
    "jpeg_named_so.png": (lambda: encoded(scene(14)), (40, 30)),
    "GREY.JPG": (lambda: encoded(scene(15).convert("L")), (40, 30)),
    "progressive.jpeg": (lambda: encoded(scene(16), progressive=True), (40, 30)),
    "transparent.png": (lambda: encoded(scene(17).convert("RGBA"), "PNG"), (40, 30)),
    "still.gif": (lambda: encoded(scene(18), "GIF"), (40, 30)),
    "two eyes.jpg": (lambda: encoded(scene(19), "MPO", save_all=True, append_images=[scene(20)]), (40, 30)),
    "käse.jpg": (lambda: encoded(scene(21)) + b"bytes behind the end", (40, 30)),
}


@dataclass(frozen=True)
class Laid:
    """FI as it was laid out, and what should come of it."""

    chosen: settings.Settings
    folder: Path  # of the emotions
    reasons: dict[str, str]  # of each broken file, by its path


@pytest.fixture(scope="module")
def laid(tmp_path_factory: pytest.TempPathFactory) -> Laid:
    base = tmp_path_factory.mktemp("broken")
    folder = base / "raw" / "fi" / "emotion_dataset"
    for emotion in EMOTIONS:
        (folder / emotion).mkdir(parents=True)
    (base / "raw" / "secret.jpg").write_bytes(encoded(scene(30)))
    reasons = lay_broken(folder)
    for name, (content, _) in ODD.items():
        (folder / "contentment" / name).write_bytes(content())
    (folder / "awe" / "link that stays.jpg").symlink_to("../contentment/turned.jpg")
    for number in range(ALL - BROKEN - len(ODD) - 1):
        (folder / EMOTIONS[number % 8] / f"{number}.jpg").write_bytes(encoded(scene(1000 + number)))
    return Laid(profile(base), folder, reasons)


def lay_broken(folder: Path) -> dict[str, str]:
    """Lay the broken files among the emotions; return the reason of each by its path."""
    reasons: dict[str, str] = {}
    for reason, variants in FAULTS.items():
        for number, (suffix, content) in enumerate(variants):
            path = folder / EMOTIONS[len(reasons) % 8] / f"{reason}{number}{suffix}"
            if isinstance(content, bytes):
                path.write_bytes(content)
            else:
                path.symlink_to(content or path.name)
            reasons[path.relative_to(folder.parent).as_posix()] = reason
    return reasons


def profile(base: Path) -> settings.Settings:
    """Return a profile of real pictures whose one dataset is FI."""
    own = settings.load("emotion6").model_dump() | {"raw": f"{base}/raw", "store": f"{base}/store"}
    own["datasets"] = {"fi": {}}
    own["projector"]["train_on"] = own["evaluation"]["datasets"] = ["fi"]
    own["synthesis"] = {"sets": {}}
    return settings.Settings(**own)


def materialize_samples(chosen: settings.Settings) -> dg.ExecuteInProcessResult:
    job = build_defs(chosen).resolve_implicit_global_asset_job_def()
    return job.execute_in_process(asset_selection=[dg.AssetKey(["samples", "fi"])], raise_on_error=False)


@pytest.fixture(scope="module")
def result(laid: Laid) -> dg.ExecuteInProcessResult:
    return materialize_samples(laid.chosen)


def test_ingest_gives_970_rows_and_30_quarantined_for_ten_reasons_when_30_of_1000_are_broken(
    laid: Laid, result: dg.ExecuteInProcessResult
) -> None:
    assert result.success
    store = Store(laid.chosen.store)
    rows, apart = read_samples(store, "fi"), read_quarantine(store, "fi")
    assert (len(rows), len(apart)) == (ALL - BROKEN, BROKEN)
    assert dict(apart.select("path", "reason").iter_rows()) == laid.reasons
    assert Counter(apart["reason"]) == dict.fromkeys(FAULTS, 3) and len(FAULTS) == 10


def test_every_file_is_a_row_of_the_samples_or_of_the_quarantine(laid: Laid, result: dg.ExecuteInProcessResult) -> None:
    store = Store(laid.chosen.store)
    told = [*read_samples(store, "fi")["image_path"], *read_quarantine(store, "fi")["path"]]
    there = [path.relative_to(laid.folder.parent).as_posix() for path in laid.folder.glob("*/*")]
    assert sorted(told) == sorted(there) and len(told) == ALL


def test_quarantine_tells_people_what_was_found_and_nothing_of_this_machine(
    laid: Laid, result: dg.ExecuteInProcessResult
) -> None:
    details = read_quarantine(Store(laid.chosen.store), "fi")["detail"].to_list()
    assert all(len(detail) > 5 for detail in details)
    assert not any(str(laid.folder.parents[2]) in detail for detail in details)


def test_check_nothing_quarantined_warns_with_the_count_of_each_reason(result: dg.ExecuteInProcessResult) -> None:
    (check,) = [c for c in result.get_asset_check_evaluations() if c.check_name == "nothing_quarantined"]
    assert not check.passed and check.severity == dg.AssetCheckSeverity.WARN
    assert check.metadata["quarantined"].value == BROKEN
    assert check.metadata["reasons"].value == dict.fromkeys(FAULTS, 3)


def test_asset_tells_how_many_rows_and_how_many_were_kept_apart(result: dg.ExecuteInProcessResult) -> None:
    (event,) = result.asset_materializations_for_node("samples__fi")
    assert event.metadata["dagster/row_count"].value == ALL - BROKEN
    assert event.metadata["quarantined"].value == BROKEN


@pytest.mark.parametrize("name", ODD)
def test_odd_picture_is_a_sample_with_its_upright_size_and_pixels_for_the_encoder(
    laid: Laid, result: dg.ExecuteInProcessResult, name: str
) -> None:
    rows = read_samples(Store(laid.chosen.store), "fi")
    (row,) = rows.filter(rows["image_path"] == f"emotion_dataset/contentment/{name}").to_dicts()
    width, height = ODD[name][1]
    assert (row["width"], row["height"], row["emotion"]) == (width, height, "contentment")
    pixels = decode_picture((laid.folder / "contentment" / name).read_bytes())
    assert pixels.shape == (height, width, 3) and pixels.std() > 1


def test_link_that_stays_in_the_dataset_is_a_row_with_the_bytes_of_what_it_names(
    laid: Laid, result: dg.ExecuteInProcessResult
) -> None:
    rows = read_samples(Store(laid.chosen.store), "fi")
    digest_of = dict(rows.select("image_path", "sha256").iter_rows())
    link, named = "emotion_dataset/awe/link that stays.jpg", "emotion_dataset/contentment/turned.jpg"
    assert digest_of[link] == digest_of[named]


def test_second_run_gives_byte_identical_tables(laid: Laid, result: dg.ExecuteInProcessResult) -> None:
    store = Store(laid.chosen.store)
    before = [store.digest(key("fi")) for key in (samples_key, quarantine_key)]
    assert materialize_samples(laid.chosen).success
    assert [store.digest(key("fi")) for key in (samples_key, quarantine_key)] == before
