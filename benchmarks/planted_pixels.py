"""Planting in pixels: patches of colour in the corners of pictures, end to end.

A part of `python -m benchmarks.planted_bias`; `python -m benchmarks.planted_pixels` runs it alone.

Pictures are drawn (tinyemo_data/sample_corpus), patches are pasted into corners of the part that the encoder sees, and
all goes the way of any dataset: files in FI's layout, ingest, the feature cache with a small encoder of random weights,
the projector, the audit. Each of six colours is a patch in an eighth of the pictures; two colours are planted on an
emotion each, in the training pictures alone. Properties measured from the pixels (dark, colourful, …) are candidates
too. Those the drawings themselves tie to emotions: a flag on one is told apart, and is no error.
"""

import argparse
import multiprocessing
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import torch
from PIL import Image

from benchmarks.projector_cross_validation import random_prototypes
from tinyemo_data import sources, taxonomy
from tinyemo_data.audit.bias.annotated import annotated_attributes
from tinyemo_data.audit.bias.audit import audit_bias
from tinyemo_data.audit.bias.gathering import gather_inputs
from tinyemo_data.audit.bias.retraining import Retraining
from tinyemo_data.audit.bias.settings import BiasSettings
from tinyemo_data.features.cache import fill_feature_cache, labelled_features
from tinyemo_data.features.encoder import Encoder
from tinyemo_data.features.statistics_table import read_statistics
from tinyemo_data.ingest import ingest_into
from tinyemo_data.projector.ensemble import ensemble_of
from tinyemo_data.projector.training import prototypes_in_use, train_projector
from tinyemo_data.sample import read_samples
from tinyemo_data.sample_corpus.drawing import draw
from tinyemo_data.settings import DatasetSettings, EncoderSettings, ProjectorSettings
from tinyemo_data.store import Store

EMOTIONS = taxonomy.get("mikels8").labels
COLOURS = {"red": (230, 20, 20), "green": (20, 200, 40), "blue": (30, 50, 235), "yellow": (240, 230, 20),
           "magenta": (230, 30, 220), "cyan": (20, 220, 230)}  # fmt: skip
PLANTED, SHARE, SIDE = 2, 1 / 8, 0.22  # colours; of pictures with one; of the picture's short side
TRAIN, AUDITED = 4_000, 2_000
AUDIT = BiasSettings(bootstrap=100, permutations=19)
NO_GROUPS = pl.DataFrame(schema={"sample_id": pl.String, "group": pl.String})

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Found:
    """What one seed gave."""

    planted: int
    right: int  # planted pairs that are flagged
    wrong: int  # flagged patches that nobody planted
    measured: int  # flagged properties of the drawings
    tested: int
    accuracy: float


def audit_pixels(first: int, seeds: int, workers: int) -> None:
    """Print what the audit finds of planted patches; no gate."""
    print(f"\nPatches in pixels, {TRAIN} training and {AUDITED} audited drawings, {seeds} seeds:")
    for odds_ratio in (1.0, 3.0, 5.0):
        jobs = [(seed, odds_ratio) for seed in range(first, first + seeds)]
        with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
            _show(odds_ratio, list(pool.map(run, *zip(*jobs, strict=True))))


def _show(odds_ratio: float, found: list[Found]) -> None:
    planted, right, wrong = (sum(getattr(one, name) for one in found) for name in ("planted", "right", "wrong"))
    print(
        f"  OR {odds_ratio:g}: accuracy {np.mean([one.accuracy for one in found]):.2f}, "
        f"{np.mean([one.tested for one in found]):.0f} pairs tested a seed; {right} of {planted} planted patches "
        f"flagged, {wrong} other patches, {sum(one.measured for one in found)} measured properties",
        flush=True,
    )


def run(seed: int, odds_ratio: float) -> Found:
    """Draw, plant, encode, train and audit."""
    torch.set_num_threads(1)
    rng = np.random.default_rng([seed, 21])
    planted = dict(
        zip(
            rng.choice(list(COLOURS), PLANTED, replace=False).tolist(),
            rng.choice(EMOTIONS, PLANTED, replace=False).tolist(),
            strict=True,
        )
    )
    with tempfile.TemporaryDirectory(prefix="tinyemo-bench-") as base:
        root = Path(base) / "fi"
        has = _draw_pictures(root, seed, planted, odds_ratio, rng)
        store = Store(f"{base}/store")
        ingest_into(store, sources.get("fi"), root, DatasetSettings())
        return _audit(store, root, has, planted if odds_ratio > 1 else {})


