"""Small made-up pictures with known attributes, classes, groups and margins."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest

from tinyemo_data.audit.bias.attributes import AttributeTable, Floats
from tinyemo_data.audit.bias.pictures import Pictures

Draw = Callable[..., "Drawn"]


@dataclass(frozen=True)
class Drawn:
    """Pictures, and outcomes (K, E, N) that depend on their attributes and classes."""

    pictures: Pictures
    outcomes: Floats


def draw(
    rows: int = 400,
    attributes: int = 4,
    classes: int = 3,
    group_size: int = 1,
    unknown: float = 0.0,
    kinds: int = 2,
    seed: int = 0,
) -> Drawn:
    """Draw pictures whose noise is stronger where attribute 0 is present, and shared within groups."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, rows)
    groups = rng.permutation(np.arange(rows) // group_size)
    values = (rng.random((rows, attributes)) < 0.2 + 0.1 * labels[:, None] / classes).astype(np.int8)
    effects = rng.normal(size=(kinds, classes, attributes))
    noise = rng.normal(size=(kinds, classes, rows)) + rng.normal(size=rows)[groups]
    noise = noise * (1 + values[:, 0])
    outcomes = effects @ values.T + rng.normal(size=(kinds, classes, classes))[:, :, labels] + noise
    values[rng.random(values.shape) < unknown] = -1
    return Drawn(pictures(values, labels, groups), outcomes)


def pictures(
    values: npt.NDArray[np.int8], labels: npt.NDArray[np.int64], groups: npt.NDArray[np.int64] | None = None
) -> Pictures:
    """Pictures without features or captions, of attributes a0, a1, …."""
    count, width = values.shape
    table = AttributeTable(tuple(f"a{n}" for n in range(width)), ("annotated",) * width, values)
    ids = tuple(f"set/{n}" for n in range(count))
    return Pictures(ids, labels, np.arange(count) if groups is None else groups, table)


@pytest.fixture
def make_drawn() -> Draw:
    return draw
