"""Ingest of many small files: time that grows with their number, and memory that does not.

    python -m benchmarks.ingest [--sizes 10000 100000 300000]

Distinct JPEGs of 64 × 64 pixels in WEBEmo's layout, written to a temporary folder and read warm; each size in a
fresh process, to the written tables. Then the sort alone, which is what memory hangs on, with as many rows in
random order: WEBEmo's own order is nearly that of the table. Gates: above 1,000 files a second on two cores, time a
file at most 1.5 times as long at the largest size as at the smallest, and peaks of memory (of the ingest, of the
sort) that are at most 64 MB higher at the largest size, where the table itself would take 98 MB. Most of that is
what allocators keep once they had it; what grows with the files is the first key and the place of each 128 rows
(about 2 bytes a row and sort, three sorts), and while merging 128 rows of each 8,192.
"""

import argparse
import hashlib
import io
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import imagehash
import numpy as np
import orjson
import polars as pl
import pyarrow.parquet as pq
from PIL import Image

from benchmarks.feature_reading import status_bytes
from tinyemo_data import sources, taxonomy
from tinyemo_data.external_sort import ExternalSort
from tinyemo_data.found_rows import BATCH
from tinyemo_data.ingest import ingest_into
from tinyemo_data.sample import samples_key
from tinyemo_data.settings import DatasetSettings
from tinyemo_data.store import Store

SEED = 0
SIDE = 64
SIZES = [10_000, 100_000, 300_000]
SPLITS = ("train", "train", "train", "train", "train", "train", "train", "train", "validation", "test")
EMOTIONS = taxonomy.get("parrott25").labels
COMPARED = 1_000  # files that the alternative is measured on
GROWTH = 64e6  # bytes


