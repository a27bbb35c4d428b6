"""What is to be encoded: distinct contents. However many files hold the same bytes, they are one content."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from tinyemo_data.errors import FeatureError


@dataclass(frozen=True)
class Content:
    """One distinct content, and the files (relative to the dataset's root) that hold it."""

    sha256: str
    paths: tuple[str, ...]


@dataclass(frozen=True)
class Failure:
    """Why a content has no feature."""

    sha256: str
    reason: str  # machine-readable: absent, changed, truncated, …
    detail: str  # for people: what was found


@dataclass(frozen=True)
class ComputedBatch:
    """What became of one batch of contents: each has a row of features, or a failure."""

    contents: list[Content]
    sha256: list[str]  # of the rows below
    features: npt.NDArray[np.float16]  # (n, D)
    failures: list[Failure] = field(default_factory=list)
    statistics: pl.DataFrame | None = None  # one row a feature, keyed by sha256


# Turns batches into results, in the same order; may look ahead while it computes.
Compute = Callable[[Iterable[list[Content]]], Iterator[ComputedBatch]]


def only_dataset(samples: pl.DataFrame, source_kind: str) -> str:
    """Return the one dataset that `samples` are of.

    Raises FeatureError for none or several, and for samples of another `source_kind`.
    """
    datasets = samples["dataset"].unique().sort().to_list()
    if len(datasets) != 1:
        found = ", ".join(datasets) or "none"
        raise FeatureError(f"Features are filled one dataset at a time; these samples are of: {found}.")
    others = samples.filter(pl.col("source_kind").cast(pl.String) != source_kind)
    if len(others):
        row = others.row(0, named=True)
        step = "fill_feature_cache" if source_kind == "feature" else "import_released_features"
        raise FeatureError(
            f"samples of {datasets[0]}: '{row['sample_id']}' is a {row['source_kind']}, "
            f"expected a {source_kind}. Use {step} for such samples."
        )
    return str(datasets[0])


def distinct_contents(samples: pl.DataFrame) -> list[Content]:
    """Return the distinct contents of a Sample table, in the order of their first `sample_id`."""
    grouped = samples.sort("sample_id").group_by("sha256", maintain_order=True).agg(pl.col("image_path").alias("paths"))
    return [Content(sha256, tuple(paths)) for sha256, paths in grouped.iter_rows()]


def in_batches(contents: list[Content], size: int) -> Iterator[list[Content]]:
    """Cut `contents` into batches of `size`; the last may be smaller."""
    for start in range(0, len(contents), size):
        yield contents[start : start + size]
