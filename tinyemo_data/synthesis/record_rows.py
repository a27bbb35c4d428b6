"""Rows of the record and the reject table, made of what rendering knows of them."""

from collections.abc import Sequence

import polars as pl

from tinyemo_data.sample import check_table
from tinyemo_data.synthesis.gates.columns import TURNS
from tinyemo_data.synthesis.gates.registry import gates_passed
from tinyemo_data.synthesis.records import Record, Reject

# What may be a secret is not copied into the rejects.
UNTOLD = "private_strings"
KEY = ["prompt", "gate"]


def as_records(accepted: pl.DataFrame, recipe: str) -> pl.DataFrame:
    """Return accepted records as rows of Record, checked, in their order. Raises TableError."""
    return check_table(_rows(accepted, recipe), Record, f"records of {recipe}")


def as_rejects(tables: Sequence[pl.DataFrame], recipe: str) -> pl.DataFrame:
    """Return what gates turned away as rows of Reject, checked, in the order of the drafts. Raises TableError."""
    rows = pl.concat([_rows(table, recipe) for table in tables], how="diagonal").sort("rank", "record_id")
    is_told = pl.col("gate") != UNTOLD
    told = rows.with_columns(pl.when(is_told).then("conversations"), pl.when(is_told).then("rejected"))
    return check_table(told, Reject, f"rejects of {recipe}")


def _rows(table: pl.DataFrame, recipe: str) -> pl.DataFrame:
    """Return rows with what the tables call otherwise; replies without a record take the names of their drafts."""
    missing = {
        "record_id": pl.col("draft_id"),
        "conversations": pl.lit(None, TURNS),
        "rejected": pl.lit(None, pl.String()),
    }
    own = table.with_columns(**{name: value for name, value in missing.items() if name not in table.columns})
    named = own.drop("task").with_columns(
        task="prompt", recipe=pl.lit(recipe), variant=pl.col("variant").cast(pl.String),
        label_origin=pl.col("label_origin").cast(pl.String),
    )  # fmt: skip
    return named.join(_passed(table), on=KEY, how="left", nulls_equal=True, maintain_order="left")


def _passed(table: pl.DataFrame) -> pl.DataFrame:
    """Return the gates that records of each prompt passed before each gate."""
    keys = table.select(KEY).unique()
    lists = [gates_passed(prompt, gate) for prompt, gate in keys.iter_rows()]
    return keys.with_columns(pl.Series("gates", lists, dtype=pl.List(pl.String())))
