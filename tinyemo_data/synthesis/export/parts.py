"""Reading some columns of a set's records, a row group at once, so that memory does not grow with the set."""

from collections.abc import Iterator, Sequence

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from tinyemo_data.errors import TableError
from tinyemo_data.store import Store


def read_in_parts(store: Store, key: str, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
    """Yield the named columns of a Parquet file in its order, a row group at once.

    Raises StoreError where `key` is absent, TableError where it is no Parquet or a column is missing.
    """
    with store.local(key) as path:
        try:
            with pq.ParquetFile(path) as file:
                missing = [name for name in columns if name not in file.schema_arrow.names]
                if missing:
                    raise TableError(
                        f"{store.path(key)}: column '{missing[0]}' is missing; expected {', '.join(columns)}. "
                        "Materialize its asset again with this version."
                    )
                for number in range(file.num_row_groups):
                    yield pl.DataFrame(pl.from_arrow(file.read_row_group(number, columns=list(columns))))
        except pa.ArrowException as exc:
            mend = "Delete it and run its step again."
            raise TableError(f"{store.path(key)} is no readable Parquet ({exc}). {mend}") from exc
