"""Cross-validation: shared folds, nothing of the held-out rows in what predicts them."""

import math
import statistics

import pytest
import torch

from tests.projector.conftest import MakeLabelled, MakeSettings
from tinyemo_data.errors import TrainingError
from tinyemo_data.features.table import LabelledFeatures
from tinyemo_data.projector import cross_validation as module
from tinyemo_data.projector.cross_validation import cross_validate, paired_difference
from tinyemo_data.projector.ensemble import right_rows
from tinyemo_data.projector.partition import fold_numbers
from tinyemo_data.projector.prototypes import Prototypes
from tinyemo_data.projector.seeds import train_ensemble


def test_cross_validate_equals_training_and_predicting_fold_by_fold(
    labelled: LabelledFeatures, prototypes: Prototypes, make_settings: MakeSettings
) -> None:
    settings = make_settings()
    found = cross_validate(labelled, prototypes, settings, folds=3, seed=2)
    numbers = fold_numbers(labelled, 3, 2).tolist()
    for fold in range(3):
        train = labelled.select([row for row in range(60) if numbers[row] != fold])
        held_out = labelled.select([row for row in range(60) if numbers[row] == fold])
        right = right_rows(train_ensemble(train, prototypes, settings).ensemble, held_out).float().mean(dim=1)
        assert found.top1[fold] == pytest.approx(float(right[-1]))
        assert found.seed_top1[fold] == pytest.approx(float(right[:-1].mean()))
    assert found.mean == pytest.approx(statistics.fmean(found.top1))


def test_cross_validate_never_trains_on_a_row_that_it_predicts(
    labelled: LabelledFeatures, prototypes: Prototypes, make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained_on: list[set[str]] = []
    predicted: list[set[str]] = []

    def training(rows: LabelledFeatures, *rest: object) -> object:
        trained_on.append(set(rows.sample_ids))
        return train_ensemble(rows, prototypes, make_settings(epochs=1))

    def predicting(ensemble: object, rows: LabelledFeatures) -> torch.Tensor:
        predicted.append(set(rows.sample_ids))
        return torch.ones(3, len(rows), dtype=torch.bool)

    monkeypatch.setattr(module, "train_ensemble", training)
    monkeypatch.setattr(module, "right_rows", predicting)
    cross_validate(labelled, prototypes, make_settings(), folds=4, seed=0)
    assert all(not seen & held_out for seen, held_out in zip(trained_on, predicted, strict=True))
    assert set().union(*predicted) == set(labelled.sample_ids)
    assert sum(map(len, predicted)) == 60


def test_cross_validate_is_at_chance_when_labels_are_shuffled(
    make_labelled: MakeLabelled, prototypes: Prototypes, make_settings: MakeSettings
) -> None:
    """A leak of held-out rows into training would show as accuracy here."""
    labelled = make_labelled(rows=300, size=64)
    labelled.features.copy_(torch.randn(300, 64, generator=torch.Generator().manual_seed(1)))
    found = cross_validate(labelled, prototypes, make_settings(epochs=20, patience=20), folds=3, seed=0)
    assert abs(found.mean - 1 / 6) < 0.08


def test_cross_validate_says_so_when_there_is_nothing_to_learn_from(
    labelled: LabelledFeatures, prototypes: Prototypes, make_settings: MakeSettings
) -> None:
    with pytest.raises(TrainingError, match="no rows to train on"):
        cross_validate(labelled.select([]), prototypes, make_settings(), folds=3, seed=0)


def test_paired_difference_is_the_mean_and_standard_error_of_differences() -> None:
    ours, theirs = [0.7, 0.8, 0.9], [0.6, 0.8, 0.7]
    differences = [0.1, 0.0, 0.2]
    mean, standard_error = paired_difference(ours, theirs)
    assert mean == pytest.approx(0.1)
    assert standard_error == pytest.approx(statistics.stdev(differences) / math.sqrt(3))
    assert math.isnan(paired_difference([0.5], [0.4])[1])