def write_files(root: Path, first: int, last: int) -> None:
    """Write the files `first` to `last`: one of 200 pictures each, and a comment that makes its bytes its own."""
    pictures = [picture(number) for number in range(200)]
    for split in set(SPLITS):
        for emotion in EMOTIONS:
            (root / split / emotion).mkdir(parents=True, exist_ok=True)
    for number in range(first, last):
        content = pictures[number % len(pictures)]
        comment = b"\xff\xfe\x00\x0a" + number.to_bytes(8, "big")
        emotion, split = EMOTIONS[number % 25], SPLITS[number // 25 % len(SPLITS)]
        (root / split / emotion / f"{number:08d}.jpg").write_bytes(content[:2] + comment + content[2:])


def picture(number: int) -> bytes:
    """Return a small smooth JPEG."""
    coarse = np.random.default_rng([SEED, number]).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(coarse).resize((SIDE, SIDE)).save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


def measure_here(root: Path) -> dict[str, float]:
    """Ingest `root` in this process; return seconds, files, and bytes of peak memory above the start."""
    before = status_bytes("VmRSS")
    began, processor = time.perf_counter(), time.process_time()
    found = ingest_into(Store(root.parent / "store"), sources.get("webemo"), root, DatasetSettings())
    return {
        "seconds": time.perf_counter() - began,
        "processor": time.process_time() - processor,
        "peak": status_bytes("VmHWM") - before,
        "files": found.rows + found.kept_apart,
        "kept_apart": found.kept_apart,
    }


def sort_here(table: Path, size: int) -> dict[str, float]:
    """Sort `size` rows that come in random order, in this process; return seconds and bytes of peak memory."""
    # One row group: what the whole table took would stay with the process, and hide the sort's own peak.
    batch, drawn = pl.DataFrame(pq.ParquetFile(table).read_row_group(0)), np.random.default_rng(SEED)
    before, began = status_bytes("VmRSS"), time.perf_counter()
    with ExternalSort(("sample_id",)) as rows:
        for start in range(0, size, BATCH):
            part = batch.head(size - start)
            numbers = pl.Series(drawn.integers(0, 1 << 40, len(part))).cast(pl.String)
            rows.add(part.with_columns(sample_id="webemo/train/" + numbers))
        given = sum(map(len, rows.in_order()))
    seconds = time.perf_counter() - began
    return {"seconds": seconds, "files": given, "peak": status_bytes("VmHWM") - before}


def measure(*arguments: str | Path | int) -> dict[str, float]:
    """Return what this benchmark measures in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.ingest", *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    measured: dict[str, float] = orjson.loads(result.stdout)
    return measured


def alternative(root: Path) -> float:
    """Return seconds a file of the plain loop: Pillow decodes, hashlib hashes, imagehash hashes."""
    paths = sorted((root / "train").rglob("*.jpg"))[:COMPARED]
    began = time.perf_counter()
    for path in paths:
        hashlib.sha256(path.read_bytes()).hexdigest()
        with Image.open(path) as image:
            image.load()
            str(imagehash.phash(image))
    return (time.perf_counter() - began) / len(paths)


def report(size: int, measured: dict[str, float], plain: float) -> None:
    """Print one size's line."""
    a_file = measured["seconds"] / measured["files"]
    print(
        f"N={size:,}: {1 / a_file:,.0f} files/s, {measured['seconds']:.1f} s (processor {measured['processor']:.1f} s)"
    )
    print(
        f"  {plain / a_file:.1f} times as fast as Pillow, hashlib and imagehash in a loop "
        f"({1 / plain:,.0f}/s over {COMPARED} of the files)"
    )
    print(
        f"  peak {measured['peak'] / 1e6:.0f} MB above the start; in memory the whole table has "
        f"{measured['table'] / 1e6:.0f} MB; kept apart: {measured['kept_apart']:.0f}"
    )
    print(
        f"  the sort alone, rows in random order: {measured['sort_seconds']:.1f} s, "
        f"peak {measured['sort_peak'] / 1e6:.0f} MB above the start"
    )


def verdict(found: list[dict[str, float]]) -> bool:
    """Print the gates over all sizes and tell whether they are met."""
    slowest = min(one["files"] / one["seconds"] for one in found)
    a_file = [one["seconds"] / one["files"] for one in found]
    longer = a_file[-1] / a_file[0]
    gates = {
        f"slowest: {slowest:,.0f} files/s (gate: above 1,000)": slowest > 1_000,
        f"time a file, largest size to smallest: {longer:.2f} (gate: at most 1.5)": longer <= 1.5,
    }
    for name, key in (("ingest", "peak"), ("sort", "sort_peak")):
        more = found[-1][key] - found[0][key]
        told = f"peak of the {name}, largest size less smallest: {more / 1e6:.0f} MB"
        gates[f"{told} (gate: at most {GROWTH / 1e6:.0f})"] = more <= GROWTH
    for gate, passed in gates.items():
        print(f"  {gate} {'PASS' if passed else 'FAIL'}")
    return all(gates.values())


def measure_size(root: Path, size: int) -> dict[str, float]:
    """Return all figures of one size: the ingest's, the table's, the sort's."""
    table = root.parent / "store" / samples_key("webemo")
    ingested = measure("--here", root)
    sort = measure("--sort", table, "--sizes", size)
    return ingested | {
        "table": float(pl.read_parquet(table).to_arrow().nbytes),
        "sort_seconds": sort["seconds"],
        "sort_peak": sort["peak"],
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--here", type=Path, help="ingest this folder in this very process and print JSON")
    parser.add_argument("--sort", type=Path, help="sort rows like this table's in this very process and print JSON")
    chosen = parser.parse_args()
    if chosen.here or chosen.sort:
        told = measure_here(chosen.here) if chosen.here else sort_here(chosen.sort, chosen.sizes[0])
        print(orjson.dumps(told).decode())
        return 0
    found = []
    with tempfile.TemporaryDirectory(prefix="tinyemo-bench-") as folder:
        root, written = Path(folder) / "webemo", 0
        for size in sorted(chosen.sizes):
            write_files(root, written, size)
            written = size
            found.append(measure_size(root, size))
            report(size, found[-1], alternative(root))
    return 0 if verdict(found) else 1


if __name__ == "__main__":
    sys.exit(main())
