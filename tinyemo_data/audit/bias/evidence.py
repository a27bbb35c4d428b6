"""Pictures that a person looks at to decide: of the slice, and of like pictures without the attribute."""

from dataclasses import dataclass

import numpy as np

from tinyemo_data.audit.bias.attributes import ABSENT, PRESENT, Floats, Integers
from tinyemo_data.audit.bias.pictures import Pictures

EXAMPLES, CONTROLS = 12, 6


@dataclass(frozen=True)
class Evidence:
    """Sample ids of one pair."""

    slice_id: str
    examples: list[str]  # with the attribute, wrongly predicted to be e, highest margin first
    controls: list[str]  # of the examples' emotions, without the attribute, nearest in picture features


def gather_evidence(
    slice_id: str, attribute: int, emotion: int, pictures: Pictures, margin: Floats, predicted: Integers
) -> Evidence:
    """Return up to 12 examples and 6 controls. `margin` is (E, N); without features there are no controls."""
    values = pictures.attributes.values[:, attribute]
    erred = (values == PRESENT) & (predicted == emotion) & (pictures.labels != emotion)
    rows = np.flatnonzero(erred)
    examples = rows[np.argsort(-margin[emotion, rows], kind="stable")][:EXAMPLES]
    controls = _nearest_without(examples, values, pictures)
    return Evidence(slice_id, *([pictures.sample_ids[row] for row in chosen] for chosen in (examples, controls)))


def _nearest_without(examples: Integers, values: np.ndarray, pictures: Pictures) -> list[int]:
    """Return for the first examples the nearest picture of the same emotion without the attribute, each once."""
    if pictures.features is None:
        return []
    found: list[int] = []
    for row in examples[:CONTROLS]:
        pool = np.flatnonzero((values == ABSENT) & (pictures.labels == pictures.labels[row]))
        pool = pool[~np.isin(pool, found)]
        if len(pool):
            features = pictures.features[pool].astype(np.float32)
            own = pictures.features[row].astype(np.float32)
            cosines = features @ own / np.maximum(np.linalg.norm(features, axis=1) * np.linalg.norm(own), 1e-12)
            found.append(int(pool[cosines.argmax()]))
    return found
