"""Planting on real features: the train folder of the released Emotion6 features.

A part of `python -m benchmarks.planted_bias`; `python -m benchmarks.planted_emotion6` runs it alone.

Those pictures carry no attributes, so real properties of them serve: an attribute is the top of a principal component
of the features within each emotion (so that it goes with none by itself). A third of the pictures are audited; the
others are drawn anew with replacement, each emotion as often as before, so that six pairs reach the planted odds ratio.
Copies of a picture are one image group, and lie on one side of early stopping's split. As 729 training pictures tell
little, the same is done with 9,000 and 3,000 drawn from the emotions' means and the spread about them of the real
features: their geometry, but more of them.
"""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl
import torch

from benchmarks.projector_cross_validation import random_prototypes
from benchmarks.released_emotion6 import TRAIN, train_features
from tinyemo_data import taxonomy
from tinyemo_data.audit.bias.audit import audit_bias
from tinyemo_data.audit.bias.findings import BiasFindings
from tinyemo_data.audit.bias.gathering import gather_inputs
from tinyemo_data.audit.bias.retraining import Retraining
from tinyemo_data.audit.bias.settings import BiasSettings
from tinyemo_data.features.table import LabelledFeatures
from tinyemo_data.projector.ensemble import ensemble_of
from tinyemo_data.projector.training import prototypes_in_use, train_projector
from tinyemo_data.settings import ProjectorSettings

ATTRIBUTES, PLANTED, WIDTH, MAIN = 24, 6, 256, 40
LABELS = taxonomy.get("ekman6").labels
PROJECTOR = ProjectorSettings(train_on=["emotion6"], seeds=[0, 1, 2])
# A sixth of 729 pictures is an emotion; of these a tenth has an attribute.
AUDIT = BiasSettings(min_support=8, bootstrap=100, permutations=19)

STATISTICS = {"audit": "q_bh", "association alone": "q_association", "contrast alone": "q_contrast"}

Flags = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Found:
    """What one seed gave: of each statistic (flagged, rightly flagged), and the pairs planted and tested."""

    counts: dict[str, tuple[int, int]]
    planted: int
    tested: int


def audit_emotion6(first: int, seeds: int, workers: int) -> None:
    """Print what the audit finds of planted pairs on the real features; no gate."""
    if not TRAIN.is_dir():
        print(f"\nEmotion6: {TRAIN} is absent, so nothing was planted on real features.")
        return
    for grown in (False, True):
        kind = "12,000 pictures drawn by the spread of its real features" if grown else "its 1,094 real features"
        print(f"\nEmotion6, {kind}, {ATTRIBUTES * len(LABELS)} pairs, {seeds} seeds:")
        for odds_ratio in (1.0, 2.0, 3.0, 5.0):
            jobs = [(grown, odds_ratio, seed) for seed in range(first, first + seeds)]
            with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
                _show(odds_ratio, list(pool.map(run, *zip(*jobs, strict=True))))


def _show(odds_ratio: float, found: list[Found]) -> None:
    planted = sum(one.planted for one in found)
    print(f"  OR {odds_ratio:g}: {np.mean([one.tested for one in found]):.0f} pairs tested a seed")
    for name in STATISTICS:
        flagged, true = (sum(one.counts[name][place] for one in found) for place in (0, 1))
        precision = f"{true / flagged:.2f}" if flagged else "-"
        print(
            f"    {name:18} {flagged / len(found):5.1f} flagged a seed, precision {precision:>4}, "
            f"recall {true / planted:.2f}",
            flush=True,
        )


def run(grown: bool, odds_ratio: float, seed: int) -> Found:
    """Plant on one seed's attributes and count what is flagged; at odds of 1 nothing is planted, and all is false."""
    torch.set_num_threads(1)
    rows = train_features()
    rows = grow(rows, 12_000, seed) if grown else rows
    labels = np.array([LABELS.index(emotion) for emotion in rows.emotions])
    has = principal_attributes(rows.features, labels, seed)
    findings, pairs = plant_and_audit(rows, labels, has, odds_ratio, seed, 4 if grown else 3)
    counts = {}
    for name, q in STATISTICS.items():
        table = findings.slices.filter(pl.col(q) <= AUDIT.q)
        flagged = set(table.select("attribute", "emotion").iter_rows())
        counts[name] = (len(flagged), len(flagged & pairs) if odds_ratio > 1 else 0)
    return Found(counts, len(pairs), findings.tests["decision"])


