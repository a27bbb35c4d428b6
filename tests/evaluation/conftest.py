"""Pictures to evaluate on, drawn or real, and a projector that is real though tiny."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import Tensor

from tinyemo_data.evaluation.classification import evaluate_dataset
from tinyemo_data.evaluation.prediction import ProjectorLike
from tinyemo_data.evaluation.report import ClassificationReport, Context
from tinyemo_data.features.table import LabelledFeatures
from tinyemo_data.settings import EvaluationSettings

EKMAN = ["anger", "disgust", "fear", "joy", "sadness", "surprise"]
Draw = Callable[..., LabelledFeatures]


@dataclass(frozen=True)
class ClassMeanProjector:
    """Similarity = cosine to the mean of half of a class's train pictures, drawn anew for each seed."""

    train: LabelledFeatures
    seeds: tuple[int, ...] = (0, 1, 2)
    temperature: float = 0.05
    digest: str = "c" * 64

    def similarities(self, features: Tensor, labels: Sequence[str]) -> Tensor:
        """Return cosines (S, N, L)."""
        return torch.stack([unit(features) @ self._means(seed, labels).T for seed in self.seeds])

    def _means(self, seed: int, labels: Sequence[str]) -> Tensor:
        order = torch.randperm(len(self.train), generator=torch.Generator().manual_seed(seed)).tolist()
        means = torch.zeros(len(labels), self.train.features.shape[1])
        for code, label in enumerate(labels):
            rows = [row for row in order if self.train.emotions[row] == label]
            half = rows[: (len(rows) + 1) // 2]
            if half:
                means[code] = unit(self.train.features[half]).mean(dim=0)
        return unit(means)


def unit(vectors: Tensor) -> Tensor:
    return torch.nn.functional.normalize(vectors.float(), dim=1)


@pytest.fixture(scope="session")
def draw() -> Draw:
    """Return a function that draws labelled features around one direction a label."""

    def drawn(
        counts: dict[str, int],
        *,
        seed: int = 0,
        noise: float = 0.1,
        dataset: str = "emotion6",
        split: str = "train",
        dimension: int = 16,
    ) -> LabelledFeatures:
        known = sorted({*EKMAN, *counts})
        centres = torch.randn(len(known), dimension, generator=torch.Generator().manual_seed(99))
        generator = torch.Generator().manual_seed(seed)
        emotions = [label for label, count in counts.items() for _ in range(count)]
        spread = noise * torch.randn(len(emotions), dimension, generator=generator)
        features = (centres[[known.index(label) for label in emotions]] + spread).half()
        return labelled(features, emotions, dataset, split)

    return drawn


def labelled(features: Tensor, emotions: list[str], dataset: str, split: str) -> LabelledFeatures:
    ids = [f"{dataset}/{split}/{emotion}/{row}" for row, emotion in enumerate(emotions)]
    digests = [hashlib.sha256(feature.numpy().tobytes()).hexdigest() for feature in features]
    return LabelledFeatures(features, ids, digests, [dataset] * len(ids), ["ekman6"] * len(ids), emotions)


@pytest.fixture(scope="session")
def projector_of() -> Callable[..., ProjectorLike]:
    """Return the projector that learns its class means from a train split."""
    return ClassMeanProjector


@pytest.fixture
def settings() -> EvaluationSettings:
    return EvaluationSettings(datasets=["emotion6"], bootstrap=500)


@pytest.fixture(scope="session")
def emotion6(shared_data: Path) -> dict[str, LabelledFeatures]:
    """The released CLIP features of Emotion6, a split each."""
    root = shared_data / "emotion6_clip_features" / "images"
    return {split: _released(root / split, split) for split in ("train", "validation")}


def _released(folder: Path, split: str) -> LabelledFeatures:
    paths = sorted(folder.glob("*/*.pt"))
    features = torch.stack([torch.load(path, weights_only=True).flatten() for path in paths])
    return labelled(features, [path.parent.name for path in paths], "emotion6", split)


@pytest.fixture
def context() -> Context:
    return Context(
        profile="emotion6",
        pictures="real",
        encoder="ViT-L-14-quickgelu/openai",
        language_model="tiny",
        language_model_made_on_the_spot=True,
        datasets_used=["emotion6"],
        datasets_missing=["fi"],
    )


@pytest.fixture
def report(
    draw: Draw, projector_of: Callable[..., ProjectorLike], settings: EvaluationSettings, context: Context
) -> ClassificationReport:
    """A report of two datasets, one of them with a twin and an absent emotion."""
    rows = []
    for dataset, missing in (("emotion6", 0), ("emotionroi", 1)):
        train = draw(dict.fromkeys(EKMAN, 12), dataset=dataset, noise=1.5)
        counts = dict.fromkeys(EKMAN[missing:], 5)
        test = draw(counts, dataset=dataset, split="test", seed=7, noise=1.5)
        rows += evaluate_dataset(
            test,
            train,
            projector_of(train),
            settings,
            dataset,
            "test",
            exclude={test.sample_ids[0]} if missing else set(),
            labels=EKMAN,
            trained_on=["emotion6"],
        )
    return ClassificationReport(rows, ["a note typed by nobody but this test"], context)
