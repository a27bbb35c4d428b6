"""A dataset's folder as its tables, for tests that look at all rows of a small one."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from tinyemo_data import ingest as module
from tinyemo_data.progress import Report
from tinyemo_data.sample import read_quarantine, read_samples
from tinyemo_data.settings import DatasetSettings
from tinyemo_data.sources.source import Source
from tinyemo_data.store import Store


@dataclass(frozen=True)
class Tables:
    """What `ingest_into` wrote, and what it said."""

    samples: pl.DataFrame
    quarantine: pl.DataFrame
    source_kind: str
    notes: list[str]
    root: Path


def ingest(source: Source, root: Path, settings: DatasetSettings, progress: Report | None = None) -> Tables:
    """Ingest into a store of its own and read what was written."""
    with tempfile.TemporaryDirectory(prefix="tinyemo-test-") as folder:
        return ingest_and_read(Store(folder), source, root, settings, progress)


def ingest_and_read(
    store: Store, source: Source, root: Path, settings: DatasetSettings, progress: Report | None = None
) -> Tables:
    """Ingest into `store` and read what was written."""
    told = module.ingest_into(store, source, root, settings, progress)
    samples, quarantine = read_samples(store, source.card.name), read_quarantine(store, source.card.name)
    assert (told.rows, told.kept_apart) == (len(samples), len(quarantine))
    return Tables(samples, quarantine, told.source_kind, told.notes, told.root)
