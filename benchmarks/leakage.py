"""Near-duplicates: are planted twins found, and how long do 120,000 pictures take?

`python -m benchmarks.leakage` plants twins of the OASIS photographs (`$TINYEMO_SHARED/data/oasis`) and counts
which of them are found and which pairs of different photographs are flagged, by hashes alone and with the
demo's random-weight encoder; `--model M --pretrained P` takes a trained open_clip encoder instead. Then
120,000 synthetic features and hashes are searched in a fresh process, against all pairs done the plain way.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import numpy as np
import polars as pl
import torch
from PIL import Image, ImageEnhance

from tinyemo_data.audit.near_duplicates import find_near_duplicates, search_near_duplicates
from tinyemo_data.audit.thresholds import DEFAULT
from tinyemo_data.features.decode import decode_picture
from tinyemo_data.features.encoder import Encoder
from tinyemo_data.features.table import FeatureTable
from tinyemo_data.settings import EncoderSettings
from tinyemo_data.sources.flaw import Flaw
from tinyemo_data.sources.picture import inspect_picture

SEED = 0
DIMENSION = 768
TWIN_EVERY = 100  # synthetic rows of which one has a twin
PART = 4_096  # rows of the plain way that are measured; the rest is extrapolated
Edit = Callable[[Image.Image, random.Random], Image.Image]


def scale(image: Image.Image, factor: float) -> Image.Image:
    size = (round(image.width * factor), round(image.height * factor))
    return image.resize(size, Image.Resampling.LANCZOS)


def crop(image: Image.Image, left: float, top: float, right: float, bottom: float) -> Image.Image:
    width, height = image.size
    return image.crop(
        (round(left * width), round(top * height), round(width * (1 - right)), round(height * (1 - bottom)))
    )


def brighten(image: Image.Image, factor: float) -> Image.Image:
    return ImageEnhance.Brightness(image).enhance(factor)


def some_crop(image: Image.Image, rng: random.Random) -> Image.Image:
    return crop(image, *(rng.uniform(0, 0.05) for _ in range(4)))


EDITS: dict[str, Edit] = {
    "re-encoded": lambda image, _: image,
    "resized": lambda image, rng: scale(image, rng.uniform(0.5, 0.9)),
    "brightness": lambda image, rng: brighten(image, rng.choice([0.85, 0.9, 1.1, 1.15])),
    "cropped": some_crop,
    "cropped 5 %": lambda image, _: crop(image, 0.05, 0.05, 0.05, 0.05),
    "all of these": lambda image, rng: brighten(
        scale(some_crop(image, rng), rng.uniform(0.5, 0.9)), rng.uniform(0.9, 1.1)
    ),
}


def plant(folder: Path, originals: list[Path]) -> pl.DataFrame:
    """Write an edited JPEG (quality 50-90) of every original and edit; return rows like the Sample table's."""
    rng = random.Random(SEED)
    rows = [(f"oasis/{path.stem}", "oasis", "train", path.stem, "original", path) for path in originals]
    for kind, edit in EDITS.items():
        for path in originals:
            with Image.open(path) as image:
                edited = edit(image.convert("RGB"), rng)
            target = folder / f"{kind} {path.stem}.jpg"
            edited.save(target, "JPEG", quality=rng.randint(50, 90))
            rows.append((f"twins/{kind}/{path.stem}", "twins", "test", path.stem, kind, target))
    facts = [inspect_picture(row[-1]) for row in rows]
    return pl.DataFrame(
        [
            {
                "sample_id": row[0], "dataset": row[1], "split": row[2], "sha256": fact.sha256, "phash": fact.phash,
                "photograph": row[3], "kind": row[4], "path": str(row[5]),
            }
            for row, fact in zip(rows, facts, strict=True)
            if not isinstance(fact, Flaw)
        ]
    )  # fmt: skip


def encode(planted: pl.DataFrame, settings: EncoderSettings) -> FeatureTable:
    encoder = Encoder(settings)
    parts = []
    for batch in planted.iter_slices(encoder.batch_size):
        contents = [Path(path).read_bytes() for path in batch["path"]]
        parts.append(encoder.encode([encoder.preprocessing.crop(decode_picture(one)) for one in contents]))
    return FeatureTable(
        planted["sample_id"].to_list(), planted["sha256"].to_list(), torch.cat(parts), encoder.identity.slug
    )