def grow(rows: LabelledFeatures, count: int, seed: int) -> LabelledFeatures:
    """Draw pictures from each emotion's mean and the common spread within emotions.

    Emotions differ along the 40 main components alone: of the others a mean of 180 pictures is mostly noise, which
    would make every emotion plain to see. So logistic regression gets 78 % right, of the real ones 76 %.
    """
    rng = np.random.default_rng([seed, 13])
    values = rows.features.double().numpy()
    labels = np.array([LABELS.index(emotion) for emotion in rows.emotions])
    means = np.stack([values[labels == label].mean(axis=0) for label in range(len(LABELS))])
    residuals = values - means[labels]
    main = np.linalg.eigh(residuals.T @ residuals)[1][:, ::-1][:, :MAIN]
    means = means.mean(axis=0) + (means - means.mean(axis=0)) @ main @ main.T
    drawn = rng.integers(0, len(LABELS), count)
    # A Gaussian of the residuals' own covariance: random sums of them.
    spread = rng.standard_normal((count, len(values))) @ residuals / np.sqrt(len(values) - len(LABELS))
    ids = [f"drawn/{number:05d}" for number in range(count)]
    emotions = [LABELS[label] for label in drawn]
    features = torch.from_numpy(means[drawn] + spread).half()
    return LabelledFeatures(features, ids, ids, ["emotion6"] * count, ["ekman6"] * count, emotions)


def principal_attributes(features: torch.Tensor, labels: Integers, seed: int) -> Flags:
    """Return which pictures are in the top 8 to 30 % of each component within their emotion, (N, 24)."""
    rng = np.random.default_rng([seed, 11])
    values = features.double().numpy()
    values = values / np.linalg.norm(values, axis=1, keepdims=True)
    for label in range(len(LABELS)):
        values[labels == label] -= values[labels == label].mean(axis=0)
    scores = values @ np.linalg.eigh(values.T @ values)[1][:, ::-1][:, :ATTRIBUTES]
    shares = rng.uniform(0.08, 0.3, ATTRIBUTES)
    has = np.zeros(scores.shape, dtype=bool)
    for label in range(len(LABELS)):
        own = labels == label
        for column, share in enumerate(shares):
            has[own, column] = scores[own, column] > np.quantile(scores[own, column], 1 - share)
    return has


def plant_and_audit(
    rows: LabelledFeatures, labels: Integers, has: Flags, odds_ratio: float, seed: int, parts: int
) -> tuple[BiasFindings, set[tuple[str, str]]]:
    """Audit one of so many parts, plant on and learn from the others; return what was found and what was planted."""
    rng = np.random.default_rng([seed, 12])
    planted = list(
        zip(rng.choice(ATTRIBUTES, PLANTED, replace=False), rng.integers(0, len(LABELS), PLANTED), strict=True)
    )
    audited_rows = rng.permutation(len(rows)) % parts == 0
    drawn = np.concatenate(
        [
            _draw(np.flatnonzero((labels == e) & ~audited_rows), has, planted, e, odds_ratio, rng)
            for e in range(len(LABELS))
        ]
    )
    train = _numbered(rows.select(drawn.tolist()))
    audited = rows.select(np.flatnonzero(audited_rows).tolist())
    attributes = pl.concat([_frame(train, has[drawn]), _frame(audited, has[audited_rows])])
    groups = pl.DataFrame({"sample_id": train.sample_ids, "group": train.sha256})
    prototypes = random_prototypes(WIDTH)
    courses = [train_projector(train, prototypes, PROJECTOR, one) for one in PROJECTOR.seeds]
    used = prototypes_in_use(prototypes, PROJECTOR)
    projectors = [course.projector for course in courses]
    ensemble = ensemble_of(projectors, PROJECTOR.seeds, used, PROJECTOR.temperature)
    inputs = gather_inputs(
        ensemble, train, audited, attributes, groups, "emotion6", Retraining(prototypes, PROJECTOR, courses)
    )
    names = inputs.audit.attributes.names
    return audit_bias(inputs, AUDIT), {(names[attribute], LABELS[e]) for attribute, e in planted}


def _draw(
    own: Integers, has: Flags, planted: list[tuple[int, int]], e: int, odds_ratio: float, rng: np.random.Generator
) -> Integers:
    """Draw as many pictures of an emotion as there are, those with an attribute planted on it the likelier."""
    weights = np.ones(len(own))
    for attribute, emotion in planted:
        if emotion == e:
            weights[has[own, attribute]] *= odds_ratio
    drawn: Integers = rng.choice(own, len(own), p=weights / weights.sum())
    return drawn


def _numbered(train: LabelledFeatures) -> LabelledFeatures:
    ids = [f"{sample_id}#{number}" for number, sample_id in enumerate(train.sample_ids)]
    return replace(train, sample_ids=ids)


def _frame(rows: LabelledFeatures, has: Flags) -> pl.DataFrame:
    columns = {f"component {number:02d}": has[:, number] for number in range(ATTRIBUTES)}
    return pl.DataFrame({"sample_id": rows.sample_ids, **columns})


if __name__ == "__main__":
    audit_emotion6(first=1_000, seeds=10, workers=2)
