"""What the weights cost or gain in accuracy: both projectors on the evaluated splits, twins of training left out."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tinyemo_data import taxonomy
from tinyemo_data.errors import TableError
from tinyemo_data.evaluation.metrics import Codes, confusion_matrix, encode, macro_f1, top1
from tinyemo_data.evaluation.split import choose_split
from tinyemo_data.features.gather import labelled_split
from tinyemo_data.features.table import LabelledFeatures
from tinyemo_data.projector.ensemble import ProjectorEnsemble
from tinyemo_data.sample import SPLITS
from tinyemo_data.store import Store

Z95 = 1.959964


@dataclass(frozen=True)
class Accuracy:
    """Both projectors on one dataset's evaluated split; shares, 0–1."""

    dataset: str
    split: str
    n: int
    seed: int | None  # None: all seeds together
    top1_before: float
    top1_after: float
    difference: float  # of top-1
    low: float  # 95 % interval of the difference, over pictures
    high: float
    macro_f1_before: float
    macro_f1_after: float


def measure_accuracy(
    store: Store,
    slug: str,
    datasets: Sequence[str],
    before: ProjectorEnsemble,
    after: ProjectorEnsemble,
    twins: Mapping[str, Set[str]],
) -> list[Accuracy]:
    """Return a row a seed and one of all seeds together, for each dataset that has an evaluated split."""
    rows: list[Accuracy] = []
    for name in datasets:
        splits = {split: labelled_split(store, slug, name, split) for split in SPLITS}
        try:
            split, _ = choose_split({key: part.sha256 for key, part in splits.items()}, name)
        except TableError:
            continue  # the evaluation says of it that it was left out
        part = splits[split]
        kept = part.select([row for row, one in enumerate(part.sample_ids) if one not in twins.get(name, ())])
        if len(kept):
            rows += _compare(name, split, kept, before, after)
    return rows


def _compare(
    name: str, split: str, pictures: LabelledFeatures, before: ProjectorEnsemble, after: ProjectorEnsemble
) -> list[Accuracy]:
    labels = taxonomy.get(pictures.taxonomies[0]).labels
    truth = encode(pictures.emotions, labels)
    voices = [_predictions(one, pictures, labels) for one in (before, after)]
    seeds: list[int | None] = [*before.seeds, None]
    return [
        _row(name, split, seed, truth, first, second, len(labels))
        for seed, first, second in zip(seeds, *voices, strict=True)
    ]


def _predictions(
    ensemble: ProjectorEnsemble, pictures: LabelledFeatures, labels: Sequence[str]
) -> npt.NDArray[np.int64]:
    """Return what each seed says, and last what their mean says, (S + 1, N)."""
    similarities = ensemble.similarities(pictures.features, labels).numpy()
    voices = np.concatenate([similarities, similarities.mean(axis=0, keepdims=True)])
    nearest: npt.NDArray[np.int64] = voices.argmax(axis=2).astype(np.int64)
    return nearest


def _row(name: str, split: str, seed: int | None, truth: Codes, before: Codes, after: Codes, labels: int) -> Accuracy:
    gained = (after == truth).astype(np.float64) - (before == truth)
    reach = Z95 * float(gained.std(ddof=1)) / np.sqrt(len(truth)) if len(truth) > 1 else 0.0
    difference = float(gained.mean())
    f1 = [macro_f1(confusion_matrix(truth, one, labels)) for one in (before, after)]
    return Accuracy(
        name, split, len(truth), seed, top1(truth, before), top1(truth, after), difference, difference - reach,
        difference + reach, *f1,
    )  # fmt: skip
