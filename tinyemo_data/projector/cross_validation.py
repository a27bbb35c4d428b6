"""Cross-validation on the train split alone, with folds that every candidate shares.

Nothing is computed from a fold's held-out rows before they are predicted: prototypes come from the language
model, class weights and the validation part of early stopping from the fold's train rows.
"""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from tinyemo_data.features.table import LabelledFeatures
from tinyemo_data.projector.batches import check_trainable
from tinyemo_data.projector.ensemble import right_rows
from tinyemo_data.projector.partition import fold_numbers
from tinyemo_data.projector.prototypes import Prototypes
from tinyemo_data.projector.seeds import train_ensemble
from tinyemo_data.settings import ProjectorSettings


@dataclass(frozen=True)
class CrossValidation:
    """Held-out accuracy of one setting, fold by fold; folds are of nearly equal size."""

    top1: list[float]  # of the ensemble (0–1), a fold
    seed_top1: list[float]  # mean over the single seeds, a fold

    @property
    def mean(self) -> float:
        """Mean top-1 of the ensemble over folds."""
        return statistics.fmean(self.top1)


def cross_validate(
    labelled: LabelledFeatures, prototypes: Prototypes, settings: ProjectorSettings, folds: int, seed: int
) -> CrossValidation:
    """Train on all folds but one and predict that one; equal `folds` and `seed` give equal splits.

    Raises TrainingError where the rows can't be learnt from or are fewer than the folds.
    """
    check_trainable(labelled)
    numbers = fold_numbers(labelled, folds, seed)
    top1: list[float] = []
    seed_top1: list[float] = []
    for fold in range(folds):
        right = fold_right_rows(labelled, prototypes, settings, numbers, fold)
        top1.append(float(right[-1].float().mean()))
        seed_top1.append(float(right[:-1].float().mean()))
    return CrossValidation(top1, seed_top1)


def fold_right_rows(
    labelled: LabelledFeatures,
    prototypes: Prototypes,
    settings: ProjectorSettings,
    numbers: Tensor,
    fold: int,
) -> Tensor:
    """Train without a fold and tell which of its rows are right: (seeds + 1, rows) bool, ensemble last."""
    train = labelled.select((numbers != fold).nonzero().squeeze(1))
    held_out = labelled.select((numbers == fold).nonzero().squeeze(1))
    return right_rows(train_ensemble(train, prototypes, settings).ensemble, held_out)


def paired_difference(ours: Sequence[float], theirs: Sequence[float]) -> tuple[float, float]:
    """Return the mean of `ours - theirs`, fold by fold, and its standard error (nan for a single fold).

    Folds share train rows, so the standard error is somewhat too small (Nadeau & Bengio 2003).
    """
    differences = torch.tensor(ours, dtype=torch.float64) - torch.tensor(theirs, dtype=torch.float64)
    if len(differences) < 2:
        return float(differences.mean()), math.nan
    return float(differences.mean()), float(differences.std()) / math.sqrt(len(differences))
