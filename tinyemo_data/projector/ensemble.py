"""Projectors, one a seed, that predict together by their mean similarity to the labels' prototypes."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import orjson
import torch
from safetensors.torch import save as to_safetensors
from torch import Tensor
from torch.nn import functional

from tinyemo_data import taxonomy
from tinyemo_data.errors import CheckpointError
from tinyemo_data.features.table import LabelledFeatures
from tinyemo_data.projector.model import MetricProjector
from tinyemo_data.projector.prototypes import Prototypes

ROWS_AT_ONCE = 8192  # bounds the float32 copies at about 100 MB


@dataclass(frozen=True)
class ProjectorEnsemble:
    """Projectors in evaluation mode, with the prototypes, centred where training centred them."""

    projectors: list[MetricProjector]
    seeds: list[int]
    prototypes: Prototypes
    temperature: float  # of the softmax over similarities
    digest: str  # SHA-256 of the weights and the prototypes, in hex

    @property
    def dimension(self) -> int:
        """Size of the features that the projectors take."""
        return self.projectors[0].d

    @torch.no_grad()
    def similarities(self, features: Tensor, labels: Sequence[str]) -> Tensor:
        """Return the cosine similarity of `features` (N, D) to each label's prototype, (seeds, N, L) float32.

        Raises CheckpointError for features of another size, or a label without a prototype.
        """
        if features.ndim != 2 or features.shape[1] != self.dimension:
            raise CheckpointError(
                f"The projector takes features of size {self.dimension}; found a tensor of shape "
                f"{tuple(features.shape)}. Use the encoder that it was trained on, or train it on this "
                "one's features."
            )
        prototypes = functional.normalize(self.prototypes.for_labels(labels).float(), dim=1)
        result = torch.empty(len(self.projectors), len(features), len(labels))
        for number, projector in enumerate(self.projectors):
            projector.eval()
            for start in range(0, len(features), ROWS_AT_ONCE):
                rows = slice(start, start + ROWS_AT_ONCE)
                result[number, rows] = functional.normalize(projector(features[rows]), dim=1) @ prototypes.T
        return result

    def predict(self, features: Tensor, labels: Sequence[str]) -> Tensor:
        """Return each row's nearest label by mean similarity over the seeds: (N,) int64 into `labels`."""
        return self.similarities(features, labels).mean(dim=0).argmax(dim=1)

    def probabilities(self, features: Tensor, labels: Sequence[str]) -> Tensor:
        """Return the softmax of mean similarity over the temperature, (N, L) float32, rows summing to 1."""
        return (self.similarities(features, labels).mean(dim=0) / self.temperature).softmax(dim=1)


def ensemble_of(
    projectors: Sequence[MetricProjector], seeds: Sequence[int], prototypes: Prototypes, temperature: float
) -> ProjectorEnsemble:
    """Gather projectors, one a seed; their digest covers weights, seeds, prototypes and temperature."""
    hasher = hashlib.sha256(orjson.dumps([list(seeds), prototypes.digest, temperature]))
    for projector in projectors:
        hasher.update(to_safetensors(projector.state_dict()))
    return ProjectorEnsemble(
        [projector.eval() for projector in projectors],
        list(seeds),
        prototypes,
        temperature,
        hasher.hexdigest(),
    )


def right_rows(ensemble: ProjectorEnsemble, labelled: LabelledFeatures) -> Tensor:
    """Tell which rows each seed, and last the mean of all, gets right: (seeds + 1, N) bool.

    Each row is predicted among the labels of its own taxonomy.
    """
    right = torch.zeros(len(ensemble.seeds) + 1, len(labelled), dtype=torch.bool)
    for name in sorted(set(labelled.taxonomies)):
        rows = torch.tensor([row for row, other in enumerate(labelled.taxonomies) if other == name])
        labels = taxonomy.get(name).labels
        truth = torch.tensor([labels.index(labelled.emotions[row]) for row in rows.tolist()])
        similarities = ensemble.similarities(labelled.features[rows], labels)
        voices = torch.cat([similarities, similarities.mean(dim=0, keepdim=True)])
        right[:, rows] = voices.argmax(dim=2) == truth
    return right
