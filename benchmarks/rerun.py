"""Filling the feature cache again: what costs time when nothing, or one picture in a hundred, has changed.

    python -m benchmarks.rerun [--pictures 548]

Crops of OASIS's photographs (TINYEMO_SHARED) in FI's layout, a real open_clip architecture with random weights.
The alternative is the first run, which encodes everything. Gates: a rerun takes below 2 % of it, and after 1 %
of the pictures are renamed, changed or added, the encoder sees those alone whose bytes are new.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from tinyemo_data import sources, taxonomy
from tinyemo_data.features.cache import FillReport, fill_feature_cache
from tinyemo_data.features.encoder import Encoder
from tinyemo_data.ingest import ingest_into
from tinyemo_data.sample import read_samples
from tinyemo_data.settings import DatasetSettings, EncoderSettings
from tinyemo_data.store import Store

SEED = 0
MODEL = "ViT-S-32-alt"
EMOTIONS = taxonomy.get("mikels8").labels
GATE = 0.02


class CountingEncoder(Encoder):
    """An encoder that counts the pictures it is given."""

    seen = 0

    def encode(self, crops: Sequence[torch.Tensor]) -> torch.Tensor:
        """Count, and encode."""
        self.seen += len(crops)
        return super().encode(crops)


class Folder:
    """FI's layout, filled with crops that no two files share."""

    def __init__(self, root: Path, photographs: list[Path]) -> None:
        self.root = root
        self._photographs = photographs
        self._random = np.random.default_rng(SEED)

    def path(self, number: int) -> Path:
        return self.root / "emotion_dataset" / EMOTIONS[number % 8] / f"{number:06d}.jpg"

    def write(self, number: int) -> None:
        """Write a crop at a place that is drawn anew each time."""
        with Image.open(self._photographs[number % len(self._photographs)]) as image:
            left, top = (int(self._random.integers(0, side // 5)) for side in image.size)
            crop = image.crop((left, top, left + image.width * 4 // 5, top + image.height * 4 // 5))
            self.path(number).parent.mkdir(parents=True, exist_ok=True)
            crop.save(self.path(number), quality=90 + number % 5)


def fill(store: Store, folder: Folder, encoder: CountingEncoder) -> tuple[float, int, FillReport]:
    """Ingest and fill; return the filling's seconds, how many pictures the encoder saw, and the report."""
    ingest_into(store, sources.get("fi"), folder.root, DatasetSettings())
    samples, before = read_samples(store, "fi"), encoder.seen
    began = time.perf_counter()
    report = fill_feature_cache(store, samples, folder.root, encoder)
    return time.perf_counter() - began, encoder.seen - before, report


def tell(what: str, seconds: float, first: float, seen: int, expected: int) -> bool:
    """Print one run and whether the encoder saw as many pictures as are new by content."""
    passed = seen == expected
    print(
        f"{what}: {seconds:.2f} s, {seconds / first:.1%} of the first run; the encoder saw {seen} pictures "
        f"(gate: {expected}) {'PASS' if passed else 'FAIL'}"
    )
    return passed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=548)
    count = parser.parse_args().pictures
    photographs = sorted((Path(os.environ.get("TINYEMO_SHARED", "../shared")) / "data/oasis/images").glob("*.jpg"))
    if not photographs:
        print("skipped: there are no photographs (TINYEMO_SHARED)")
        return 0
    torch.set_num_threads(2)
    with tempfile.TemporaryDirectory(prefix="tinyemo-bench-") as base:
        return 0 if measure(Store(f"{base}/store"), Folder(Path(base) / "fi", photographs), count) else 1


def measure(store: Store, folder: Folder, count: int) -> bool:
    """Print every run and tell whether all gates are met."""
    began = time.perf_counter()
    encoder = CountingEncoder(EncoderSettings(model=MODEL, pretrained=None, device="cpu", batch_size=64))
    print(f"N={count}, seed={SEED}, {MODEL} (built in {time.perf_counter() - began:.1f} s), batch 64, two threads")
    for number in range(count):
        folder.write(number)
    first, seen, _ = fill(store, folder, encoder)
    passed = [tell("first run", first, first, seen, count)]
    again, seen, _ = fill(store, folder, encoder)
    passed.append(tell("nothing changed", again, first, seen, 0))
    passed.append(again < GATE * first)
    print(f"  rerun / first run: {again / first:.2%} (gate: below {GATE:.0%}) {'PASS' if passed[-1] else 'FAIL'}")
    share = max(1, count // 100)
    for number in range(share):
        folder.path(number).rename(folder.path(number).with_name(f"renamed {number}.jpg"))
    passed.append(tell(f"{share} renamed", *of(fill(store, folder, encoder), first), 0))
    for number in range(share, 2 * share):
        folder.write(number)
    passed.append(tell(f"{share} changed", *of(fill(store, folder, encoder), first), share))
    for number in range(count, count + share):
        folder.write(number)
    passed.append(tell(f"{share} added", *of(fill(store, folder, encoder), first), share))
    return all(passed)


def of(run: tuple[float, int, FillReport], first: float) -> tuple[float, float, int]:
    """Return what `tell` takes of a run."""
    return run[0], first, run[1]


if __name__ == "__main__":
    sys.exit(main())
