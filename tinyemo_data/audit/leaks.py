"""Counting leaks: which evaluated pictures have a twin in a train split, given the pairs of the same picture."""

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class Leak:
    """Twins of one evaluated split in one dataset's train split."""

    train_dataset: str
    dataset: str
    split: str  # test or validation
    n: int  # pictures of the evaluated split
    twins: int  # of these, pictures with a twin in the train split
    identical: int  # of these, with one of equal bytes


def count_leaks(samples: pl.DataFrame, pairs: pl.DataFrame) -> list[Leak]:
    """Count, for every train split and every other split of `samples`, the pictures with a twin in it."""
    split = pl.col("split").cast(pl.String)
    trains = samples.filter(split == "train")["dataset"].unique().sort()
    evaluated = samples.filter(split != "train").group_by("dataset", split).len("n").sort("dataset", "split")
    twins = twins_in_training(pairs).group_by("train_dataset", "dataset", "split").agg(
        twins=pl.col("sample_id").n_unique(),
        identical=pl.col("sample_id").filter(pl.col("kind") == "identical").n_unique(),
    )  # fmt: skip
    rows = (
        evaluated.join(pl.DataFrame({"train_dataset": trains}, schema={"train_dataset": pl.String}), how="cross")
        .join(twins, on=["train_dataset", "dataset", "split"], how="left")
        .with_columns(pl.col("twins", "identical").fill_null(0))
        .sort("train_dataset", "dataset", "split")
    )
    return [Leak(**row) for row in rows.select("train_dataset", *evaluated.columns, "twins", "identical").to_dicts()]


def twins_in_training(pairs: pl.DataFrame) -> pl.DataFrame:
    """Return the pairs of a train split with another split: sample_id, dataset, split, train_dataset, kind."""
    sides = [
        pairs.filter(pl.col(f"{one}_split") != "train", pl.col(f"{other}_split") == "train").select(
            "kind", sample_id=one, dataset=f"{one}_dataset", split=f"{one}_split", train_dataset=f"{other}_dataset"
        )
        for one, other in (("first", "second"), ("second", "first"))
    ]
    return pl.concat(sides)
