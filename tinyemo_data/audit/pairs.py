"""Pairs of samples: the table that leakage is told in, made of pairs of contents."""

import numpy as np
import polars as pl

from tinyemo_data.audit.contents import Contents
from tinyemo_data.audit.groups import with_groups

PAIR_SCHEMA = pl.Schema(
    {
        "first": pl.String(),  # sample ids, first < second
        "second": pl.String(),
        "first_dataset": pl.String(),
        "second_dataset": pl.String(),
        "first_split": pl.String(),
        "second_split": pl.String(),
        "hamming": pl.Int32(),  # differing bits of 64; null where one of the two has no hash
        "cosine": pl.Float64(),  # of centred features; null where one has none, or cosines mean nothing
        "kind": pl.String(),  # identical (equal bytes) or near
        "group": pl.String(),  # smallest sample id among all that are linked to these two
    }
)


def pair_samples(samples: pl.DataFrame, contents: Contents, near: pl.DataFrame) -> pl.DataFrame:
    """Turn near pairs of contents, and contents that several samples have, into pairs of samples (PAIR_SCHEMA).

    `near` has the columns `a`, `b` (positions in `contents`), `hamming` and `cosine`. Sorted by `first`, `second`.
    """
    rows = _number(samples, contents)
    heads = rows.unique(["content", "dataset", "split"], keep="first", maintain_order=True)
    both = pl.concat([_ordered(_equal(rows, heads)), _ordered(_close(rows, heads, near))])
    pairs = with_groups(both.unique(["first", "second"])).sort("first", "second")
    return pairs.select(pl.col(name).cast(dtype) for name, dtype in PAIR_SCHEMA.items())


def _number(samples: pl.DataFrame, contents: Contents) -> pl.DataFrame:
    """Return the samples, sorted, each with its content's position and what fingerprints that has."""
    numbered = pl.DataFrame(
        {
            "sha256": contents.sha256,
            "content": np.arange(len(contents.sha256)),
            "has_hash": contents.has_hash,
            "has_cosine": (contents.feature_row >= 0) & (contents.features is not None),
        }
    )
    columns = ("sample_id", "dataset", pl.col("split").cast(pl.String), "sha256")
    return samples.select(columns).join(numbered, on="sha256").sort("sample_id")


def _equal(rows: pl.DataFrame, heads: pl.DataFrame) -> pl.DataFrame:
    return rows.join(heads, on="content", suffix="_other").with_columns(
        hamming=pl.when("has_hash").then(0).cast(pl.Int32),
        cosine=pl.when("has_cosine").then(1.0),
        kind=pl.lit("identical"),
    )


def _close(rows: pl.DataFrame, heads: pl.DataFrame, near: pl.DataFrame) -> pl.DataFrame:
    both_ways = pl.concat([near, near.select(a="b", b="a", hamming="hamming", cosine="cosine")])
    others = heads.select(pl.all().exclude("content").name.suffix("_other"), b="content")
    close = rows.join(both_ways, left_on="content", right_on="a").join(others, on="b")
    return close.with_columns(kind=pl.lit("near"))


def _ordered(pairs: pl.DataFrame) -> pl.DataFrame:
    """Name the sample with the smaller id `first`; a sample is no pair with itself."""
    swapped = pl.col("sample_id") > pl.col("sample_id_other")
    columns = {"sample_id": "", "dataset": "_dataset", "split": "_split"}
    sides = [
        pl.when(condition).then(column).otherwise(f"{column}_other").alias(f"{side}{suffix}")
        for column, suffix in columns.items()
        for side, condition in (("first", ~swapped), ("second", swapped))
    ]
    distinct = pairs.filter(pl.col("sample_id") != pl.col("sample_id_other"))
    return distinct.select(*sides, "hamming", "cosine", "kind")
