"""Looking through Parquet files, row group by row group."""

from collections.abc import Iterator
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from tinyemo_data.hub.columns_of_text import texts_of
from tinyemo_data.hub.found import Found
from tinyemo_data.hub.private_text import MEANING, OF_THIS_MACHINE, find_private, find_rows
from tinyemo_data.store import Store

DIGEST_COLUMNS = {"picture_sha256", "prompt_digest", "request_digest"}
# SHA-256 in hex, or of 43 letters of base64 for URLs: of 700,000 of these, some look like a key, or like a picture.
DIGEST = r"^(?:(?:sha256:)?[0-9a-f]{64}|[A-Za-z0-9_-]{43})$"
FEATURE_WIDTH = 16  # numbers a row from which a column of lists is taken for picture features


def examine_parquet(
    store: Store, folder: str, path: str, patterns: dict[str, str], features_allowed: bool
) -> Iterator[Found]:
    """Yield what a Parquet file holds that must not leave: in its metadata, its columns' types and their texts."""
    with store.local(f"{folder}/{path}") as local:
        try:
            file = pq.ParquetFile(local)
        except (pa.ArrowException, OSError) as exc:
            yield Found(path, "", "unknown_file", f"no Parquet file ({type(exc).__name__})")
            return
        with file:
            yield from _metadata(path, file.schema_arrow, patterns)
            start = 0
            for number in range(file.num_row_groups):
                group = file.read_row_group(number)
                yield from _columns(path, group, start, patterns, features_allowed)
                start += len(group)


def _metadata(path: str, schema: pa.Schema, patterns: dict[str, str]) -> Iterator[Found]:
    values = (schema.metadata or {}).values()
    for trace in find_private("\n".join(value.decode("utf-8", "replace") for value in values), patterns):
        yield Found(path, "metadata", trace.reason, MEANING[trace.reason])


def _columns(
    path: str, table: pa.Table, start: int, patterns: dict[str, str], features_allowed: bool
) -> Iterator[Found]:
    for name in table.column_names:
        column = table.column(name)
        if holds_binary(column.type):
            yield Found(path, f"column {name}", "binary_column", "a column of bytes, in which pictures are embedded")
        elif holds_vectors(column) and not features_allowed:
            yield Found(path, f"column {name}", "features", "vectors of numbers: picture features")
        for rows, texts in texts_of(column):
            for row, reason in _find(name, texts, patterns):
                yield Found(path, f"column {name}, row {start + int(rows[row])}", reason, MEANING[reason])


def _find(column: str, texts: pl.Series, patterns: dict[str, str]) -> list[tuple[int, str]]:
    """Return (row, reason) of texts that hold something. What is a digest and should be one is random by nature."""
    if column not in DIGEST_COLUMNS:
        return find_rows(texts, patterns)
    digests = texts.str.contains(DIGEST).fill_null(True)
    own = {name: pattern for name, pattern in patterns.items() if name in OF_THIS_MACHINE}
    others = find_rows(texts.set(digests, None), patterns)
    return sorted([*others, *(find_rows(texts.set(~digests, None), own) if own else [])])


def holds_binary(kind: pa.DataType) -> bool:
    """Tell whether values of a type hold bytes, at any depth."""
    if pa.types.is_nested(kind):
        return any(holds_binary(kind.field(number).type) for number in range(kind.num_fields))
    if pa.types.is_dictionary(kind):
        return holds_binary(kind.value_type)
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind))


def holds_vectors(column: pa.ChunkedArray) -> bool:
    """Tell whether a column holds lists of so many numbers that they can be features."""
    kind: Any = column.type
    if pa.types.is_fixed_size_list(kind):
        return bool(_is_number(kind.value_type) and kind.list_size >= FEATURE_WIDTH)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        lengths = [len(value) for value in column if value.is_valid] if _is_number(kind.value_type) else []
        return max(lengths, default=0) >= FEATURE_WIDTH
    return False


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_floating(kind) or pa.types.is_integer(kind))
