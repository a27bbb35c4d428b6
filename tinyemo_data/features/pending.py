"""Batches that are computed but not yet in a shard: a killed run finds them and goes on behind them.

Each batch is one file, written whole or not at all; its name holds the digest of its content's keys and
the digest of its bytes, so that a damaged one is told from a good one.
"""

import hashlib
from dataclasses import asdict

import numpy as np
import orjson
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from tinyemo_data.features.content import ComputedBatch, Failure
from tinyemo_data.features.identity import EncoderIdentity
from tinyemo_data.features.manifest import features_folder
from tinyemo_data.features.pool import Pool
from tinyemo_data.features.shard import encode_shard
from tinyemo_data.features.statistics_table import SCHEMA
from tinyemo_data.store import Store


def pending_folder(slug: str, dataset: str) -> str:
    """Return the store key of the folder of batches in flight."""
    return f"{features_folder(slug, dataset)}/pending"


def write_pending(store: Store, dataset: str, encoder: EncoderIdentity, batch: ComputedBatch) -> str:
    """Write a computed batch; return its key."""
    notes = {"failures": orjson.dumps([asdict(failure) for failure in batch.failures]).decode()}
    if batch.statistics is not None:
        notes["statistics"] = orjson.dumps(batch.statistics.to_dicts()).decode()
    content = encode_shard({"sha256": batch.sha256}, batch.features, encoder, notes)
    keys = hashlib.sha256("".join(content.sha256 for content in batch.contents).encode()).hexdigest()
    name = f"batch-{keys[:24]}-{hashlib.sha256(content).hexdigest()}.parquet"
    key = f"{pending_folder(encoder.slug, dataset)}/{name}"
    store.write_bytes(key, content)
    return key


def collect_pending(store: Store, dataset: str, encoder: EncoderIdentity, pool: Pool) -> list[str]:
    """Put every intact batch into `pool`, remove the others; return the keys of the intact ones."""
    intact = []
    for key in store.keys(pending_folder(encoder.slug, dataset)):
        content = store.read_bytes(key)
        if _is_intact(key, content) and _put(content, encoder, pool):
            intact.append(key)
        else:
            store.remove(key)
    return intact


def remove_pending(store: Store, dataset: str, encoder: EncoderIdentity) -> None:
    """Remove all batches in flight: a manifest lists their features now."""
    for key in store.keys(pending_folder(encoder.slug, dataset)):
        store.remove(key)


def _is_intact(key: str, content: bytes) -> bool:
    written = key.removesuffix(".parquet").rpartition("-")[2]
    return hashlib.sha256(content).hexdigest() == written


def _put(content: bytes, encoder: EncoderIdentity, pool: Pool) -> bool:
    """Put a batch into `pool`; tell whether it was made by this encoder."""
    table = pq.read_table(pa.BufferReader(content))
    notes = {key.decode(): value.decode() for key, value in table.schema.metadata.items()}
    if notes.get("fingerprint") != encoder.fingerprint:
        return False
    batch = table.combine_chunks()
    features = np.concatenate([chunk.flatten().to_numpy() for chunk in batch["feature"].chunks] or [_NOTHING])
    pool.put(batch["sha256"].to_pylist(), features.reshape(len(batch), encoder.dimension))
    if "statistics" in notes:
        pool.put_statistics(pl.DataFrame(orjson.loads(notes["statistics"]), schema=SCHEMA))
    for failure in orjson.loads(notes["failures"]):
        pool.failures[failure["sha256"]] = Failure(**failure)
    return True


_NOTHING = np.empty(0, dtype=np.float16)
