"""The texts of a Parquet column, however deep they lie."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

Rows = npt.NDArray[np.int64]


def texts_of(column: pa.ChunkedArray) -> Iterator[tuple[Rows, pl.Series]]:
    """Yield the texts of a column with the row that each is in; each text once a column of few values.

    Lists and structs are opened; what is no text is passed over.
    """
    start = 0
    for chunk in column.chunks:
        yield from _texts(chunk, np.arange(start, start + len(chunk)))
        start += len(chunk)


def _texts(array: pa.Array, rows: Rows) -> Iterator[tuple[Rows, pl.Series]]:
    kind = array.type
    if pa.types.is_dictionary(kind):
        yield from _texts(array.dictionary_decode(), rows)
    elif pa.types.is_struct(kind):
        for part in array.flatten():
            yield from _texts(part, rows)
    elif (
        pa.types.is_map(kind)
        or pa.types.is_list(kind)
        or pa.types.is_large_list(kind)
        or pa.types.is_fixed_size_list(kind)
    ):
        owners = pc.list_parent_indices(array).to_numpy(zero_copy_only=False)
        yield from _texts(pc.list_flatten(array), rows[owners])
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        yield from _distinct(array, rows)


def _distinct(array: pa.Array, rows: Rows) -> Iterator[tuple[Rows, pl.Series]]:
    """Yield each text once, with its first row, where texts repeat; else all of them."""
    texts = pl.Series("text", pl.from_arrow(array), dtype=pl.String)
    few = pl.DataFrame({"text": texts, "row": rows}).unique("text", keep="first", maintain_order=True)
    yield few["row"].to_numpy(), few["text"]
