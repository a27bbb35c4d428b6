"""Writing a dataset's two tables a row group at a time: what is checked is what is written, and no more is held."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import dataframely as dy
import polars as pl
import pyarrow.parquet as pq

from tinyemo_data.sample import Quarantined, Sample, check_ids, check_table, quarantine_key, samples_key
from tinyemo_data.store import Store

ROW_GROUP = 8_192  # rows
# Parquet has one kind of string; Arrow's newest kinds would only have to be turned back.
PLAIN = pl.CompatLevel.oldest()


def write_sorted_samples(
    store: Store, dataset: str, samples: Iterable[pl.DataFrame], quarantine: Iterable[pl.DataFrame]
) -> None:
    """Check and write a dataset's Sample table (given sorted by `sample_id`) and its quarantine (sorted by path).

    The quarantine is asked for when all samples are written: what gives them may still add to it. Equal rows give
    equal bytes, however they are cut into tables. Raises TableError for rows that break their schema, and for ids
    that come twice or out of order; then neither table changes.
    """
    # The Sample table is the completion mark: the quarantine is there whenever it is.
    with store.writing(samples_key(dataset)) as rows:
        write_rows(rows, check_ids(samples, f"samples of {dataset}"), Sample, f"samples of {dataset}")
        with store.writing(quarantine_key(dataset)) as apart:
            write_rows(apart, quarantine, Quarantined, f"quarantine of {dataset}")


def write_rows(path: Path, tables: Iterable[pl.DataFrame], schema: type[dy.Schema], origin: str) -> None:
    """Check tables and write them as one Parquet file (zstd) in row groups of ROW_GROUP."""
    columns = schema.create_empty().to_arrow(compat_level=PLAIN).schema
    with pq.ParquetWriter(path, columns, compression="zstd") as writer:
        for group in cut_into_groups(tables):
            writer.write_table(check_table(group, schema, origin).to_arrow(compat_level=PLAIN))


def cut_into_groups(tables: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """Cut tables of any length into tables of ROW_GROUP rows and, at the end, the rest."""
    held: list[pl.DataFrame] = []
    for table in tables:
        held.append(table)
        if sum(map(len, held)) >= ROW_GROUP:
            *whole, rest = _slices(pl.concat(held))
            held = [rest]
            yield from whole
    if held:
        yield from (rest for rest in _slices(pl.concat(held)) if len(rest))


def _slices(table: pl.DataFrame) -> list[pl.DataFrame]:
    """Return slices of ROW_GROUP rows and the rest, which may be empty."""
    starts = range(0, len(table) + 1, ROW_GROUP)
    return [table.slice(start, ROW_GROUP) for start in starts]
