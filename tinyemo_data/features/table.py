"""Features in memory: one contiguous tensor, row by row beside the samples they belong to."""

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class FeatureTable:
    """The cached features of one dataset under one encoder, in the order of `sample_id`."""

    sample_ids: list[str]
    sha256: list[str]
    features: torch.Tensor  # (N, D) float16, contiguous
    encoder: str  # slug of the encoder that made them


@dataclass(frozen=True)
class LabelledFeatures:
    """Features with the label of each row: what training and evaluation take. May span datasets."""

    features: torch.Tensor  # (N, D) float16, contiguous
    sample_ids: list[str]
    sha256: list[str]
    datasets: list[str]
    taxonomies: list[str]
    emotions: list[str]  # canonical labels

    def __len__(self) -> int:
        return len(self.sample_ids)

    def select(self, rows: list[int] | torch.Tensor) -> "LabelledFeatures":
        """Return the given rows, in the given order."""
        indices = torch.as_tensor(rows, dtype=torch.long)
        chosen = indices.tolist()
        return LabelledFeatures(
            self.features[indices],
            [self.sample_ids[i] for i in chosen],
            [self.sha256[i] for i in chosen],
            [self.datasets[i] for i in chosen],
            [self.taxonomies[i] for i in chosen],
            [self.emotions[i] for i in chosen],
        )


def concatenate(parts: list[LabelledFeatures]) -> LabelledFeatures:
    """Lay labelled features of several datasets one after the other; all must have the same dimension."""
    return LabelledFeatures(
        torch.cat([part.features for part in parts]),
        [value for part in parts for value in part.sample_ids],
        [value for part in parts for value in part.sha256],
        [value for part in parts for value in part.datasets],
        [value for part in parts for value in part.taxonomies],
        [value for part in parts for value in part.emotions],
    )
