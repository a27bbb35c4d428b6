"""Near-duplicates among the pictures of any datasets and splits, by hash and by feature.

The search runs over distinct contents (`sha256`), then speaks of samples again. Released features have no
hash and pictures may have no feature: what there is decides.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from tinyemo_data.audit.contents import Contents, gather_contents
from tinyemo_data.audit.cosine import pairs_above
from tinyemo_data.audit.hamming import Indices, pairs_within
from tinyemo_data.audit.pairs import pair_samples
from tinyemo_data.audit.thresholds import DEFAULT, Thresholds
from tinyemo_data.errors import TableError
from tinyemo_data.features.table import FeatureTable
from tinyemo_data.progress import Meter, Report

NEEDED = ("sample_id", "dataset", "split", "sha256", "phash")


@dataclass(frozen=True)
class Search:
    """What was found, and by what."""

    pairs: pl.DataFrame  # PAIR_SCHEMA, sorted by first, second
    effective_dimension: float | None  # of the features; None where there are none
    cosine_used: bool


def find_near_duplicates(
    samples: pl.DataFrame,
    features: FeatureTable | Sequence[FeatureTable] | None = None,
    thresholds: Thresholds = DEFAULT,
    report: Report | None = None,
) -> pl.DataFrame:
    """Return the pairs of samples that show the same picture (PAIR_SCHEMA), sorted by `first` and `second`.

    `samples` are rows of the Sample table, of any datasets; `features` the cached features of some or all
    of them, under one encoder. Where equal bytes lie several times in one split of one dataset, others are
    paired with the first of them: every sample is paired with each dataset and split that holds its twin,
    and the pairs grow no faster than the samples. Raises TableError for missing columns or hashes that are
    none, FeatureError for features of several dimensions.
    """
    return search_near_duplicates(samples, features, thresholds, report).pairs


def search_near_duplicates(
    samples: pl.DataFrame,
    features: FeatureTable | Sequence[FeatureTable] | None = None,
    thresholds: Thresholds = DEFAULT,
    report: Report | None = None,
) -> Search:
    """Do what `find_near_duplicates` does, and say whether cosines were looked at."""
    missing = [name for name in NEEDED if name not in samples.columns]
    if missing:
        raise TableError(f"samples: column '{missing[0]}' is missing; a Sample table has {', '.join(NEEDED)}.")
    tables = [features] if isinstance(features, FeatureTable) else list(features or ())
    tables = [table for table in tables if table.sample_ids]
    contents = gather_contents(samples, tables, thresholds)
    near = _near_contents(contents, thresholds, report)
    pairs = pair_samples(samples, contents, near)
    return Search(pairs, contents.effective_dimension, contents.features is not None)


def _near_contents(contents: Contents, thresholds: Thresholds, report: Report | None) -> pl.DataFrame:
    """Return the near pairs of contents: their positions a < b, hamming and cosine."""
    n_features = len(contents.features) if contents.features is not None else 0
    total = int(contents.has_hash.sum()) + n_features
    meter = Meter(total, report)
    found = [*_by_hash(contents, thresholds, meter), *_by_feature(contents, thresholds, meter)]
    meter.finish(total)
    a, b = (np.concatenate([np.empty(0, np.int64), *(pair[side] for pair in found)]) for side in (0, 1))
    keys = pl.DataFrame({"a": a, "b": b}).unique().sort("a", "b")
    a, b = keys["a"].to_numpy(), keys["b"].to_numpy()
    cosine = pl.Series("cosine", contents.cosines(a, b)).fill_nan(None)
    return keys.with_columns(contents.hamming(a, b).alias("hamming"), cosine)


def _by_hash(contents: Contents, thresholds: Thresholds, meter: Meter) -> Iterator[tuple[Indices, Indices]]:
    """Yield pairs whose hashes are close and whose features, where there are, do not say otherwise."""
    positions = np.flatnonzero(contents.has_hash)
    hashes = contents.hashes[positions]
    radius = thresholds.hamming_confirmed if contents.features is not None else thresholds.hamming_alone
    for first, second in pairs_within(hashes, radius, meter.advance):
        a, b = positions[first], positions[second]
        cosine = contents.cosines(a, b)
        alone = np.bitwise_count(hashes[first] ^ hashes[second]) <= thresholds.hamming_alone
        # A comparison with NaN is false: without a cosine there is neither veto nor confirmation.
        keep = (alone & ~(cosine < thresholds.cosine_vetoing)) | (cosine >= thresholds.cosine_confirming)
        yield a[keep], b[keep]


def _by_feature(contents: Contents, thresholds: Thresholds, meter: Meter) -> Iterator[tuple[Indices, Indices]]:
    """Yield pairs whose features alone are close to equal."""
    if contents.features is None:
        return
    content = np.flatnonzero(contents.feature_row >= 0)  # features are in the order of contents
    for first, second in pairs_above(contents.features, thresholds.cosine_alone, meter.advance):
        yield content[first], content[second]
