"""Ingest: a dataset's folder becomes a Sample table and a quarantine.

What differs between datasets is in `sources`; here is what all have in common: finding the root, opening
every file on a bounded pool of threads, hashing, the seeded split, duplicates, and the quarantine. Rows are
gathered in column batches, so that 300,000 files need no more memory than their table.
"""

import os
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any

import polars as pl

from tinyemo_data import taxonomy
from tinyemo_data.errors import DatasetMissingError, FeatureError, LayoutError, UnknownLabelError
from tinyemo_data.progress import Meter, Report
from tinyemo_data.sample import Quarantined, Sample, write_samples
from tinyemo_data.settings import DatasetSettings
from tinyemo_data.sources.boundary import Boundary
from tinyemo_data.sources.flaw import Flaw
from tinyemo_data.sources.folder import is_junk, is_plain
from tinyemo_data.sources.picture import PictureFacts, inspect_picture
from tinyemo_data.sources.source import Entry, Reader, Reject, Source
from tinyemo_data.sources.split import assign_split
from tinyemo_data.store import Store

THREADS = min(32, os.cpu_count() or 1)
HANDFUL = 32  # files that a thread takes at once
WINDOW = 4 * HANDFUL * THREADS  # files under way at once: bounds memory, and keeps every thread busy
BATCH = 8_192  # rows that are Python lists before they become columns
PROGRESS_EVERY = 100
SHOWN = 6
# The Sample table's columns, and one more that no table keeps: a released feature's number of values.
COLUMNS = {**Sample.create_empty().schema, "dimension": pl.Int32()}
# Columns that an entry brings as they are.
COPIED = ("label_source", "taxonomy", "keyword", "valence", "arousal", "object", "attributes")


@dataclass(frozen=True)
class Ingested:
    """What a dataset's folder held."""

    samples: pl.DataFrame  # columns of Sample, sorted by sample_id
    quarantine: pl.DataFrame  # columns of Quarantined, sorted by path
    source_kind: str  # picture or feature
    notes: list[str]  # for people: what they may not expect
    root: Path  # what image_path is relative to: the folder asked for, or the one nested in it


@dataclass(frozen=True)
class FeatureFacts:
    """What a released feature's bytes say."""

    sha256: str  # of the tensor's raw little-endian bytes, hex
    dimension: int


Outcome = PictureFacts | FeatureFacts | Flaw
Examiner = Callable[[Path], Outcome]


def ingest_into(
    store: Store, source: Source, root: Path, settings: DatasetSettings, progress: Report | None = None
) -> Ingested:
    """Ingest and write `samples/<dataset>.parquet` and `quarantine/<dataset>.parquet`; see `ingest`."""
    ingested = ingest(source, root, settings, progress)
    write_samples(store, source.card.name, ingested.samples, ingested.quarantine)
    return ingested


def ingest(source: Source, root: Path, settings: DatasetSettings, progress: Report | None = None) -> Ingested:
    """Read a dataset's folder: every file becomes a row of the samples or of the quarantine.

    Raises DatasetMissingError where the folder is absent or empty, LayoutError where nothing in it is usable
    or it lies otherwise than distributed, UnknownLabelError for a label that its taxonomy does not have.
    """
    found = find_root(source, root, settings)
    rows = _Rows(source.card.name, settings.split_seed)
    # How many files there are is known at the end alone: until then the published count stands for it.
    meter = Meter(source.card.published.get("all", 0), progress)
    for done, (entry, outcome) in enumerate(_examined(source, found, settings), start=1):
        rows.add(entry, outcome)
        if done % PROGRESS_EVERY == 0:
            meter.advance(PROGRESS_EVERY)
    samples, quarantine = rows.tables()
    meter.finish(len(samples) + len(quarantine))
    if samples.is_empty():
        raise _nothing_usable(source, found, quarantine)
    kind = str(samples["source_kind"][0])
    return Ingested(samples, quarantine, kind, _notes(root, found, samples), found)


def find_root(source: Source, root: Path, settings: DatasetSettings) -> Path:
    """Return the folder that holds the dataset, without links: `root`, or the one folder in it.

    Raises DatasetMissingError where `root` is absent or holds nothing, LayoutError where it can't be listed.
    """
    real = Path(os.path.realpath(root))
    visible = _visible(real)
    if not visible:
        raise _missing(source, root)
    folders = [real / name for name in visible if (real / name).is_dir() and not (real / name).is_symlink()]
    if len(folders) == 1 and not _holds_entries(source, real, settings):
        return folders[0] if _holds_entries(source, folders[0], settings) else real
    return real


