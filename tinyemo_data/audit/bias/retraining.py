"""Training the projector again on weighted rows: the same rows, order, seeds, settings and epochs, other weights."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch

from tinyemo_data.audit.bias.attributes import Floats, Integers
from tinyemo_data.errors import AuditError
from tinyemo_data.features.table import LabelledFeatures
from tinyemo_data.projector.ensemble import ensemble_of
from tinyemo_data.projector.prototypes import Prototypes
from tinyemo_data.projector.training import TrainedProjector, prototypes_in_use, train_projector
from tinyemo_data.settings import ProjectorSettings

Similarities = npt.NDArray[np.float32]


class Retrain(Protocol):
    """Trains the projector on weighted training pictures and looks at the audited ones."""

    def __call__(self, weights: Floats, /) -> tuple[Similarities, Similarities]:
        """Return the audited pictures' similarities (S, N, E) without and with weights (M,), a seed a row."""


@dataclass(frozen=True)
class Retraining:
    """How the contrast's projectors are trained."""

    prototypes: Prototypes  # before any centring
    settings: ProjectorSettings
    # Courses on equal weights that are there already, one a seed of the settings: they are not trained again.
    finished: Sequence[TrainedProjector] = ()
    progress: Callable[[int, int], None] | None = None  # told (projectors done, projectors in all)


def retrainer(
    train: LabelledFeatures,
    weighted_rows: Integers,
    how: Retraining,
    audited: torch.Tensor,
    emotions: Sequence[str],
) -> Retrain:
    """Return a function that trains two projectors a seed on all of `train`: as it is, and weighted.

    `weighted_rows` (M,) are the rows of `train` that weights are given for; others (of other taxonomies) weigh 1.
    `audited` (N, d) are the features of the audited pictures. The weighted projector stops at the epoch that was
    the plain one's best: chosen by itself, it would stop elsewhere by chance, and the difference of the two would
    tell of that (its spread over seeds was six times as wide).
    """
    seeds = list(dict.fromkeys(how.settings.seeds))
    finished = {course.seed: course for course in how.finished}
    if finished and set(finished) != set(seeds):
        raise AuditError(f"Finished projectors of the seeds {sorted(finished)} are no plain ones of {sorted(seeds)}.")

    def similarities(courses: list[TrainedProjector]) -> Similarities:
        used = prototypes_in_use(how.prototypes, how.settings)
        ensemble = ensemble_of([course.projector for course in courses], seeds, used, how.settings.temperature)
        values: Similarities = ensemble.similarities(audited, emotions).numpy()
        return values

    def retrain(weights: Floats) -> tuple[Similarities, Similarities]:
        of_rows = _spread(weights, weighted_rows, len(train))
        plain, weighted = [], []
        for number, seed in enumerate(seeds):
            plain.append(finished.get(seed) or train_projector(train, how.prototypes, how.settings, seed))
            epoch = plain[-1].best_epoch
            weighted.append(
                train_projector(train, how.prototypes, how.settings, seed, weights=of_rows, keep_epoch=epoch)
            )
            if how.progress is not None:
                how.progress(2 * (number + 1), 2 * len(seeds))
        return similarities(plain), similarities(weighted)

    return retrain


def _spread(weights: Floats, rows: Integers, count: int) -> torch.Tensor:
    spread = torch.ones(count, dtype=torch.float64)
    spread[torch.from_numpy(rows)] = torch.from_numpy(weights)
    return spread
