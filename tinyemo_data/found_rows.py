"""What ingest found, file by file, on its way to the two tables: in column batches, then sorted on disk.

Only a batch and what the sorts hold is in memory; the columns beyond the Sample table's are dropped at the end.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Any, Self

import polars as pl

from tinyemo_data import taxonomy
from tinyemo_data.external_sort import ExternalSort
from tinyemo_data.sample import Quarantined, Sample
from tinyemo_data.sources.flaw import Flaw
from tinyemo_data.sources.picture import PictureFacts
from tinyemo_data.sources.source import Entry, Reject
from tinyemo_data.sources.split import assign_split

BATCH = 8_192  # rows that are Python objects before they become columns
# The Sample table's columns, and two more that no table keeps: a released feature's number of values, and the
# row's place in the source's order.
COLUMNS = {**Sample.create_empty().schema, "dimension": pl.Int32(), "place": pl.Int64()}
APART = Quarantined.create_empty().schema
# Columns that an entry brings as they are.
COPIED = ("label_source", "taxonomy", "keyword", "valence", "arousal", "object", "attributes")


@dataclass(frozen=True)
class FeatureFacts:
    """What a released feature's bytes say."""

    sha256: str  # of the tensor's raw little-endian bytes, hex
    dimension: int


Outcome = PictureFacts | FeatureFacts | Flaw


class FoundRows:
    """Takes every file's outcome (`add`), then gives the samples and, after them, the quarantine."""

    def __init__(self, dataset: str, split_seed: int, folder: Path | None = None) -> None:
        """Sort in `folder`, or where the system keeps temporary files."""
        self._dataset = dataset
        self._split_seed = split_seed
        self._batch: list[dict[str, Any]] = []
        self._apart: list[tuple[str, str, str, str]] = []
        self._dimensions: set[int | None] = set()
        self._open = ExitStack()
        self._samples = self._open.enter_context(ExternalSort(("sample_id", "place"), folder))
        self._quarantine = self._open.enter_context(ExternalSort(("path", "reason", "detail"), folder))
        self._digests = self._open.enter_context(ExternalSort(("sha256",), folder))
        self.files = 0
        self.kept = 0  # rows that `samples` gave
        self.reasons: Counter[str] = Counter()  # of the quarantine
        self.source_kind = ""  # picture or feature; empty while nothing usable was found

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._open.close()

    def add(self, entry: Entry | Reject, outcome: Outcome) -> None:
        """Take one file. Raises UnknownLabelError for a label that is not in its taxonomy."""
        self.files += 1
        if isinstance(outcome, Flaw):
            self._reject(entry.path, outcome)
        elif isinstance(entry, Entry):
            self._accept(entry, outcome)

    def samples(self) -> Iterator[pl.DataFrame]:
        """Give the Sample table's rows, sorted by `sample_id`; what may be none of them goes to the quarantine."""
        self._flush()
        common = self._common_dimension()
        for found in self._samples.in_order():
            kept = self._without_other_dimensions(self._without_duplicates(found), common)
            self._digests.add(kept.select("sha256").unique())
            self.kept += len(kept)
            yield kept.select(Sample.column_names())

    def quarantine(self) -> Iterator[pl.DataFrame]:
        """Give the quarantine's rows, sorted by path: begun after the last of `samples`, which may add to them."""
        self._flush_apart()
        yield from self._quarantine.in_order()

    def count_contents(self) -> int:
        """Return how many digests the rows have that `samples` gave."""
        # Equal digests are in one table: what each table has of them adds up.
        return sum(found["sha256"].n_unique() for found in self._digests.in_order())

    def _without_duplicates(self, found: pl.DataFrame) -> pl.DataFrame:
        """Keep the first row of each id: names that differ in their suffix alone share one."""
        is_first = found["sample_id"].is_first_distinct()
        repeated = found.filter(~is_first).select("sample_id", "image_path")
        kept = found.filter(is_first) if len(repeated) else found
        holders = dict(kept.join(repeated, on="sample_id", how="semi").select("sample_id", "image_path").iter_rows())
        for sample_id, path in repeated.iter_rows():
            self._reject(path, Flaw("duplicate_id", f"its id is that of {holders[sample_id]}"))
        return kept

    def _without_other_dimensions(self, found: pl.DataFrame, common: int | None) -> pl.DataFrame:
        """Keep the features that have as many values as most; pictures have none and stay."""
        others = found.filter(pl.col("dimension").ne_missing(common)).select("image_path", "dimension")
        for path, dimension in others.iter_rows():
            self._reject(path, Flaw("wrong_dimension", f"{dimension} values where most have {common}"))
        return found.filter(pl.col("dimension").eq_missing(common)) if len(others) else found

    def _common_dimension(self) -> int | None:
        """Return the most frequent dimension, among equals the first one seen; None for pictures."""
        if len(self._dimensions) < 2:
            return next(iter(self._dimensions), None)
        counts = [_count_dimensions(found) for found in self._samples.in_order()]
        whole = pl.concat(counts).group_by("dimension").agg(pl.col("rows").sum(), pl.col("place").min())
        return int(whole.sort("rows", "place", descending=[True, False])["dimension"][0])

    def _accept(self, entry: Entry, facts: PictureFacts | FeatureFacts) -> None:
        row = self._row(entry, facts)
        self.source_kind = row["source_kind"]
        self._dimensions.add(row.get("dimension"))
        self._batch.append(row)
        if len(self._batch) >= BATCH:
            self._flush()

    def _row(self, entry: Entry, facts: PictureFacts | FeatureFacts) -> dict[str, Any]:
        sample_id = f"{self._dataset}/{PurePosixPath(entry.path).with_suffix('')}"
        return {
            "sample_id": sample_id,
            "source_kind": "picture" if isinstance(facts, PictureFacts) else "feature",
            "dataset": self._dataset,
            "split": entry.split or assign_split(sample_id, self._split_seed),
            "image_path": entry.path,
            "emotion": _canonical(entry, self._dataset),
            "votes": _pairs(entry.votes, "votes"),
            "distribution": _pairs(entry.distribution, "probability"),
            "place": self.files,
            **{name: getattr(entry, name) for name in COPIED},
            **vars(facts),
        }

    def _reject(self, path: str, flaw: Flaw) -> None:
        plain = path.encode("utf-8", "backslashreplace").decode()
        self._apart.append((self._dataset, plain, flaw.reason, flaw.detail))
        self.reasons[flaw.reason] += 1
        if len(self._apart) >= BATCH:
            self._flush_apart()

    def _flush(self) -> None:
        self._samples.add(pl.DataFrame(self._batch, schema=COLUMNS))
        self._batch = []

    def _flush_apart(self) -> None:
        self._quarantine.add(pl.DataFrame(self._apart, schema=APART, orient="row"))
        self._apart = []


def _count_dimensions(found: pl.DataFrame) -> pl.DataFrame:
    """Count the rows of each dimension, the first of each id alone, and say where the first of them lay."""
    first = found.filter(found["sample_id"].is_first_distinct())
    return first.group_by("dimension").agg(pl.len().alias("rows"), pl.col("place").min())


def _canonical(entry: Entry, dataset: str) -> str | None:
    if entry.emotion is None or entry.taxonomy is None:
        return entry.emotion
    return taxonomy.get(entry.taxonomy).canonical(entry.emotion, f"{dataset}, {entry.path}")


def _pairs(shares: dict[str, Any] | None, value: str) -> list[dict[str, Any]] | None:
    return None if shares is None else [{"emotion": label, value: shares[label]} for label in sorted(shares)]