def _visible(folder: Path) -> list[str]:
    try:
        return sorted(entry.name for entry in folder.iterdir() if not is_junk(entry.name))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as exc:
        raise LayoutError(f"{folder} can't be listed ({exc}). Mend its permissions.") from exc


def _reader(source: Source, root: Path) -> tuple[Reader, Examiner]:
    """Return what reads the folder's entries and what opens their files."""
    if source.read_features is not None and source.is_released_features(root):
        return source.read_features, _examine_feature
    return source.read, inspect_picture


def _holds_entries(source: Source, root: Path, settings: DatasetSettings) -> bool:
    read, _ = _reader(source, root)
    try:
        return any(isinstance(entry, Entry) for entry in read(root, settings))
    except (LayoutError, UnknownLabelError):
        return False


def _examined(source: Source, root: Path, settings: DatasetSettings) -> Iterator[tuple[Entry | Reject, Outcome]]:
    """Open every file on a pool of threads; yield in the source's order, reading at most WINDOW ahead."""
    read, examine = _reader(source, root)
    boundary = Boundary(root)
    waiting: deque[tuple[list[Entry | Reject], Future[list[Outcome]]]] = deque()
    pool = ThreadPoolExecutor(THREADS, thread_name_prefix="ingest")
    try:
        for handful in _handfuls(read(root, settings)):
            waiting.append((handful, pool.submit(_examine, examine, root, boundary, handful)))
            if len(waiting) * HANDFUL >= WINDOW:
                first, outcomes = waiting.popleft()
                yield from zip(first, outcomes.result(), strict=True)
        for entries, outcomes in waiting:
            yield from zip(entries, outcomes.result(), strict=True)
    finally:
        pool.shutdown(cancel_futures=True)


def _handfuls(entries: Iterator[Entry | Reject]) -> Iterator[list[Entry | Reject]]:
    """Cut into lists of HANDFUL: for small files, handing over one by one costs as much as looking at them."""
    while handful := list(islice(entries, HANDFUL)):
        yield handful


def _examine(examine: Examiner, root: Path, boundary: Boundary, entries: list[Entry | Reject]) -> list[Outcome]:
    return [_examine_one(examine, root, boundary, entry) for entry in entries]


def _examine_one(examine: Examiner, root: Path, boundary: Boundary, entry: Entry | Reject) -> Outcome:
    if isinstance(entry, Reject):
        return Flaw(entry.reason, entry.detail)
    if not is_plain(entry.path):
        return Flaw("bad_name", "its name is no text (control characters, or bytes that are no UTF-8): rename it")
    if not boundary.holds(entry.path):
        return Flaw("outside_dataset", "a symbolic link or '..' leads outside the dataset's folder")
    return examine(root / entry.path)


def _examine_feature(path: Path) -> FeatureFacts | Flaw:
    # Not at the top: the room of features brings torch, which pictures do without.
    from tinyemo_data.features.released import feature_digest, read_released_tensor

    if not path.is_file():
        return Flaw("missing", "there is no such file")
    try:
        feature = read_released_tensor(path)
    except FeatureError as exc:
        return Flaw("unreadable_feature", str(exc).replace(str(path), path.name))
    return FeatureFacts(feature_digest(feature), int(feature.size))


