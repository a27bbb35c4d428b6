"""Reading a shard: its features straight into their place, every byte of it under its checksum.

SHA-256 is checked when features are filled. Reading checks size, CRC-32, rows and fingerprint, in one pass
over the file: where the manifest says where the values lie they are read into place, else Arrow decodes them.
"""

import io
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from upath import UPath

from tinyemo_data.errors import FeatureError
from tinyemo_data.features.identity import EncoderIdentity
from tinyemo_data.features.shard import ROW_GROUP, Features, ShardEntry
from tinyemo_data.store import Store

CHUNK = 1 << 18  # bytes: what was read is summed while it is still in the processor's cache
READ_BATCH = 1024  # rows that Arrow decodes at a time, for the same reason


def read_shard(path: Path, entry: ShardEntry, encoder: EncoderIdentity, features: Features) -> pl.DataFrame:
    """Read a shard's features into `features` (rows, D) and return its text columns.

    Raises FeatureError where the file is not, byte for byte, what its entry says.
    """
    try:
        _read_checked(path, entry, features)
        # By its path, not as a Python file: Arrow then reads without taking the interpreter's lock.
        with pq.ParquetFile(path) as shard:
            _check_schema(shard, path, entry, encoder)
            if not entry.values:
                _decode_features(shard, features)
            names = [name for name in shard.schema_arrow.names if name != "feature"]
            columns: Any = pl.from_arrow(shard.read(columns=names, use_threads=False))
    except (OSError, pa.ArrowException) as exc:
        raise damaged(path, f"can't be read ({exc})") from exc
    return pl.DataFrame(columns)


def read_shard_sha256(store: Store, key: str, entry: ShardEntry) -> list[str]:
    """Return the `sha256` column alone, without checking the rest of the file."""
    try:
        with store.open(key) as file:
            column: Any = pl.from_arrow(pq.ParquetFile(file).read(columns=["sha256"]))
    except (OSError, pa.ArrowException) as exc:
        raise damaged(Path(key), f"can't be read ({exc})") from exc
    if len(column) != entry.rows:
        raise damaged(Path(key), f"has {len(column):,} rows, not {entry.rows:,}")
    return [str(value) for value in column["sha256"].to_list()]


def damaged(path: PurePath | UPath, finding: str) -> FeatureError:
    """Return the error for a shard that is not what the manifest says."""
    return FeatureError(
        f"{path} {finding}. Nothing of it was used: materialize its features asset again, which makes the file anew."
    )


def _read_checked(path: Path, entry: ShardEntry, features: Features) -> None:
    """Read the whole file once, the values into `features`; check its size and checksum."""
    if path.stat().st_size != entry.bytes:
        raise damaged(path, f"has {path.stat().st_size:,} bytes, not the {entry.bytes:,} that were written")
    crc32 = 0
    scratch = memoryview(bytearray(CHUNK))
    with path.open("rb", buffering=0) as file:
        for start, target in _value_places(entry, features):
            crc32 = _sum_until(file, start, scratch, crc32)
            for place in range(0, len(target), CHUNK):
                crc32 = _fill(file, target[place : place + CHUNK], crc32)
        crc32 = _sum_until(file, entry.bytes, scratch, crc32)
    if crc32 != entry.crc32:
        raise damaged(path, "is damaged: its checksum is not the one that was written")


def _value_places(entry: ShardEntry, features: Features) -> Iterator[tuple[int, memoryview]]:
    """Pair the place of each row group's values in the file with that in memory."""
    for number, start in enumerate(entry.values):
        rows = features[number * ROW_GROUP : (number + 1) * ROW_GROUP]
        yield start, rows.data.cast("B")


def _sum_until(file: io.FileIO, end: int, scratch: memoryview, crc32: int) -> int:
    while (left := end - file.tell()) > 0:
        crc32 = _fill(file, scratch[: min(left, CHUNK)], crc32)
    return crc32


def _fill(file: io.FileIO, target: memoryview, crc32: int) -> int:
    """Fill `target` from the file and return the checksum continued over it."""
    filled = 0
    while filled < len(target):
        count = file.readinto(target[filled:])
        if not count:
            raise OSError("it ended while it was read")
        filled += count
    return zlib.crc32(target, crc32)


def _check_schema(shard: pq.ParquetFile, path: Path, entry: ShardEntry, encoder: EncoderIdentity) -> None:
    expected, found = encoder.fingerprint, (shard.schema_arrow.metadata or {}).get(b"fingerprint", b"none").decode()
    if found != expected:
        raise damaged(path, f"was made by another encoder (fingerprint {found[:12]}, not {expected[:12]})")
    if shard.metadata.num_rows != entry.rows:
        raise damaged(path, f"has {shard.metadata.num_rows:,} rows, not {entry.rows:,}")


def _decode_features(shard: pq.ParquetFile, features: Features) -> None:
    """Decode batch by batch into place; nothing else of the payload's size is ever held."""
    start = 0
    for batch in shard.iter_batches(READ_BATCH, columns=["feature"], use_threads=False):
        # `.flatten()` honours a slice's offset, `.values` does not.
        values = batch.column(0).flatten().to_numpy(zero_copy_only=True)
        features[start : start + len(batch)] = values.reshape(len(batch), -1)
        start += len(batch)
