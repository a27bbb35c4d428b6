"""Parquet shards of records, laid out so that a small change of a set stays a small upload.

All records of one picture lie in one shard, chosen by the picture's id and not by its place: a record more or less
changes one shard, and so does a picture. Pages are cut where the content says (content-defined chunking), with the
parameters that `datasets` writes with, so that storage that deduplicates sends what changed alone.
"""

import contextlib
import math
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import orjson
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from tinyemo_data.store import Store
from tinyemo_data.synthesis.record_file import FEW_VALUES, RECORD

CHUNKING = {"min_chunk_size": 256 * 1024, "max_chunk_size": 1024 * 1024, "norm_level": 0}
MOST_ROWS = 65_536  # a shard; about 20 MB compressed
ROW_GROUP = 16_384  # rows; about 20 MB, where the Hub's viewer takes 100
DIGEST_MARK = "sha256:"  # a bare digest of digits alone would be read as a number


@dataclass(frozen=True)
class Shard:
    """One Parquet file."""

    path: str  # below the repository
    rows: int
    bytes: int
    arrow_bytes: int  # in memory


class ShardWriter:
    """A shard in the making. Rows are held until they fill a row group."""

    def __init__(self, writer: pq.ParquetWriter, path: str) -> None:
        """Write to `writer`, which becomes `path`."""
        self.path = path
        self.rows = self.arrow_bytes = self._waiting = 0
        self._writer = writer
        self._held: list[pa.Table] = []

    def add(self, rows: pl.DataFrame) -> None:
        """Append rows."""
        self._held.append(rows.select(RECORD.names).to_arrow(compat_level=pl.CompatLevel.oldest()).cast(RECORD))
        self._waiting += len(rows)
        if self._waiting >= ROW_GROUP:
            self._write(self._waiting // ROW_GROUP * ROW_GROUP)

    def finish(self) -> None:
        """Write what is held."""
        self._write(self._waiting)
        self._writer.close()

    def _write(self, count: int) -> None:
        table = pa.concat_tables(self._held) if self._held else RECORD.empty_table()
        for start in range(0, count, ROW_GROUP):
            # One chunk a column: pages are cut where chunks end.
            group = table.slice(start, min(ROW_GROUP, count - start)).combine_chunks()
            self._writer.write_table(group, row_group_size=ROW_GROUP)
            self.arrow_bytes += group.nbytes
        self._held, self._waiting, self.rows = [table.slice(count)], self._waiting - count, self.rows + count


def write_shards(store: Store, folder: str, parts: Iterable[pl.DataFrame], rows: int) -> list[Shard]:
    """Write records to `<folder>/data/train-*.parquet`; return the shards, in their order.

    `parts` are tables of `Record` in a fixed order, `rows` how many records they have in all. Equal records give equal
    bytes. Shards number a power of two, so that a growing set seldom changes their number.
    """
    paths = shard_paths(rows)
    with contextlib.ExitStack() as files:
        writers = [files.enter_context(_opened(store, f"{folder}/{path}", path)) for path in paths]
        for part in parts:
            for number, those in _by_shard(part, len(paths)):
                writers[number].add(those)
        for writer in writers:
            writer.finish()
    sizes = [store.path(f"{folder}/{path}").stat().st_size for path in paths]
    return [
        Shard(writer.path, writer.rows, size, writer.arrow_bytes) for writer, size in zip(writers, sizes, strict=True)
    ]


def shard_paths(rows: int) -> list[str]:
    """Return the paths of the shards of so many records."""
    count = 1 << max(0, math.ceil(math.log2(max(1, rows) / MOST_ROWS)))
    return [f"data/train-{number:05d}-of-{count:05d}.parquet" for number in range(count)]


def shard_of(picture: str, count: int) -> int:
    """Return the number of the shard, of `count`, that a picture's records lie in."""
    return zlib.crc32(picture.encode()) % count


def _by_shard(part: pl.DataFrame, count: int) -> Iterator[tuple[int, pl.DataFrame]]:
    """Yield the rows of each shard, in their order, their pictures' digests marked as such."""
    known = pl.col("picture_sha256") != ""  # records that were imported may know no picture
    marked = part.with_columns(
        picture_sha256=pl.when(known).then(DIGEST_MARK + pl.col("picture_sha256")).otherwise(pl.lit(""))
    )
    names = [sample or record for sample, record in part.select("sample_id", "record_id").iter_rows()]
    numbers = pl.Series("shard", [shard_of(name, count) for name in names], dtype=pl.UInt32)
    for number in numbers.unique().sort():
        yield number, marked.filter(numbers == number)


@contextlib.contextmanager
def _opened(store: Store, key: str, path: str) -> Iterator[ShardWriter]:
    names = [name for name in FEW_VALUES if name.partition(".")[0] in RECORD.names]
    options = {"use_dictionary": names, "compression": "zstd", "write_page_index": True}
    with store.writing(key) as aside:
        writer = pq.ParquetWriter(aside, RECORD, use_content_defined_chunking=CHUNKING, **options)
        try:
            writer.add_key_value_metadata({"content_defined_chunking": orjson.dumps(CHUNKING).decode()})
            yield ShardWriter(writer, path)
        finally:
            writer.close()
