"""Rows made one by one, on their way into a file of records."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import polars as pl
import pyarrow as pa

from tinyemo_data.store import Store
from tinyemo_data.synthesis.record_file import RecordFile

HELD = 8_192  # rows that are Python objects at once


@contextmanager
def writing_rows(store: Store, key: str, schema: pa.Schema) -> Iterator["Rows"]:
    """Give what takes rows of RECORD or REJECT; they are at `key` when the block ends without an error."""
    with store.writing(key) as aside, RecordFile(aside, schema) as file:
        rows = Rows(file, schema)
        yield rows
        rows.flush()


class Rows:
    """Takes rows, and hands HELD of them at once to the file."""

    def __init__(self, file: RecordFile, schema: pa.Schema) -> None:
        self._file = file
        self._schema = schema
        self._rows: list[dict[str, Any]] = []

    def add(self, row: dict[str, Any]) -> None:
        """Append a row."""
        self._rows.append(row)
        if len(self._rows) >= HELD:
            self.flush()

    def flush(self) -> None:
        """Hand over the rows that are held."""
        self._file.add(pl.DataFrame(pl.from_arrow(pa.Table.from_pylist(self._rows, schema=self._schema))))
        self._rows = []
