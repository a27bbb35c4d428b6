"""The file of a set's drafts: Parquet in row groups of 8,192, written and read as a stream.

Requests repeat their prompt's text; zstd finds that within a page, so that it costs next to nothing on disk.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from tinyemo_data.errors import StoreError, TableError
from tinyemo_data.store import Store
from tinyemo_data.synthesis.draft import Draft, drafts_key

ROW_GROUP = 8_192
GATHERED = 1_024  # rows that are held as Python objects
PAGE = 1 << 20  # bytes
TEXT = pa.string()
SCHEMA = pa.schema(
    [
        pa.field("draft_id", TEXT, nullable=False),
        pa.field("rank", pa.uint64(), nullable=False),
        pa.field("sample_id", TEXT, nullable=False),
        pa.field("dataset", TEXT, nullable=False),
        pa.field("image", TEXT, nullable=False),
        pa.field("picture_sha256", TEXT, nullable=False),
        pa.field("task", TEXT, nullable=False),
        pa.field("variant", TEXT, nullable=False),
        pa.field("emotion", TEXT),
        pa.field("taxonomy", TEXT),
        pa.field("label_origin", TEXT),
        pa.field("options", pa.list_(pa.field("element", TEXT, nullable=False)), nullable=False),
        pa.field("question", TEXT),
        pa.field("known", TEXT, nullable=False),
        pa.field("prompt", TEXT, nullable=False),
        pa.field("prompt_digest", TEXT, nullable=False),
        pa.field("request_digest", TEXT, nullable=False),
        pa.field("request", pa.binary(), nullable=False),
    ]
)
FEW_VALUES = ["dataset", "task", "variant", "emotion", "taxonomy", "label_origin", "options.list.element", "question",
              "prompt", "prompt_digest"]  # fmt: skip


def write_drafts(store: Store, name: str, rows: Iterable[dict[str, Any]], notes: Mapping[str, str]) -> None:
    """Write a set's drafts, atomically, with `notes` in the schema's metadata; equal input gives equal bytes."""
    schema = SCHEMA.with_metadata(dict(notes))
    with (
        store.writing(drafts_key(name)) as aside,
        pq.ParquetWriter(
            aside,
            schema,
            compression="zstd",
            use_dictionary=FEW_VALUES,
            write_statistics=["rank"],
            data_page_size=PAGE,
            store_schema=True,
        ) as writer,
    ):
        gathered: list[pa.RecordBatch] = []
        for batch in _batches(iter(rows), schema):
            gathered.append(batch)
            if sum(map(len, gathered)) >= ROW_GROUP:
                writer.write_table(pa.Table.from_batches(gathered), row_group_size=ROW_GROUP)
                gathered = []
        if gathered:
            writer.write_table(pa.Table.from_batches(gathered), row_group_size=ROW_GROUP)


def _batches(rows: Iterator[dict[str, Any]], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    while True:
        # Column by column: rows that were held would cost the garbage collector as much time as making them.
        columns: list[list[Any]] = [[] for _ in schema]
        for row in islice(rows, GATHERED):
            for column, name in zip(columns, schema.names, strict=True):
                column.append(row[name])
        if not columns[0]:
            return
        arrays = [pa.array(values, field.type) for values, field in zip(columns, schema, strict=True)]
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def read_notes(store: Store, name: str) -> dict[str, str]:
    """Return what the file of a set's drafts says of itself; nothing where there is none, or none that can be read."""
    if not store.exists(drafts_key(name)):
        return {}
    try:
        with store.open(drafts_key(name)) as file:
            metadata = pq.read_schema(file).metadata or {}
    except (OSError, pa.ArrowException):
        return {}
    return {key.decode(): value.decode() for key, value in metadata.items() if key in (b"fingerprint", b"plan")}


def iterate_drafts(
    store: Store, name: str, columns: Sequence[str] | None = None, rows_at_once: int = ROW_GROUP
) -> Iterator[pl.DataFrame]:
    """Yield a set's drafts in their order, in tables of at most `rows_at_once` rows with the types of Draft.

    `columns` (default: all) are read and no others: without `request` that is a tenth of the file. Raises StoreError
    where there are no drafts or they can't be read, TableError for a column that Draft has not.
    """
    wanted = Draft.column_names() if columns is None else list(columns)
    unknown = [column for column in wanted if column not in Draft.column_names()]
    if unknown:
        raise TableError(f"Draft has no column '{unknown[0]}'; it has {', '.join(Draft.column_names())}.")
    types = {column: kind for column, kind in Draft.create_empty().schema.items() if column in wanted}
    key = drafts_key(name)
    with store.local(key) as path:
        try:
            with pq.ParquetFile(path) as file:
                for batch in file.iter_batches(rows_at_once, columns=wanted):
                    yield pl.DataFrame(pl.from_arrow(batch)).select(wanted).cast(types)  # type: ignore[arg-type]
        except (OSError, pa.ArrowException) as exc:
            raise StoreError(f"{store.path(key)} can't be read ({exc}). Delete it and plan the set again.") from exc
