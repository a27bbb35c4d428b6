"""The label of any picture file: encoder, projector, nearest label. Needs no language model but its embedding rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from tinyemo_data import taxonomy
from tinyemo_data.features.decode import UnreadablePictureError
from tinyemo_data.features.encoder import Encoder
from tinyemo_data.projector.checkpoint import load_checkpoint
from tinyemo_data.projector.prototypes import read_prototypes
from tinyemo_data.settings import Settings
from tinyemo_data.store import Store


@dataclass(frozen=True)
class Classified:
    """A picture's labels and their probabilities, the most probable first."""

    path: Path
    ranked: tuple[tuple[str, float], ...]

    @property
    def label(self) -> str:
        """Return the most probable label."""
        return self.ranked[0][0]


@dataclass(frozen=True)
class Refused:
    """A file that has no pixels to give."""

    path: Path
    reason: str


class Classifier:
    """The profile's encoder and the store's projector, for pictures of no dataset."""

    def __init__(self, store: Store, settings: Settings, vocabulary: str) -> None:
        """Load both. Raises StoreError or CheckpointError where there is no projector, or one of another encoder."""
        self.labels = taxonomy.get(vocabulary).labels
        prototypes = read_prototypes(store)
        self.encoder = Encoder(settings.encoder)
        self.projectors = load_checkpoint(store, prototypes, encoder=self.encoder.identity.slug)

    def classify(self, paths: Sequence[Path]) -> list[Classified | Refused]:
        """Return each picture's labels, or why it can't be read, in the order of `paths`."""
        found: list[Classified | Refused] = []
        for start in range(0, len(paths), self.encoder.batch_size):
            found += self._classify(paths[start : start + self.encoder.batch_size])
        return found

    def _classify(self, paths: Sequence[Path]) -> list[Classified | Refused]:
        crops = [self._crop(path) for path in paths]
        features = self.encoder.encode([crop for crop in crops if isinstance(crop, torch.Tensor)])
        rows = iter(self.projectors.probabilities(features, self.labels).tolist())
        return [
            crop if isinstance(crop, Refused) else Classified(path, self._ranked(next(rows)))
            for path, crop in zip(paths, crops, strict=True)
        ]

    def _crop(self, path: Path) -> torch.Tensor | Refused:
        preprocessing = self.encoder.preprocessing
        try:
            return preprocessing.crop(preprocessing.pixels(path.read_bytes()))
        except UnreadablePictureError as exc:
            return Refused(path, str(exc))
        except OSError as exc:
            return Refused(path, exc.strerror or str(exc))

    def _ranked(self, probabilities: Sequence[float]) -> tuple[tuple[str, float], ...]:
        return tuple(sorted(zip(self.labels, probabilities, strict=True), key=lambda pair: -pair[1]))
