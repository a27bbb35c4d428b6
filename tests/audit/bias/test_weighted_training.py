"""Training on weighted rows: what weights mean, and that nothing changes without them."""

import hashlib

import numpy as np
import pytest
import torch
from torch.nn import functional

from tinyemo_data import taxonomy
from tinyemo_data.audit.bias.retraining import Retraining, retrainer
from tinyemo_data.errors import AuditError, TrainingError
from tinyemo_data.features.table import LabelledFeatures
from tinyemo_data.projector import losses
from tinyemo_data.projector.prototypes import Prototypes, with_digest
from tinyemo_data.projector.training import train_projector
from tinyemo_data.settings import LossName, ProjectorSettings

LABELS = taxonomy.get("ekman6").labels
LOSSES = ["prototype_softmax", "info_nce", "info_nce_original", "nt_xent", "cosine"]


def settings(**overrides: object) -> ProjectorSettings:
    values = {
        "train_on": ["x"],
        "epochs": 3,
        "batch_size": 32,
        "center_prototypes": False,
        "seeds": [0, 1],
        **overrides,
    }
    return ProjectorSettings.model_validate(values)


@pytest.fixture
def prototypes() -> Prototypes:
    generator = torch.Generator().manual_seed(0)
    return with_digest(LABELS, torch.randn(6, 8, generator=generator), {}, "random points", "{emotion}")


@pytest.fixture
def labelled() -> LabelledFeatures:
    generator = torch.Generator().manual_seed(1)
    emotions = [LABELS[row % 6] for row in range(120)]
    points = torch.randn(6, 10, generator=generator)
    features = (points[torch.arange(120) % 6] + torch.randn(120, 10, generator=generator)).half()
    digests = [hashlib.sha256(row.numpy().tobytes()).hexdigest() for row in features]
    ids = [f"x/{row}" for row in range(120)]
    return LabelledFeatures(features, ids, digests, ["x"] * 120, ["ekman6"] * 120, emotions)


def loss_of(name: str, weights: torch.Tensor | None, rows: int = 24) -> torch.Tensor:
    generator = torch.Generator().manual_seed(2)
    labels = torch.arange(rows) % 3
    v = functional.normalize(torch.randn(rows, 5, generator=generator, dtype=torch.float64), dim=1)
    points = functional.normalize(torch.randn(3, 5, generator=generator, dtype=torch.float64), dim=1)
    t = points[labels]
    every = torch.ones(rows, 3, dtype=torch.bool)
    match name:
        case "cosine":
            return losses.cosine(v, t, weights=weights)
        case "nt_xent":
            return losses.nt_xent(v, t, labels, own_text=True, weights=weights)
        case "info_nce":
            return losses.info_nce(v, t, labels, labels, weights=weights)
        case "info_nce_original":
            return losses.info_nce_original(v, t, labels, weights=weights)
        case _:
            return losses.prototype_softmax(v, t, labels, points, every, weights=weights)


@pytest.mark.parametrize("name", LOSSES)
def test_equal_weights_are_the_loss_itself_and_it_is_linear_in_weights(name: str) -> None:
    plain = loss_of(name, None)
    assert loss_of(name, torch.ones(24, dtype=torch.float64)) == pytest.approx(float(plain))
    first = torch.zeros(24, dtype=torch.float64)
    first[:8] = 3.0
    parts = sum(loss_of(name, torch.roll(first, 8 * shift)) for shift in range(3))
    assert float(parts) / 3 == pytest.approx(float(plain))
    assert float(loss_of(name, first)) != pytest.approx(float(plain))