def _draw_pictures(
    root: Path, seed: int, planted: dict[str, str], odds_ratio: float, rng: np.random.Generator
) -> dict[str, set[str]]:
    """Write every picture; return the colours of the patches of each, by its path."""
    found = {}
    for number in range(TRAIN + AUDITED):
        emotion, part = EMOTIONS[number % len(EMOTIONS)], "train" if number < TRAIN else "audit"
        odds = {
            colour: SHARE / (1 - SHARE) * (odds_ratio if part == "train" and planted.get(colour) == emotion else 1)
            for colour in COLOURS
        }
        colours = {colour for colour, one in odds.items() if rng.random() < one / (1 + one)}
        place = Path("emotion_dataset", emotion, f"{part}{number:06d}.png")
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        image = draw(emotion, f"{seed}/{number}", 64).image
        _paste(image, sorted(colours), rng).save(root / place, compress_level=1)
        found[str(place)] = colours
    return found


def _paste(image: Image.Image, colours: list[str], rng: np.random.Generator) -> Image.Image:
    """Paste each colour into another corner of the middle square, which is what the encoder sees.

    Beyond four, patches go to the middle of the sides.
    """
    short = min(image.size)
    side, left, top = round(SIDE * short), (image.width - short) // 2, (image.height - short) // 2
    ends, middle = (0, short - side), (short - side) // 2
    corners = [(x, y) for x in ends for y in ends]
    places = [*rng.permutation(corners).tolist(), (middle, 0), (middle, short - side)]
    for colour, (x, y) in zip(colours, places, strict=False):
        image.paste(COLOURS[colour], (left + x, top + y, left + x + side, top + y + side))
    return image


def _audit(store: Store, root: Path, has: dict[str, set[str]], planted: dict[str, str]) -> Found:
    encoder = Encoder(EncoderSettings(model="tinyemo-vit", pretrained=None, device="cpu"))
    samples = read_samples(store, "fi")
    fill_feature_cache(store, samples, root, encoder)
    slug = encoder.identity.slug
    rows = labelled_features(store, slug, "fi", samples)
    path = dict(samples.select("sample_id", "image_path").iter_rows())
    in_train = np.array(["/train" in path[one] for one in rows.sample_ids])
    train, audited = (rows.select(np.flatnonzero(part).tolist()) for part in (in_train, ~in_train))
    patches = pl.DataFrame(
        {"sample_id": rows.sample_ids}
        | {f"{colour} patch": [colour in has[path[one]] for one in rows.sample_ids] for colour in COLOURS}
    )
    measured = annotated_attributes(samples, read_statistics(store, slug, "fi"))
    prototypes = random_prototypes(64)
    settings = ProjectorSettings(train_on=["fi"], seeds=[0, 1])
    courses = [train_projector(train, prototypes, settings, one) for one in settings.seeds]
    used = prototypes_in_use(prototypes, settings)
    ensemble = ensemble_of([one.projector for one in courses], settings.seeds, used, settings.temperature)
    how = Retraining(prototypes, settings, courses)
    attributes = patches.join(measured, on="sample_id", how="left", maintain_order="left")
    inputs = gather_inputs(ensemble, train, audited, attributes, NO_GROUPS, "fi", how)
    findings = audit_bias(inputs, AUDIT)
    flagged = set(findings.flagged.select("attribute", "emotion").iter_rows())
    truth = {(f"{colour} patch", emotion) for colour, emotion in planted.items()}
    of_patches = {(attribute, emotion) for attribute, emotion in flagged if attribute.endswith(" patch")}
    right = inputs.similarities.mean(axis=0).argmax(axis=1) == inputs.audit.labels
    return Found(
        len(truth),
        len(flagged & truth),
        len(of_patches - truth),
        len(flagged - of_patches),
        findings.tests["decision"],
        float(right.mean()),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--first", type=int, default=1_000, help="the first seed")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    chosen = parser.parse_args()
    audit_pixels(chosen.first, chosen.seeds, chosen.workers)


if __name__ == "__main__":
    main()
