"""Every method's probabilities on the same pictures: the projector's seeds, their ensemble, the baselines."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from torch import Tensor

from tinyemo_data.errors import CheckpointError
from tinyemo_data.evaluation.baselines import BASELINES
from tinyemo_data.evaluation.metrics import Scores
from tinyemo_data.evaluation.paper import Seen, seen
from tinyemo_data.features.table import LabelledFeatures


class ProjectorLike(Protocol):
    """What evaluation asks of a trained projector: one cosine similarity a seed, picture and label."""

    @property
    def seeds(self) -> Sequence[int]:
        """The seeds, in the order of the similarities."""

    @property
    def digest(self) -> str:
        """Digest of the weights and of the data that made them."""

    @property
    def temperature(self) -> float:
        """Divides the similarities before the softmax."""

    def similarities(self, features: Tensor, labels: Sequence[str]) -> Tensor:
        """Return cosine similarities (S, N, L) of features (N, D) to the labels' prototypes."""


@dataclass(frozen=True)
class Prediction:
    """One method's probabilities, float64 (N, L), and what made them."""

    method: str
    seed: int | None
    probabilities: Scores
    model_digest: str
    fitted_on: list[str]
    seen: Seen
    seeds: int | None = None

    def select(self, rows: Sequence[int]) -> "Prediction":
        """Return the prediction of the given pictures alone."""
        return Prediction(
            self.method,
            self.seed,
            self.probabilities[list(rows)],
            self.model_digest,
            self.fitted_on,
            self.seen,
            self.seeds,
        )


def predict_projector(
    projector: ProjectorLike, features: Tensor, labels: Sequence[str], dataset: str, trained_on: Sequence[str]
) -> tuple[list[Prediction], Prediction]:
    """Return one prediction a seed, and the ensemble's: the softmax of the seeds' mean similarity.

    Raises CheckpointError where the similarities have another shape than (S, N, L) or are not finite.
    """
    similarities = _similarities(projector, features, labels)  # (S, N, L)
    fitted_on, relation = [f"{name}/train" for name in trained_on], seen(dataset, trained_on)
    singles = [
        Prediction("projector", seed, softmax(one / projector.temperature), projector.digest, fitted_on, relation)
        for seed, one in zip(projector.seeds, similarities, strict=True)
    ]
    together = softmax(similarities.mean(axis=0) / projector.temperature)
    ensemble = Prediction(
        "projector_ensemble", None, together, projector.digest, fitted_on, relation, len(projector.seeds)
    )
    return singles, ensemble


def predict_baselines(
    train: LabelledFeatures, features: Tensor, labels: Sequence[str], dataset: str
) -> list[Prediction]:
    """Fit each baseline on `train`, the dataset's own train split, and return its prediction."""
    return [
        Prediction(
            method,
            None,
            baseline(train, features, labels),
            _digest(method, train),
            [f"{dataset}/train"],
            "own train split",
        )
        for method, baseline in BASELINES.items()
    ]


def softmax(logits: Scores) -> Scores:
    """Return exp(logits) / Σ exp(logits) along the last axis, shifted by its maximum to be stable."""
    powers: Scores = np.exp(logits - logits.max(axis=-1, keepdims=True))
    shares: Scores = powers / powers.sum(axis=-1, keepdims=True)
    return shares


def _similarities(projector: ProjectorLike, features: Tensor, labels: Sequence[str]) -> Scores:
    found = projector.similarities(features, labels).detach().cpu().double().numpy()
    expected = (len(projector.seeds), len(features), len(labels))
    if found.shape != expected:
        raise CheckpointError(
            f"projector {projector.digest[:12]}: expected similarities (seeds, pictures, labels) = "
            f"{expected}, found {found.shape}. Materialize projector/model again with this version."
        )
    if not np.isfinite(found).all():
        seed, picture, label = (int(axis[0]) for axis in np.nonzero(~np.isfinite(found)))
        raise CheckpointError(
            f"projector {projector.digest[:12]}, seed {projector.seeds[seed]}: the similarity of picture "
            f"{picture} to '{labels[label]}' is {found[seed, picture, label]}, expected a cosine. Its "
            "weights are damaged: delete models/projector and materialize projector/model again."
        )
    return np.asarray(found, dtype=np.float64)


def _digest(method: str, train: LabelledFeatures) -> str:
    """Return a digest of what decides a baseline: the method and its training rows."""
    digest = hashlib.sha256(method.encode())
    for sha256, emotion in zip(train.sha256, train.emotions, strict=True):
        digest.update(f"\n{sha256} {emotion}".encode())
    digest.update(train.features.contiguous().numpy().tobytes())
    return digest.hexdigest()
