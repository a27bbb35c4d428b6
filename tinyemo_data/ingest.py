"""Ingest: a dataset's folder becomes a Sample table and a quarantine.

What differs between datasets is in `sources`; here is what all have in common: finding the root and opening every
file on a bounded pool of threads. `found_rows` gathers what they hold, and sorts it on disk, so that 300,000 files
need hardly more memory than 10,000.
"""

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from tinyemo_data.errors import DatasetMissingError, FeatureError, LayoutError, StoreError, UnknownLabelError
from tinyemo_data.found_rows import FeatureFacts, FoundRows, Outcome
from tinyemo_data.progress import Meter, Report
from tinyemo_data.sample import samples_key
from tinyemo_data.sample_writing import write_sorted_samples
from tinyemo_data.settings import DatasetSettings
from tinyemo_data.sources.boundary import Boundary
from tinyemo_data.sources.flaw import Flaw
from tinyemo_data.sources.folder import is_junk, is_plain
from tinyemo_data.sources.picture import inspect_picture
from tinyemo_data.sources.source import Entry, Reader, Reject, Source
from tinyemo_data.store import Store

THREADS = min(32, os.cpu_count() or 1)
HANDFUL = 32  # files that a thread takes at once
WINDOW = 4 * HANDFUL * THREADS  # files under way at once: bounds memory, and keeps every thread busy
PROGRESS_EVERY = 100
SHOWN = 6


@dataclass(frozen=True)
class Ingested:
    """What a dataset's folder held, in figures; the rows are in the store (`sample`, `sample_reading`)."""

    rows: int  # of the Sample table
    kept_apart: int  # rows of the quarantine
    source_kind: str  # picture or feature
    notes: list[str]  # for people: what they may not expect
    root: Path  # what image_path is relative to: the folder asked for, or the one nested in it


Examiner = Callable[[Path], Outcome]


def ingest_into(
    store: Store, source: Source, root: Path, settings: DatasetSettings, progress: Report | None = None
) -> Ingested:
    """Read a dataset's folder into `samples/<dataset>.parquet` and `quarantine/<dataset>.parquet`.

    Every file becomes a row of one of them. Raises DatasetMissingError where the folder is absent or empty,
    LayoutError where nothing in it is usable or it lies otherwise than distributed, UnknownLabelError for a label
    that its taxonomy does not have, StoreError where the store can't be written; then neither table changes.
    """
    name, found = source.card.name, find_root(source, root, settings)
    with FoundRows(name, settings.split_seed, _folder_for_sorting(store, name)) as rows:
        _gather(rows, source, found, settings, progress)
        if not rows.source_kind:
            raise _nothing_usable(source, found, rows)
        write_sorted_samples(store, name, rows.samples(), rows.quarantine())
        return Ingested(rows.kept, rows.reasons.total(), rows.source_kind, _notes(root, found, rows), found)


def _folder_for_sorting(store: Store, dataset: str) -> Path | None:
    """Return where there is room: beside the table of a local store. Elsewhere the system says (often: in memory)."""
    if not store.is_local:
        return None
    folder = Path(str(store.path(samples_key(dataset)).parent))
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise StoreError(f"{folder} can't be made ({exc}). Mend its permissions, or move the store.") from exc
    return folder


def _gather(rows: FoundRows, source: Source, root: Path, settings: DatasetSettings, progress: Report | None) -> None:
    # How many files there are is known at the end alone: until then the published count stands for it.
    meter = Meter(source.card.published.get("all", 0), progress)
    for entry, outcome in _examined(source, root, settings):
        rows.add(entry, outcome)
        if rows.files % PROGRESS_EVERY == 0:
            meter.advance(PROGRESS_EVERY)
    meter.finish(rows.files)


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


def _notes(root: Path, found: Path, rows: FoundRows) -> list[str]:
    notes = []
    if found != Path(os.path.realpath(root)):
        notes.append(f"The dataset was found one folder deeper, in {found.name}/.")
    twins = rows.kept - rows.count_contents()
    if twins:
        notes.append(f"{twins} of {rows.kept} rows have the same bytes as an earlier one.")
    return notes


def _missing(source: Source, root: Path) -> DatasetMissingError:
    card = source.card
    state = "holds nothing" if root.is_dir() else "is not there"
    return DatasetMissingError(
        f"{card.title} is not on this machine: {root} {state}. Get it from {card.home} "
        f"(licence: {card.licence}) and put it there, so that the folder holds {card.layout}; or name its "
        f"folder in the setting datasets.{card.name}.folder."
    )


def _nothing_usable(source: Source, root: Path, rows: FoundRows) -> LayoutError:
    names = _visible(root)
    seen = ", ".join(f"'{name}'" for name in names[:SHOWN]) + (" and more" if len(names) > SHOWN else "")
    apart = ", ".join(f"{reason} {count}" for reason, count in rows.reasons.most_common()) or "none"
    head = next(rows.quarantine(), None)
    first = "" if head is None else "; the first: {path}: {detail}".format(**head.row(0, named=True))
    return LayoutError(
        f"{source.card.title}: {root} holds nothing usable. Expected {source.card.layout}; seen {seen}. "
        f"Files that were kept apart: {apart}{first}. Unpack the dataset there as it is distributed, or "
        f"name its folder in the setting datasets.{source.card.name}.folder."
    )
