"""What a dataset's module gives (`Source`) and what reading it yields (`Entry` or `Reject`).

A source knows its layout and its labels, and nothing else: opening pictures, hashing, quarantine and
the table are the same for all and live in `ingest`. To add a dataset, write one module with a
`SOURCE = Source(card, read)` beside the others; the asset graph finds it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tinyemo_data.settings import DatasetSettings


@dataclass(frozen=True)
class DatasetCard:
    """The facts of a dataset that messages, assets and cards need."""

    name: str  # the key in settings, paths and asset keys: lower-case letters and digits
    title: str
    home: str  # where to ask for it or get it
    licence: str
    layout: str  # what its folder looks like, as a person would describe it
    taxonomy: str | None  # None where a dataset has only dimensions
    published: dict[str, int]  # published number of pictures, in all ("all") and a split or emotion where known


@dataclass(frozen=True)
class Entry:
    """One file that its dataset offers as a sample: all that is known of it without opening it."""

    path: str  # relative to the dataset's root, with /
    split: str | None  # None: no official split, so the seeded one
    emotion: str | None  # canonical label; None where there are only dimensions
    label_source: str
    taxonomy: str | None
    votes: dict[str, int] | None = None
    distribution: dict[str, float] | None = None
    keyword: str | None = None
    valence: float | None = None
    arousal: float | None = None
    object: str | None = None
    attributes: dict[str, Any] | None = None


@dataclass(frozen=True)
class Reject:
    """One file that can't be a sample, with a machine-readable reason and a detail for people."""

    path: str
    reason: str
    detail: str


# (root, settings) -> entries and rejects, in a fixed order. Raises LayoutError or UnknownLabelError.
Reader = Callable[[Path, DatasetSettings], Iterator[Entry | Reject]]


@dataclass(frozen=True)
class Source:
    """A dataset: its card, how its picture layout is read, and how its released features are, if there are any."""

    card: DatasetCard
    read: Reader
    # Reads `.pt` features in place of pictures; tells by the folder alone whether it applies.
    is_released_features: Callable[[Path], bool] = field(default=lambda _: False)
    read_features: Reader | None = None
