"""The pictures that are explained: those of the evaluated splits, projected."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import torch
from torch.nn import functional

from tinyemo_data.audit.interpretability.nearest import Rows
from tinyemo_data.errors import TableError
from tinyemo_data.evaluation.split import PREFERENCE, choose_split
from tinyemo_data.features.gather import datasets_at_hand, labelled_split, missing_note
from tinyemo_data.features.table import LabelledFeatures, concatenate
from tinyemo_data.projector.ensemble import ROWS_AT_ONCE, ProjectorEnsemble
from tinyemo_data.store import Store


@dataclass(frozen=True)
class ProjectedPictures:
    """Labelled pictures in the language model's space."""

    points: Rows  # (N, h): the mean over seeds of the projections of length 1
    sample_ids: tuple[str, ...]
    datasets: npt.NDArray[np.str_]  # (N,)
    emotions: npt.NDArray[np.str_]  # (N,)

    def __len__(self) -> int:
        return len(self.sample_ids)


@dataclass(frozen=True)
class Looked:
    """Which pictures were looked at, for people."""

    splits: list[dict[str, Any]]  # dataset, split, pictures, of
    notes: list[str]


def evaluated_pictures(store: Store, slug: str, wanted: Sequence[str], most: int) -> tuple[LabelledFeatures, Looked]:
    """Return the labelled features of the evaluated split of each dataset at hand, and what they are.

    Of a dataset with more than `most` pictures those with the lowest SHA-256 are taken: a draw that every run repeats.
    Raises StoreError where no dataset is at hand, TableError where none has an evaluated split.
    """
    used, missing = datasets_at_hand(store, slug, wanted)
    parts, splits, notes = [], [], [missing_note(name) for name in missing]
    for name in used:
        found = {split: labelled_split(store, slug, name, split) for split in PREFERENCE}
        try:
            split, _ = choose_split({key: part.sha256 for key, part in found.items()}, name)
        except TableError as exc:
            notes.append(f"{name} was left out. {exc}")
            continue
        drawn = _draw(found[split], most)
        parts.append(drawn)
        splits.append({"dataset": name, "split": split, "pictures": len(drawn), "of": len(found[split])})
    if not parts:
        raise TableError(f"There is no picture to explain. {' '.join(notes)}")
    return concatenate(parts), Looked(splits, notes)


def project(ensemble: ProjectorEnsemble, labelled: LabelledFeatures) -> ProjectedPictures:
    """Return pictures with their points in the language model's space."""
    points = projections(ensemble, labelled.features)
    return ProjectedPictures(
        points, tuple(labelled.sample_ids), np.array(labelled.datasets), np.array(labelled.emotions)
    )


@torch.no_grad()
def projections(ensemble: ProjectorEnsemble, features: torch.Tensor) -> Rows:
    """Return the mean over seeds of the projections of length 1, (N, h), of features (N, D).

    Its inner product with a prototype of length 1 is the mean similarity that the ensemble predicts by.
    """
    found = np.empty((len(features), ensemble.projectors[0].h), dtype=np.float32)
    for start in range(0, len(features), ROWS_AT_ONCE):
        part = slice(start, start + ROWS_AT_ONCE)
        total = torch.zeros(len(features[part]), found.shape[1])
        for projector in ensemble.projectors:
            total += functional.normalize(projector(features[part]), dim=1)
        found[part] = (total / len(ensemble.projectors)).numpy()
    return found


def _draw(labelled: LabelledFeatures, most: int) -> LabelledFeatures:
    if len(labelled) <= most:
        return labelled
    keys = pl.DataFrame({"sha256": labelled.sha256, "sample_id": labelled.sample_ids}).with_row_index("row")
    return labelled.select(sorted(keys.sort("sha256", "sample_id").head(most)["row"].to_list()))