def measure_quality(planted: pl.DataFrame, features: FeatureTable | None, title: str) -> None:
    """Print recall of the planted twins a kind, and the pairs of different photographs that were flagged."""
    search = search_near_duplicates(planted, features)
    owner = dict(planted.select("sample_id", "photograph").iter_rows())
    pairs = search.pairs.with_columns(
        true=pl.col("first").replace_strict(owner) == pl.col("second").replace_strict(owner)
    )
    found = set(pairs.filter("true", first_dataset="oasis", second_dataset="twins")["second"])
    false = pairs.filter(~pl.col("true"))
    dimension = search.effective_dimension
    print(f"\n{title}: cosines {'used' if search.cosine_used else 'not used'}"
          + (f" ({dimension:.1f} effective dimensions)" if dimension is not None else ""))  # fmt: skip
    for kind in EDITS:
        twins = planted.filter(dataset="twins", kind=kind)
        recall = twins["sample_id"].is_in(list(found)).sum() / len(twins)
        print(f"  {kind:<13} N={len(twins)}  recall {recall:.3f}")
    print(f"  flagged pairs {len(pairs)}, of different photographs {len(false)}: "
          f"precision {1 - len(false) / max(len(pairs), 1):.4f}")  # fmt: skip
    for pair in false.head(5).to_dicts():
        print(f"    {pair['first']} ~ {pair['second']}: hamming {pair['hamming']}, cosine {pair['cosine']}")


def measure_oasis(settings: EncoderSettings) -> None:
    folder = Path(os.environ.get("TINYEMO_SHARED") or "../shared") / "data/oasis/images"
    originals = sorted(folder.glob("*.jpg"))
    if not originals:
        print(f"TINYEMO_SHARED: there are no photographs in {folder}; planted twins are not measured")
        return
    print(f"OASIS: {len(originals)} photographs (train) and {len(EDITS)} planted twins of each (test), seed {SEED}")
    with tempfile.TemporaryDirectory() as temporary:
        planted = plant(Path(temporary), originals)
        features = encode(planted, settings)
    measure_quality(planted, None, "hash alone")
    measure_quality(planted, features, f"hash and features of {features.encoder}")


