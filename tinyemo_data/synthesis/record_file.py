"""Parquet files of records: written row by row group, equal rows to equal bytes however they arrive."""

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from tinyemo_data.errors import StoreError
from tinyemo_data.store import Store

ROW_GROUP = 8_192
TEXT = pa.string()
TURNS = pa.list_(pa.field("element", pa.struct([pa.field("from", TEXT), pa.field("value", TEXT)])))
NAMES = pa.list_(pa.field("element", TEXT))
RECORD = pa.schema(
    [
        *((name, TEXT) for name in ("record_id", "sample_id", "dataset", "image", "picture_sha256", "task", "variant")),
        ("conversations", TURNS),
        *((name, TEXT) for name in ("rejected", "emotion", "taxonomy")),
        ("options", NAMES),
        *((name, TEXT) for name in ("label_origin", "recipe", "prompt_digest", "generator", "model", "request_digest")),
        ("input_tokens", pa.int64()),
        ("output_tokens", pa.int64()),
        ("usd", pa.float64()),
        ("gates", NAMES),
    ]
)
REJECT = pa.schema([*RECORD, ("gate", TEXT), ("reason", TEXT), ("detail", TEXT)])
# Columns of few values; a dictionary of the others would only be thrown away.
FEW_VALUES = ["dataset", "task", "variant", "conversations.list.element.from", "emotion", "taxonomy",
              "options.list.element", "label_origin", "recipe", "prompt_digest", "generator", "model",
              "gates.list.element", "gate", "reason"]  # fmt: skip


class RecordFile:
    """A Parquet file in the making. Rows are held until they fill a row group."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        """Begin a file of RECORD or REJECT."""
        names = [name for name in FEW_VALUES if name.partition(".")[0] in schema.names]
        self._schema = schema
        self._writer = pq.ParquetWriter(path, schema, compression="zstd", use_dictionary=names, write_statistics=False)
        self._held: list[pa.Table] = []
        self._rows = 0

    def __enter__(self) -> "RecordFile":
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        if kind is None:
            self._write(self._rows)
        self._writer.close()

    def add(self, rows: pl.DataFrame) -> None:
        """Append rows."""
        self._held.append(
            rows.select(self._schema.names).to_arrow(compat_level=pl.CompatLevel.oldest()).cast(self._schema)
        )
        self._rows += len(rows)
        whole = self._rows // ROW_GROUP * ROW_GROUP
        if whole:
            self._write(whole)

    def _write(self, count: int) -> None:
        table = pa.concat_tables(self._held, promote_options="none") if self._held else self._schema.empty_table()
        for start in range(0, count, ROW_GROUP):
            # One chunk a column: pages are cut where chunks end.
            group = table.slice(start, min(ROW_GROUP, count - start)).combine_chunks()
            self._writer.write_table(group, row_group_size=ROW_GROUP)
        self._held, self._rows = [table.slice(count)], self._rows - count


def read_row_groups(store: Store, key: str) -> Iterator[pl.DataFrame]:
    """Yield a Parquet file's row groups. Raises StoreError where `key` is absent or no readable Parquet."""
    with store.local(key) as path:
        try:
            with pq.ParquetFile(path) as file:
                for number in range(file.num_row_groups):
                    yield pl.DataFrame(pl.from_arrow(file.read_row_group(number)))
        except (OSError, pa.ArrowException) as exc:
            raise StoreError(f"{store.path(key)} can't be read ({exc}). Delete it and run its step again.") from exc
