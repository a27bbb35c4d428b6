"""A world of features in which it is known which attribute was planted on which emotion.

A picture is its emotion's direction, plus the directions of its attributes, plus noise. Attributes are independent of
emotions wherever nothing is planted; a twin goes along with its parent. Planting raises P(attribute | emotion) in
the training pictures to a given odds ratio, nothing else. Directions of emotions and attributes share a subspace of 96
of 256 dimensions: so they are no more orthogonal than those of real features, the projector reaches an accuracy of
0.58, and effects of pairs that were not planted have a deviation of 0.14.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from tinyemo_data import taxonomy
from tinyemo_data.audit.bias.attributes import AttributeTable
from tinyemo_data.audit.bias.inputs import BiasInputs
from tinyemo_data.audit.bias.pictures import Pictures
from tinyemo_data.audit.bias.retraining import Retraining, retrainer
from tinyemo_data.features.table import LabelledFeatures
from tinyemo_data.projector.ensemble import ensemble_of
from tinyemo_data.projector.prototypes import with_digest
from tinyemo_data.projector.training import prototypes_in_use, train_projector
from tinyemo_data.settings import ProjectorSettings

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]
RECALL, FALSE_ALARMS = 0.7, 0.02  # of a poor attribute tagger


@dataclass(frozen=True)
class Size:
    """How large a world is."""

    taxonomy: str = "mikels8"
    emotions: int = 8  # the first of the taxonomy's
    attributes: int = 60
    twins: int = 10  # of these
    planted: int = 6
    features: int = 256
    subspace: int = 96
    train: int = 20_000
    audit: int = 6_000
    emotion_length: float = 1.9  # in deviations of the noise
    attribute_length: float = 3.0
    phi: float = 0.5  # of a twin and its parent
    width: int = 128  # of the prototypes


@dataclass(frozen=True)
class Drawn:
    """Pictures of a world."""

    labels: Integers
    attributes: Flags  # as they are
    features: torch.Tensor  # float16


class World:
    """One seed's emotions, attributes and planted pairs."""

    def __init__(self, seed: int, size: Size) -> None:
        rng = np.random.default_rng([seed, 1])
        self.seed, self.size = seed, size
        self.labels = taxonomy.get(size.taxonomy).labels[: size.emotions]
        self.single = size.attributes - size.twins
        self.prevalence = rng.uniform(0.03, 0.25, self.single)
        self.parents = rng.choice(self.single, size.twins, replace=False)
        basis = np.linalg.qr(rng.standard_normal((size.features, size.subspace)))[0]
        self.emotions = _directions(rng, size.emotions, basis, size.emotion_length)
        self.attributes = _directions(rng, size.attributes, basis, size.attribute_length)
        # Half of the planted attributes have a twin, which nobody planted.
        with_twin = rng.choice(self.parents, size.planted // 2, replace=False)
        alone = rng.choice(np.setdiff1d(np.arange(self.single), self.parents), size.planted - len(with_twin), False)
        chosen = rng.integers(0, size.emotions, size.planted)
        self.planted = list(zip(np.r_[with_twin, alone].tolist(), chosen.tolist(), strict=True))
        width = (len(taxonomy.get(size.taxonomy).labels), size.width)
        points = torch.randn(width, generator=torch.Generator().manual_seed(seed))
        self.prototypes = with_digest(taxonomy.get(size.taxonomy).labels, points, {}, "random points", "{emotion}")

    @property
    def names(self) -> tuple[str, ...]:
        twins = [f"twin of {parent:02d}" for parent in self.parents]
        return (*(f"attribute {number:02d}" for number in range(self.single)), *twins)

    def planted_pairs(self) -> set[tuple[str, str]]:
        return {(self.names[attribute], self.labels[emotion]) for attribute, emotion in self.planted}

    def twin_pairs(self) -> set[tuple[str, str]]:
        """The twins of planted attributes, with the emotion that those were planted on."""
        twin = {int(parent): self.names[self.single + number] for number, parent in enumerate(self.parents)}
        return {(twin[attribute], self.labels[emotion]) for attribute, emotion in self.planted if attribute in twin}

    def draw(self, count: int, odds_ratio: float, draw: int, invisible: bool = False) -> Drawn:
        """Draw pictures; `invisible` leaves the planted attributes out of the features."""
        rng = np.random.default_rng([self.seed, 2, draw])
        labels = rng.integers(0, self.size.emotions, count)
        chance = np.tile(self.prevalence, (count, 1))
        for attribute, emotion in self.planted:
            odds = odds_ratio * self.prevalence[attribute] / (1 - self.prevalence[attribute])
            chance[labels == emotion, attribute] = odds / (1 + odds)
        single = rng.random((count, self.single)) < chance
        base, phi = self.prevalence[self.parents], self.size.phi
        of_twin = np.where(single[:, self.parents], base + phi * (1 - base), base * (1 - phi))
        attributes = np.concatenate([single, rng.random((count, self.size.twins)) < of_twin], axis=1)
        seen = attributes.copy()
        if invisible:
            seen[:, [attribute for attribute, _ in self.planted]] = False
        values = self.emotions[labels] + seen @ self.attributes
        values += rng.standard_normal((count, self.size.features))
        return Drawn(labels, attributes, torch.from_numpy(values).half())

    def labelled(self, drawn: Drawn, part: str) -> LabelledFeatures:
        count = len(drawn.labels)
        ids = [f"{part}/{number:06d}" for number in range(count)]
        emotions = [self.labels[label] for label in drawn.labels]
        return LabelledFeatures(drawn.features, ids, ids, ["world"] * count, [self.size.taxonomy] * count, emotions)

    def pictures(self, drawn: Drawn, part: str, noisy: bool) -> Pictures:
        seen = self._tagged(drawn.attributes, part) if noisy else drawn.attributes
        names = self.names
        table = AttributeTable(names, ("annotated",) * len(names), seen.astype(np.int8))
        count = len(drawn.labels)
        ids = tuple(f"{part}/{number:06d}" for number in range(count))
        return Pictures(ids, drawn.labels, np.arange(count), table, drawn.features.numpy())

    def _tagged(self, attributes: Flags, part: str) -> Flags:
        rng = np.random.default_rng([self.seed, 3, len(part)])
        chance = rng.random(attributes.shape)
        return np.where(attributes, chance < RECALL, chance < FALSE_ALARMS)

    def inputs(self, train: Drawn, audit: Drawn, settings: ProjectorSettings, noisy: bool = False) -> BiasInputs:
        """Train the projector as the project does and return what the audit is given."""
        labelled = self.labelled(train, "train")
        courses = [train_projector(labelled, self.prototypes, settings, seed) for seed in settings.seeds]
        used = prototypes_in_use(self.prototypes, settings)
        ensemble = ensemble_of([one.projector for one in courses], settings.seeds, used, settings.temperature)
        how = Retraining(self.prototypes, settings, courses)
        return BiasInputs(
            self.labels,
            self.pictures(audit, "audit", noisy),
            self.pictures(train, "train", noisy),
            ensemble.similarities(audit.features, self.labels).numpy(),
            used.for_labels(self.labels).numpy(),
            "world",
            ensemble.digest,
            retrain=retrainer(labelled, np.arange(len(train.labels)), how, audit.features, self.labels),
        )


def projector_settings(**overrides: object) -> ProjectorSettings:
    """The project's own defaults, with one or two seeds instead of five and fewer epochs."""
    values = {"train_on": ["world"], "epochs": 8, "seeds": [0, 1], **overrides}
    return ProjectorSettings.model_validate(values)


def _directions(rng: np.random.Generator, count: int, basis: Floats, length: float) -> Floats:
    rows = rng.standard_normal((count, basis.shape[1])) @ basis.T
    scaled: Floats = rows * (length / np.linalg.norm(rows, axis=1, keepdims=True))
    return scaled
