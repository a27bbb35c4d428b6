"""Small clustered features and random prototypes: what a projector can learn in a moment."""

import hashlib
import zlib
from collections.abc import Callable

import pytest
import torch

from tinyemo_data import taxonomy
from tinyemo_data.features.table import LabelledFeatures
from tinyemo_data.projector.prototypes import Prototypes, with_digest
from tinyemo_data.settings import ProjectorSettings

MakeLabelled = Callable[..., LabelledFeatures]
MakeSettings = Callable[..., ProjectorSettings]


def clustered(
    rows: int = 60,
    size: int = 8,
    taxonomy_name: str = "ekman6",
    dataset: str = "emotion6",
    seed: int = 0,
) -> LabelledFeatures:
    """Rows in turn of each label, each near its label's own point, so that a projector can tell them apart."""
    generator = torch.Generator().manual_seed(seed)
    labels = taxonomy.get(taxonomy_name).labels
    # The points depend on the words alone, so that equal words of two taxonomies lie together.
    points = {label: _point(label, size) for label in labels}
    emotions = [labels[row % len(labels)] for row in range(rows)]
    noise = torch.randn(rows, size, generator=generator) * 0.3
    features = (torch.stack([points[emotion] for emotion in emotions]) + noise).half()
    digests = [hashlib.sha256(row.numpy().tobytes()).hexdigest() for row in features]
    return LabelledFeatures(
        features,
        [f"{dataset}/{number}" for number in range(rows)],
        digests,
        [dataset] * rows,
        [taxonomy_name] * rows,
        emotions,
    )


def _point(word: str, size: int) -> torch.Tensor:
    return torch.randn(size, generator=torch.Generator().manual_seed(zlib.crc32(word.encode())))


@pytest.fixture
def make_labelled() -> MakeLabelled:
    return clustered


@pytest.fixture
def labelled() -> LabelledFeatures:
    return clustered()


@pytest.fixture
def prototypes() -> Prototypes:
    """One random point (h = 12) and two synonyms for each label of three taxonomies."""
    names = ("ekman6", "mikels8", "unbiasedemo6")
    words = sorted({label for name in names for label in taxonomy.get(name).labels})
    generator = torch.Generator().manual_seed(0)
    embeddings = torch.randn(len(words), 12, generator=generator)
    synonyms = {word: torch.randn(2, 12, generator=generator) for word in words}
    return with_digest(words, embeddings, synonyms, "random points", "{emotion}")


@pytest.fixture
def make_settings() -> MakeSettings:
    def make(**overrides: object) -> ProjectorSettings:
        values: dict[str, object] = {
            "train_on": ["emotion6"],
            "epochs": 4,
            "batch_size": 16,
            "max_learning_rate": 0.01,
            "seeds": [0, 1],
            "center_prototypes": False,
            **overrides,
        }
        return ProjectorSettings.model_validate(values)

    return make