class _Rows:
    """Gathers what was found, in column batches; `tables` gives the samples and the quarantine."""

    def __init__(self, dataset: str, split_seed: int) -> None:
        self._dataset = dataset
        self._split_seed = split_seed
        self._batch: list[dict[str, Any]] = []
        self._samples = [pl.DataFrame(schema=COLUMNS)]
        self._rejects: list[tuple[str, str, str, str]] = []

    def add(self, entry: Entry | Reject, outcome: Outcome) -> None:
        """Take one file. Raises UnknownLabelError for a label that is not in its taxonomy."""
        if isinstance(outcome, Flaw):
            self._reject(entry.path, outcome)
        elif isinstance(entry, Entry):
            self._batch.append(self._row(entry, outcome))
        if len(self._batch) >= BATCH:
            self._flush()

    def tables(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return samples (sorted by sample_id) and quarantine (sorted by path), each file in one of them."""
        self._flush()
        found = pl.concat(self._samples)
        self._samples = []  # at 300,000 rows, a part that is held on to is a hundred megabytes
        found = self._without_other_dimensions(self._without_duplicates(found)).drop("dimension")
        quarantine = pl.DataFrame(self._rejects, schema=Quarantined.create_empty().schema, orient="row")
        return found.sort("sample_id"), quarantine.sort("path", "reason")

    def _without_duplicates(self, found: pl.DataFrame) -> pl.DataFrame:
        """Keep the first row of each id: names that differ in their suffix alone share one."""
        is_first = found["sample_id"].is_first_distinct()
        repeated = found.filter(~is_first).select("sample_id", "image_path")
        kept = found.filter(is_first) if len(repeated) else found
        holders = dict(kept.join(repeated, on="sample_id", how="semi").select("sample_id", "image_path").iter_rows())
        for sample_id, path in repeated.iter_rows():
            self._reject(path, Flaw("duplicate_id", f"its id is that of {holders[sample_id]}"))
        return kept

    def _without_other_dimensions(self, found: pl.DataFrame) -> pl.DataFrame:
        """Keep the features that have as many values as most; pictures have none and stay."""
        common = _most_common(found["dimension"])
        others = found.filter(pl.col("dimension").ne_missing(common)).select("image_path", "dimension")
        for path, dimension in others.iter_rows():
            self._reject(path, Flaw("wrong_dimension", f"{dimension} values where most have {common}"))
        return found.filter(pl.col("dimension").eq_missing(common)) if len(others) else found

    def _row(self, entry: Entry, facts: PictureFacts | FeatureFacts) -> dict[str, Any]:
        stem = str(PurePosixPath(entry.path).with_suffix(""))
        sample_id = f"{self._dataset}/{stem}"
        return {
            "sample_id": sample_id,
            "source_kind": "picture" if isinstance(facts, PictureFacts) else "feature",
            "dataset": self._dataset,
            "split": entry.split or assign_split(sample_id, self._split_seed),
            "image_path": entry.path,
            "emotion": _canonical(entry, self._dataset),
            "votes": _pairs(entry.votes, "votes"),
            "distribution": _pairs(entry.distribution, "probability"),
            **{name: getattr(entry, name) for name in COPIED},
            **vars(facts),
        }

    def _reject(self, path: str, flaw: Flaw) -> None:
        plain = path.encode("utf-8", "backslashreplace").decode()
        self._rejects.append((self._dataset, plain, flaw.reason, flaw.detail))

    def _flush(self) -> None:
        self._samples.append(pl.DataFrame(self._batch, schema=COLUMNS))
        self._batch = []


def _canonical(entry: Entry, dataset: str) -> str | None:
    if entry.emotion is None or entry.taxonomy is None:
        return entry.emotion
    return taxonomy.get(entry.taxonomy).canonical(entry.emotion, f"{dataset}, {entry.path}")


def _pairs(shares: dict[str, Any] | None, value: str) -> list[dict[str, Any]] | None:
    return None if shares is None else [{"emotion": label, value: shares[label]} for label in sorted(shares)]


def _most_common(dimensions: pl.Series) -> int | None:
    """Return the most frequent dimension, among equals the first one seen; None for pictures."""
    counts = Counter(dimensions.to_list())
    return max(counts, key=lambda dimension: counts[dimension], default=None)


def _notes(root: Path, found: Path, samples: pl.DataFrame) -> list[str]:
    notes = []
    if found != Path(os.path.realpath(root)):
        notes.append(f"The dataset was found one folder deeper, in {found.name}/.")
    twins = len(samples) - samples["sha256"].n_unique()
    if twins:
        notes.append(f"{twins} of {len(samples)} rows have the same bytes as an earlier one.")
    return notes


def _missing(source: Source, root: Path) -> DatasetMissingError:
    card = source.card
    state = "holds nothing" if root.is_dir() else "is not there"
    return DatasetMissingError(
        f"{card.title} is not on this machine: {root} {state}. Get it from {card.home} "
        f"(licence: {card.licence}) and put it there, so that the folder holds {card.layout}; or name its "
        f"folder in the setting datasets.{card.name}.folder."
    )


def _nothing_usable(source: Source, root: Path, quarantine: pl.DataFrame) -> LayoutError:
    names = _visible(root)
    seen = ", ".join(f"'{name}'" for name in names[:SHOWN]) + (" and more" if len(names) > SHOWN else "")
    reasons = quarantine["reason"].value_counts(sort=True).iter_rows()
    apart = ", ".join(f"{reason} {count}" for reason, count in reasons) or "none"
    first = "".join(f"; the first: {row['path']}: {row['detail']}" for row in quarantine.head(1).to_dicts())
    return LayoutError(
        f"{source.card.title}: {root} holds nothing usable. Expected {source.card.layout}; seen {seen}. "
        f"Files that were kept apart: {apart}{first}. Unpack the dataset there as it is distributed, or "
        f"name its folder in the setting datasets.{source.card.name}.folder."
    )