@pytest.mark.parametrize("loss", LOSSES)
def test_weights_reach_the_training_of_every_loss(
    labelled: LabelledFeatures, prototypes: Prototypes, loss: LossName
) -> None:
    plain = train_projector(labelled, prototypes, settings(loss=loss), 0)
    even = train_projector(labelled, prototypes, settings(loss=loss), 0, weights=torch.full((120,), 5.0))
    weights = torch.ones(120)
    weights[::6] = 10.0
    uneven = train_projector(labelled, prototypes, settings(loss=loss), 0, weights=weights)
    for key, value in plain.projector.state_dict().items():
        assert torch.allclose(value.float(), even.projector.state_dict()[key].float(), atol=1e-3)
    before, after = (course.projector.state_dict()["model.0.weight"] for course in (plain, uneven))
    assert float((before - after).abs().max()) > 5e-3


def test_a_weighted_class_is_predicted_oftener(labelled: LabelledFeatures, prototypes: Prototypes) -> None:
    weights = torch.ones(120)
    weights[::6] = 20.0
    unit = functional.normalize(prototypes.embeddings, dim=1)
    counts = []
    for given in (None, weights):
        course = train_projector(labelled, prototypes, settings(epochs=6, patience=6), 0, weights=given)
        with torch.no_grad():
            nearest = (functional.normalize(course.projector(labelled.features), dim=1) @ unit.T).argmax(dim=1)
        counts.append(int((nearest == 0).sum()))
    assert counts[1] > counts[0] + 10


@pytest.mark.parametrize(
    ("weights", "message"),
    [(torch.ones(3), "one weight for each of 120"), (torch.zeros(120), "must be positive"), (torch.empty(0), "shape")],
    ids=["other length", "zero", "none"],
)
def test_weights_that_fit_no_rows_are_refused(
    labelled: LabelledFeatures, prototypes: Prototypes, weights: torch.Tensor, message: str
) -> None:
    with pytest.raises(TrainingError, match=message):
        train_projector(labelled, prototypes, settings(), 0, weights=weights)


def test_keep_epoch_ends_there_whatever_the_losses(labelled: LabelledFeatures, prototypes: Prototypes) -> None:
    free = train_projector(labelled, prototypes, settings(epochs=5, patience=5), 0)
    kept = train_projector(labelled, prototypes, settings(epochs=5, patience=1), 0, keep_epoch=free.best_epoch)
    assert kept.best_epoch == len(kept.log) == free.best_epoch
    for key, value in free.projector.state_dict().items():
        assert torch.equal(value, kept.projector.state_dict()[key])
    with pytest.raises(TrainingError, match="epochs 1 to 5"):
        train_projector(labelled, prototypes, settings(epochs=5), 0, keep_epoch=6)


def test_retrainer_under_equal_weights_gives_two_projectors_alike(
    labelled: LabelledFeatures, prototypes: Prototypes
) -> None:
    rows = np.arange(0, 120, 2)
    retrain = retrainer(labelled, rows, Retraining(prototypes, settings()), labelled.features[:9], LABELS)
    plain, even = retrain(np.ones(60))
    _, raked = retrain(np.where(np.arange(60) % 3 == 0, 9.0, 0.5))
    assert plain.shape == even.shape == (2, 9, 6)
    assert even == pytest.approx(plain, abs=2e-3)
    assert np.abs(raked - plain).max() > 0.02


def test_retrainer_takes_finished_projectors_over(labelled: LabelledFeatures, prototypes: Prototypes) -> None:
    finished = [train_projector(labelled, prototypes, settings(), seed) for seed in (0, 1)]
    told: list[tuple[int, int]] = []
    how = Retraining(prototypes, settings(), finished, lambda *done: told.append(done))
    anew = Retraining(prototypes, settings())
    rows, weights = np.arange(120), np.linspace(0.5, 1.5, 120)
    pairs = [retrainer(labelled, rows, one, labelled.features[:9], LABELS)(weights) for one in (how, anew)]
    for one, other in zip(*pairs, strict=True):
        assert np.array_equal(one, other)
    assert told == [(2, 4), (4, 4)]
    with pytest.raises(AuditError, match=r"seeds \[0\] are no plain ones of \[0, 1\]"):
        retrainer(labelled, rows, Retraining(prototypes, settings(), finished[:1]), labelled.features, LABELS)
