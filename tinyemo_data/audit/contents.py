"""The distinct contents of samples, and the fingerprints that each of them has."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from tinyemo_data.audit.cosine import CentredFeatures
from tinyemo_data.audit.hamming import Hashes, Indices, parse_hashes
from tinyemo_data.audit.thresholds import Thresholds
from tinyemo_data.errors import FeatureError
from tinyemo_data.features.table import FeatureTable


@dataclass(frozen=True)
class Contents:
    """Distinct contents in the order of `sha256`, with the fingerprints that they have."""

    sha256: pl.Series
    hashes: Hashes  # (N,); 0 where there is none
    has_hash: npt.NDArray[np.bool_]
    features: CentredFeatures | None  # None too where their cosines mean nothing
    feature_row: Indices  # (N,); -1 where there is none
    effective_dimension: float | None  # of the features, used or not; None where there are none

    def cosines(self, a: Indices, b: Indices) -> npt.NDArray[np.float64]:
        """Return the cosines of pairs of contents, (n,), NaN where one of the two has no feature."""
        cosines = np.full(len(a), np.nan)
        if self.features is not None:
            left, right = self.feature_row[a], self.feature_row[b]
            both = (left >= 0) & (right >= 0)
            cosines[both] = self.features.cosines(left[both], right[both])
        return cosines

    def hamming(self, a: Indices, b: Indices) -> pl.Series:
        """Return how many bits differ in pairs of contents, (n,) int32, null where one has no hash."""
        bits = pl.Series(np.bitwise_count(self.hashes[a] ^ self.hashes[b]).astype(np.int32))
        both = pl.Series(self.has_hash[a] & self.has_hash[b])
        return pl.select(pl.when(both).then(bits)).to_series()


def gather_contents(samples: pl.DataFrame, tables: Sequence[FeatureTable], thresholds: Thresholds) -> Contents:
    """Return the distinct contents of `samples`, with the features of those that `tables` know by `sha256`.

    Raises TableError for a hash that is none, FeatureError for tables of several dimensions.
    """
    distinct = samples.group_by("sha256").agg(pl.col("phash").min()).sort("sha256")
    hashes = np.zeros(len(distinct), dtype=np.uint64)
    has_hash = distinct["phash"].is_not_null().to_numpy()
    hashes[has_hash] = parse_hashes(distinct["phash"].drop_nulls())
    values, feature_row = _gather_features(distinct["sha256"], tables)
    if not len(values):
        return Contents(distinct["sha256"], hashes, has_hash, None, feature_row, None)
    features = CentredFeatures(values)
    dimension = round(features.effective_dimension, 2)
    used = features if dimension >= thresholds.effective_dimension else None
    return Contents(distinct["sha256"], hashes, has_hash, used, feature_row, dimension)


def _gather_features(sha256: pl.Series, tables: Sequence[FeatureTable]) -> tuple[npt.NDArray[np.float16], Indices]:
    """Return the finite features of the contents, in their order, and each content's row (-1: none)."""
    feature_row = np.full(len(sha256), -1, dtype=np.int64)
    dimension = _common_dimension(tables)
    rows = _locate(sha256, tables)
    content, table, row = (rows[name].cast(pl.Int64).to_numpy() for name in ("content", "table", "row"))
    values = np.empty((len(rows), dimension), dtype=np.float16)
    for number, one in enumerate(tables):
        values[table == number] = one.features.numpy()[row[table == number]]
    finite = np.isfinite(values).all(axis=1)
    feature_row[content[finite]] = np.arange(int(finite.sum()))
    return values if finite.all() else values[finite], feature_row


def _locate(sha256: pl.Series, tables: Sequence[FeatureTable]) -> pl.DataFrame:
    """Return each content that some table knows, with that table and its row there; the first table counts."""
    empty = pl.DataFrame(schema={"sha256": pl.String, "row": pl.UInt32, "table": pl.Int32})
    known = [
        pl.DataFrame({"sha256": table.sha256}, schema={"sha256": pl.String})
        .with_row_index("row")
        .select("sha256", pl.col("row").cast(pl.UInt32), pl.lit(number, pl.Int32).alias("table"))
        for number, table in enumerate(tables)
    ]
    first = pl.concat([empty, *known]).unique("sha256", keep="first", maintain_order=True)
    wanted = pl.DataFrame({"sha256": sha256}).with_row_index("content")
    return wanted.join(first, on="sha256").sort("content")


def _common_dimension(tables: Sequence[FeatureTable]) -> int:
    dimensions = sorted({table.features.shape[1] for table in tables if len(table.features)})
    if len(dimensions) > 1:
        raise FeatureError(
            f"Features of {' and '.join(map(str, dimensions))} dimensions can't be compared: they are of several "
            "encoders. Give the features of one, and materialize features/<dataset> of the others with it."
        )
    return dimensions[0] if dimensions else 0
