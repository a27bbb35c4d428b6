"""Reading the Sample table and the quarantine a row group at a time, for whoever needs no more at once.

`sample.read_samples` gives the whole table; most of what is here needs as much memory for a long table as for a
short one.
"""

import contextlib
from collections.abc import Iterator, Sequence

import dataframely as dy
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from tinyemo_data.errors import StoreError, TableError
from tinyemo_data.sample import Sample, check_ids, check_table, samples_key
from tinyemo_data.store import Store

PICTURE = ("source_kind", "emotion", "sha256", "image_path")


def scan_samples(store: Store, dataset: str) -> Iterator[pl.DataFrame]:
    """Give a dataset's Sample table in checked parts, sorted by `sample_id`. Raises StoreError or TableError."""
    key = samples_key(dataset)
    origin = str(store.path(key))
    return check_ids((check_table(part, Sample, origin) for part in scan_table(store, key)), origin)


def scan_table(store: Store, key: str, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
    """Give a table's row groups, or the given columns of them; one at least, be it empty.

    Raises StoreError where `key` is absent or no Parquet, TableError for a column that it does not have.
    """
    with _open_parquet(store, key) as file:
        known = file.schema_arrow
        chosen = known.names if columns is None else list(columns)
        _require(chosen, known.names, str(store.path(key)))
        yield pl.DataFrame(known.empty_table().select(chosen))
        for number in range(file.num_row_groups):
            yield pl.DataFrame(file.read_row_group(number, chosen))


def read_columns(store: Store, key: str, *columns: str) -> pl.DataFrame:
    """Return some columns of a table, all rows: what they take is a few bytes a row. Raises as `scan_table`."""
    return pl.concat(scan_table(store, key, columns))


def count_rows(store: Store, key: str) -> int:
    """Return how many rows a table has, as its footer says. Raises StoreError: absent, or no Parquet."""
    with _open_parquet(store, key) as file:
        return int(file.metadata.num_rows)


def read_head(store: Store, key: str, schema: type[dy.Schema], rows: int) -> pl.DataFrame:
    """Return a table's first rows, checked. Raises StoreError or TableError."""
    parts = (part.head(rows) for part in scan_table(store, key))
    filled = next((part for part in parts if len(part)), schema.create_empty())
    return check_table(filled, schema, str(store.path(key)))


def pick_pictures(store: Store, dataset: str, each: int) -> pl.DataFrame:
    """Return of each emotion the `each` pictures whose digests come first, with the columns PICTURE."""
    picked = Sample.create_empty().select(PICTURE)
    for part in scan_table(store, samples_key(dataset), PICTURE):
        pictures = pl.concat([picked, part.filter(pl.col("source_kind") == "picture")])
        first = pictures.sort("emotion", "sha256").group_by("emotion", maintain_order=True).head(each).select(PICTURE)
        # Rows that were taken from a part keep its text alive, all of it; rows that are made anew do not.
        picked = pl.DataFrame(first.rows(), schema=picked.schema, orient="row")
    return picked


@contextlib.contextmanager
def _open_parquet(store: Store, key: str) -> Iterator[pq.ParquetFile]:
    with store.open(key) as opened:
        try:
            yield pq.ParquetFile(opened)
        except (pa.ArrowException, OSError) as exc:  # a damaged page is an OSError
            mend = "Delete it and run its step again."
            raise StoreError(f"{store.path(key)} is no readable Parquet ({exc}). {mend}") from exc


def _require(columns: Sequence[str], found: Sequence[str], origin: str) -> None:
    missing = [name for name in columns if name not in found]
    if missing:
        raise TableError(
            f"{origin}: column '{missing[0]}' is missing; it has {', '.join(found)}. Materialize its asset again."
        )
