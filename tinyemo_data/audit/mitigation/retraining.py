"""The projector once more, every seed with weights: the same rows, order, settings and epochs."""

from collections.abc import Callable, Mapping, Sequence

import torch

from tinyemo_data.audit.bias.attributes import Floats
from tinyemo_data.errors import TrainingError
from tinyemo_data.features.table import LabelledFeatures
from tinyemo_data.projector.batches import digest_of_data
from tinyemo_data.projector.ensemble import ensemble_of
from tinyemo_data.projector.prototypes import Prototypes
from tinyemo_data.projector.seeds import TrainedEnsemble
from tinyemo_data.projector.training import TrainedProjector, prototypes_in_use, train_projector
from tinyemo_data.settings import ProjectorSettings


def retrain_weighted(
    train: LabelledFeatures,
    prototypes: Prototypes,
    settings: ProjectorSettings,
    courses: Sequence[TrainedProjector],
    weights: Mapping[str, Floats],
    advance: Callable[[int], None],
) -> TrainedEnsemble:
    """Return the ensemble of all seeds; `weights` are those of each taxonomy's training rows, others weigh 1.

    Each seed stops at the epoch of its finished course, so that the weights alone are what differs. `advance` is told
    how many seeds were done. Raises TrainingError where there is no finished course: imported weights can't be
    learnt again.
    """
    if not courses:
        raise TrainingError(
            "The projector's weights were imported, so there is no training to repeat with weights. Train it here "
            "(projector.checkpoint empty), or choose another action in audit/review.csv."
        )
    of_rows = torch.ones(len(train), dtype=torch.float64)
    for taxonomy, values in weights.items():
        rows = [row for row, name in enumerate(train.taxonomies) if name == taxonomy]
        of_rows[rows] = torch.from_numpy(values)
    weighted = []
    for course in courses:
        epoch = course.best_epoch
        weighted.append(train_projector(train, prototypes, settings, course.seed, weights=of_rows, keep_epoch=epoch))
        advance(1)
    seeds = [course.seed for course in weighted]
    used = prototypes_in_use(prototypes, settings)
    ensemble = ensemble_of([course.projector for course in weighted], seeds, used, settings.temperature)
    return TrainedEnsemble(ensemble, weighted, digest_of_data(train), [])
