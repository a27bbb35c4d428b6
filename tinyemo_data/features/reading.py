"""Reading a dataset's features from their shards into one tensor."""

from concurrent.futures import ThreadPoolExecutor
from itertools import accumulate

import numpy as np
import polars as pl
import torch

from tinyemo_data.errors import StoreError
from tinyemo_data.features.manifest import Manifest, features_folder, read_manifest
from tinyemo_data.features.shard import Features
from tinyemo_data.features.shard_reading import damaged, read_shard
from tinyemo_data.features.table import FeatureTable
from tinyemo_data.store import Store

READERS = 2  # shards at a time: reading is bound by memory, more bring nothing


def read_features(store: Store, slug: str, dataset: str) -> FeatureTable:
    """Read all features of `dataset` under the encoder `slug`: (N, D) float16, in the order of `sample_id`.

    The tensor is allocated once and filled shard by shard, each checked against the manifest (size, CRC-32,
    rows, fingerprint). Raises FeatureError where features are absent or a shard is not as it was written.
    """
    manifest = read_manifest(store, slug, dataset)
    # NumPy's large arrays lie on huge pages, which makes touching them several times faster than torch's.
    features = np.empty((manifest.rows, manifest.encoder.dimension), dtype=np.float16)
    columns = _read_shards(store, manifest, features)
    return FeatureTable(
        sample_ids=columns["sample_id"].to_list(),
        sha256=columns["sha256"].to_list(),
        features=torch.from_numpy(features),
        encoder=slug,
    )


def _read_shards(store: Store, manifest: Manifest, features: Features) -> pl.DataFrame:
    """Fill `features` and return `sample_id` and `sha256` of its rows."""
    folder = features_folder(manifest.encoder.slug, manifest.dataset)
    ends = list(accumulate(entry.rows for entry in manifest.shards))

    def read(number: int) -> pl.DataFrame:
        entry = manifest.shards[number]
        key = f"{folder}/{entry.name}"
        try:
            with store.local(key) as path:
                return read_shard(path, entry, manifest.encoder, features[ends[number] - entry.rows : ends[number]])
        except StoreError as exc:
            raise damaged(store.path(key), "is listed by its manifest, but not there") from exc

    if len(ends) <= 1:
        columns = [read(number) for number in range(len(ends))]
    else:
        with ThreadPoolExecutor(READERS) as readers:
            columns = list(readers.map(read, range(len(ends))))
    return pl.concat([pl.DataFrame(schema={"sample_id": pl.String, "sha256": pl.String}), *columns])
