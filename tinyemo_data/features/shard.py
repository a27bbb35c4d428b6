"""One shard of features: a Parquet file that any tool reads, and this project at the speed of a copy.

Uncompressed, without dictionaries, in row groups of 8,192, every column non-null: each of these choices
is worth a factor in reading. A row group's features are one page, so that their float16 values lie in the
file in one piece; the manifest says where. A shard is written once and never changed; its name holds its
content's digest.
"""

import hashlib
import io
import zlib

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict

from tinyemo_data.features.identity import EncoderIdentity
from tinyemo_data.store import Store

ROW_GROUP = 8192
ONE_PAGE = 1 << 30  # bytes: more than a row group of any encoder has

Features = npt.NDArray[np.float16]


class ShardEntry(BaseModel):
    """What the manifest says about one shard."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    rows: int
    bytes: int
    sha256: str
    crc32: int
    values: list[int]  # where each row group's features begin, as bare float16; empty: a reader must decode


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
        name=name,
        rows=len(features),
        bytes=len(content),
        sha256=digest,
        crc32=zlib.crc32(content),
        values=locate_values(content, features),
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
    values = pa.FixedSizeListArray.from_arrays(pa.array(np.ascontiguousarray(features).reshape(-1)), type=kind)
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
        data_page_size=ONE_PAGE,
    )
    return buffer.getvalue()


def locate_values(content: bytes, features: Features) -> list[int]:
    """Return the offset of each row group's values in a shard's bytes; none where they lie otherwise than expected.

    In an uncompressed column chunk of one plain page, the values are the end of the chunk (Parquet, "Data Pages").
    """
    metadata = pq.ParquetFile(pa.BufferReader(content)).metadata
    offsets, row = [], 0
    for group in (metadata.row_group(number) for number in range(metadata.num_row_groups)):
        values = features[row : row + group.num_rows].tobytes()
        column = group.column(group.num_columns - 1)
        start = column.data_page_offset + column.total_compressed_size - len(values)
        if content[start : start + len(values)] != values:
            return []
        offsets.append(start)
        row += group.num_rows
    return offsets


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
