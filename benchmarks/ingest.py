"""Ingest of many small files: time that grows with their number, and memory that does not, beyond the table.

    python -m benchmarks.ingest [--sizes 10000 100000 300000]

Distinct JPEGs of 64 × 64 pixels in WEBEmo's layout, written to a temporary folder and read warm; each size in a
fresh process, to the written tables. Gates: above 1,000 files a second on two cores, time a file at most 1.5 times
as long at the largest size as at the smallest, and a peak of memory that 5 tables and 64 MB suffice for (columns
in the making, the sorted and the checked table, what Parquet is written from): nothing else grows with the files.
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
from PIL import Image

from benchmarks.feature_reading import status_bytes
from tinyemo_data import sources, taxonomy
from tinyemo_data.ingest import ingest_into
from tinyemo_data.settings import DatasetSettings
from tinyemo_data.store import Store

SEED = 0
SIDE = 64
SIZES = [10_000, 100_000, 300_000]
SPLITS = ("train", "train", "train", "train", "train", "train", "train", "train", "validation", "test")
EMOTIONS = taxonomy.get("parrott25").labels
COMPARED = 1_000  # files that the alternative is measured on
TABLES, CONSTANT = 5, 64e6  # bytes


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
    """Ingest `root` in this process; return seconds, files, and bytes of the table and of peak memory above start."""
    before = status_bytes("VmRSS")
    began, processor = time.perf_counter(), time.process_time()
    found = ingest_into(Store(root.parent / "store"), sources.get("webemo"), root, DatasetSettings())
    return {
        "seconds": time.perf_counter() - began,
        "processor": time.process_time() - processor,
        "peak": status_bytes("VmHWM") - before,
        "files": len(found.samples) + len(found.quarantine),
        "kept_apart": len(found.quarantine),
        "table": found.samples.to_arrow().nbytes,
    }


def measure(root: Path) -> dict[str, float]:
    """Return `measure_here` of a fresh process."""
    command = [sys.executable, "-m", "benchmarks.ingest", "--here", str(root)]
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
        f"  peak {measured['peak'] / 1e6:.0f} MB above the start; the finished table has "
        f"{measured['table'] / 1e6:.0f} MB; kept apart: {measured['kept_apart']:.0f}"
    )


def verdict(found: list[dict[str, float]]) -> bool:
    """Print the gates over all sizes and tell whether they are met."""
    slowest = min(one["files"] / one["seconds"] for one in found)
    a_file = [one["seconds"] / one["files"] for one in found]
    growth = a_file[-1] / a_file[0]
    most = max(one["peak"] / (TABLES * one["table"] + CONSTANT) for one in found)
    gates = {
        f"slowest: {slowest:,.0f} files/s (gate: above 1,000)": slowest > 1_000,
        f"time a file, largest size to smallest: {growth:.2f} (gate: at most 1.5)": growth <= 1.5,
        f"peak over {TABLES} tables and {CONSTANT / 1e6:.0f} MB: {most:.2f} at most (gate: 1)": most <= 1,
    }
    for gate, passed in gates.items():
        print(f"  {gate} {'PASS' if passed else 'FAIL'}")
    return all(gates.values())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--here", type=Path, help="ingest this folder in this very process and print JSON")
    chosen = parser.parse_args()
    if chosen.here:
        print(orjson.dumps(measure_here(chosen.here)).decode())
        return 0
    found = []
    with tempfile.TemporaryDirectory(prefix="tinyemo-bench-") as folder:
        root, written = Path(folder) / "webemo", 0
        for size in sorted(chosen.sizes):
            write_files(root, written, size)
            written = size
            found.append(measure(root))
            report(size, found[-1], alternative(root))
    return 0 if verdict(found) else 1


if __name__ == "__main__":
    sys.exit(main())