def write_synthetic(folder: Path, n: int, exponent: float) -> None:
    """Write features with a CLIP-like mean and spectrum, hashes of 32 set bits, and a twin of every 100th row.

    Variances fall as rank ** -exponent: 1 puts 75 % into 127 directions, as the real CLIP features do (77 %).
    """
    rng = np.random.default_rng(SEED)
    basis = np.linalg.qr(rng.standard_normal((DIMENSION, DIMENSION)))[0].astype(np.float32)
    deviations = (np.arange(1, DIMENSION + 1) ** (-exponent / 2)).astype(np.float32)
    mean = basis[0] * np.sqrt(1.4 * np.square(deviations).sum(), dtype=np.float32)  # raw cosine 0.6
    out = np.lib.format.open_memmap(folder / "features.npy", "w+", np.float16, (n, DIMENSION))
    for start in range(0, n, 8_192):
        rows = rng.standard_normal((min(8_192, n - start), DIMENSION), dtype=np.float32) * deviations
        out[start : start + len(rows)] = mean + rows @ basis
    bits = rng.permuted(np.tile(np.repeat([0, 1], 32).astype(np.uint8), (n, 1)), axis=1)
    for original in range(0, n // 2, TWIN_EVERY):
        noise = rng.standard_normal(DIMENSION) * 0.1 * np.linalg.norm(deviations) / np.sqrt(DIMENSION)
        out[n - 1 - original] = out[original] + noise
        bits[n - 1 - original] = bits[original]
        bits[n - 1 - original, rng.choice(64, 4, replace=False)] ^= 1
    np.save(folder / "hashes.npy", np.packbits(bits, axis=1).view(">u8").ravel().astype(np.uint64))


def peak_memory() -> float:
    """Return this process's largest resident size so far, GiB."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024**2


def search_synthetic(folder: Path) -> None:
    """Search the synthetic pictures; print seconds, memory and the planted twins that were found, as JSON."""
    torch.set_num_threads(2)
    features = np.load(folder / "features.npy")
    hashes = np.load(folder / "hashes.npy").tolist()
    n = len(features)
    ids = [f"synthetic/{number:06d}" for number in range(n)]
    digests = [sha256(name.encode()).hexdigest() for name in ids]
    samples = pl.DataFrame(
        {
            "sample_id": ids, "dataset": ["synthetic"] * n, "sha256": digests,
            "split": np.where(np.arange(n) < n // 2, "train", "test"), "phash": [f"{value:016x}" for value in hashes],
        }
    )  # fmt: skip
    before, started, cpu = peak_memory(), time.perf_counter(), time.process_time()
    pairs = find_near_duplicates(samples, FeatureTable(ids, digests, torch.from_numpy(features), "synthetic"))
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    planted = {(ids[original], ids[n - 1 - original]) for original in range(0, n // 2, TWIN_EVERY)}
    found = set(pairs.select("first", "second").iter_rows())
    print(json.dumps({"seconds": seconds, "cpu": cpu, "before": before, "peak": peak_memory(),
                      "planted": len(planted), "found": len(planted & found), "pairs": len(found)}))  # fmt: skip


def plain_way(folder: Path) -> None:
    """Measure all pairs the plain way on the first rows: float32 products with everything, hashes row by row."""
    torch.set_num_threads(2)
    features = torch.from_numpy(np.load(folder / "features.npy")).float()
    features -= features.mean(dim=0)
    features /= features.norm(dim=1, keepdim=True)
    n = len(features)
    started = time.perf_counter()
    for top in range(0, PART, 1_024):
        ((features[top : top + 1_024] @ features.T) >= DEFAULT.cosine_alone).nonzero()
    cosine = (time.perf_counter() - started) * n / PART
    hashes = np.load(folder / "hashes.npy")
    started = time.perf_counter()
    for row in range(PART):
        np.flatnonzero(np.bitwise_count(hashes[row] ^ hashes) <= DEFAULT.hamming_confirmed)
    hamming = (time.perf_counter() - started) * n / PART
    print(json.dumps({"cosine": cosine, "hamming": hamming, "peak": peak_memory()}))


def measure_speed(n: int, exponent: float) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        write_synthetic(Path(temporary), n, exponent)
        ours, plain = (json.loads(run_apart(name, temporary)) for name in ("search", "plain"))
    total = plain["cosine"] + plain["hamming"]
    print(f"\nSpeed: {n} × {n} pictures, {DIMENSION}-d float16 and 64-bit hashes, seed {SEED}, 2 threads")
    print(f"  ours: {ours['seconds']:.1f} s ({ours['cpu']:.1f} s of CPU), peak {ours['peak']:.2f} GiB "
          f"({ours['before']:.2f} before the search); {ours['found']} of {ours['planted']} planted twins, "
          f"{ours['pairs'] - ours['found']} other pairs")  # fmt: skip
    print(f"  plain: {total:.0f} s extrapolated from {PART} rows (float32 products {plain['cosine']:.0f} s, "
          f"hashes row by row {plain['hamming']:.0f} s), peak {plain['peak']:.2f} GiB")  # fmt: skip
    print(f"  ratio: {total / ours['seconds']:.1f} × faster than the plain way")


def run_apart(mode: str, folder: str) -> str:
    """Run one measurement in a fresh process, so that its peak memory is its own."""
    command = [sys.executable, "-m", "benchmarks.leakage", "--apart", mode, "--folder", folder]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=120_000)
    parser.add_argument("--exponent", type=float, default=1.0, help="of the spectrum; 0: all directions alike")
    parser.add_argument("--model", default="tinyemo-vit")
    parser.add_argument("--pretrained", default=None)
    parser.add_argument("--apart", choices=["search", "plain"], help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.apart:
        {"search": search_synthetic, "plain": plain_way}[chosen.apart](chosen.folder)
        return
    measure_oasis(EncoderSettings(model=chosen.model, pretrained=chosen.pretrained))
    measure_speed(chosen.n, chosen.exponent)


if __name__ == "__main__":
    main()
