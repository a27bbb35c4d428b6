"""One shard of features: a Parquet file that reads at memory speed.

Uncompressed, without dictionaries, in row groups of 8,192, every column non-null: each of these choices
is worth a factor in reading. A shard is written once and never changed; its name holds its content's
digest. SHA-256 is checked when features are filled, CRC-32 whenever they are read.
"""

import hashlib
import io
import zlib
from pathlib import Path, PurePath
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict
from upath import UPath

from tinyemo_data.errors import FeatureError
from tinyemo_data.features.identity import EncoderIdentity
from tinyemo_data.store import Store

ROW_GROUP = 8192
# Small enough that a decoded batch is copied while it is still in the processor's cache.
READ_BATCH = 1024
CHUNK = 1 << 20

Features = npt.NDArray[np.float16]


class ShardEntry(BaseModel):
    """What the manifest says about one shard."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    rows: int
    bytes: int
    sha256: str
    crc32: int


def write_shard(
    store: Store,
    folder: str,
    number: int,
    columns: dict[str, list[str]],
    features: Features,
    encoder: EncoderIdentity,
) -> ShardEntry:
    """Write one shard (text columns and (n, D) features) unless it is there already; return its entry."""
    content = encode_shard(columns, features, encoder)
    digest = hashlib.sha256(content).hexdigest()
    name = f"part-{number:05d}-{digest[:16]}.parquet"
    key = f"{folder}/{name}"
    if not (store.exists(key) and store.digest(key) == digest):
        store.write_bytes(key, content)
    return ShardEntry(
        name=name, rows=len(features), bytes=len(content), sha256=digest, crc32=zlib.crc32(content)
    )


def encode_shard(
    columns: dict[str, list[str]],
    features: Features,
    encoder: EncoderIdentity,
    notes: dict[str, str] | None = None,
) -> bytes:
    """Return a shard's bytes, with `notes` added to the schema's metadata; equal input gives equal bytes."""
    item = pa.field("item", pa.float16(), nullable=False)
    kind = pa.list_(item, encoder.dimension)
    fields = [pa.field(name, pa.string(), nullable=False) for name in columns]
    schema = pa.schema(
        [*fields, pa.field("feature", kind, nullable=False)], metadata=shard_metadata(encoder) | (notes or {})
    )
    values = pa.FixedSizeListArray.from_arrays(
        pa.array(np.ascontiguousarray(features).reshape(-1)), type=kind
    )
    table = pa.Table.from_arrays(
        [*(pa.array(column, pa.string()) for column in columns.values()), values], schema=schema
    )
    buffer = io.BytesIO()
    pq.write_table(
        table,
        buffer,
        row_group_size=ROW_GROUP,
        use_dictionary=False,
        compression="none",
        write_statistics=False,
    )
    return buffer.getvalue()


def shard_metadata(encoder: EncoderIdentity) -> dict[str, str]:
    """Return what a shard's schema says about the encoder that made it."""
    return {
        "encoder": encoder.slug,
        "model": encoder.model,
        "pretrained": encoder.pretrained,
        "weights": encoder.weights_digest,
        "preprocessing": encoder.preprocessing_digest,
        "precision": encoder.precision,
        "dimension": str(encoder.dimension),
        "normalised": "false",
        "fingerprint": encoder.fingerprint,
    }


def read_shard(path: Path, entry: ShardEntry, encoder: EncoderIdentity, features: Features) -> pl.DataFrame:
    """Read a shard's features into `features` (rows, D) and return its text columns.

    Raises FeatureError where the file is not, byte for byte, what its entry says.
    """
    try:
        with path.open("rb") as file:
            _check_content(file, path, entry)
            shard = pq.ParquetFile(file)
            _check_schema(shard, path, entry, encoder)
            _copy_features(shard, features)
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
        f"{path} {finding}. Nothing of it was used: materialize its features asset again, which makes the "
        "file anew."
    )


def _check_content(file: io.BufferedReader, path: Path, entry: ShardEntry) -> None:
    crc32 = size = 0
    chunk = bytearray(CHUNK)
    view = memoryview(chunk)
    while count := file.readinto(chunk):
        crc32 = zlib.crc32(view[:count], crc32)
        size += count
    if size != entry.bytes:
        raise damaged(path, f"has {size:,} bytes, not the {entry.bytes:,} that were written")
    if crc32 != entry.crc32:
        raise damaged(path, "is damaged: its checksum is not the one that was written")
    file.seek(0)


def _check_schema(shard: pq.ParquetFile, path: Path, entry: ShardEntry, encoder: EncoderIdentity) -> None:
    found = (shard.schema_arrow.metadata or {}).get(b"fingerprint", b"none").decode()
    if found != encoder.fingerprint:
        raise damaged(
            path, f"was made by another encoder (fingerprint {found[:12]}, not {encoder.fingerprint[:12]})"
        )
    if shard.metadata.num_rows != entry.rows:
        raise damaged(path, f"has {shard.metadata.num_rows:,} rows, not {entry.rows:,}")


def _copy_features(shard: pq.ParquetFile, features: Features) -> None:
    """Copy batch by batch into place; nothing else of the payload's size is ever held."""
    start = 0
    for batch in shard.iter_batches(READ_BATCH, columns=["feature"], use_threads=False):
        # `.flatten()` honours a slice's offset, `.values` does not.
        values = batch.column(0).flatten().to_numpy(zero_copy_only=True)
        features[start : start + len(batch)] = values.reshape(len(batch), -1)
        start += len(batch)
