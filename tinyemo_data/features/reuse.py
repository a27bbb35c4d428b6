"""What need not be computed: features that intact shards hold already, of this dataset or of another."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from tinyemo_data.errors import FeatureError
from tinyemo_data.features.identity import EncoderIdentity
from tinyemo_data.features.manifest import Manifest, dataset_names, features_folder, read_manifest
from tinyemo_data.features.pool import Pool
from tinyemo_data.features.shard import ShardEntry
from tinyemo_data.features.shard_reading import damaged, read_shard, read_shard_sha256
from tinyemo_data.features.statistics_table import SCHEMA, read_statistics
from tinyemo_data.store import Store


@dataclass(frozen=True)
class Previous:
    """What the dataset's own manifest lists now."""

    manifest: Manifest
    columns: pl.DataFrame  # sample_id, sha256
    intact: bool  # every listed shard is as it was written


def collect_previous(store: Store, dataset: str, encoder: EncoderIdentity, pool: Pool) -> Previous | None:
    """Put the features of the dataset's own intact shards into `pool`; None if another encoder made them."""
    manifest = _matching_manifest(store, dataset, encoder)
    if manifest is None:
        return None
    intact, columns = True, []
    for entry in manifest.shards:
        try:
            columns.append(_take_shard(store, dataset, encoder, entry, pool))
        except FeatureError:  # it is made anew: its contents stay missing
            intact = False
    _take_statistics(store, dataset, encoder, pool)
    empty = pl.DataFrame(schema={"sample_id": pl.String, "sha256": pl.String})
    return Previous(manifest, pl.concat([empty, *columns]), intact)


def collect_from_others(store: Store, dataset: str, encoder: EncoderIdentity, pool: Pool) -> None:
    """Put features that other datasets share with this one into `pool`, reading their digests first."""
    for other in dataset_names(store, encoder.slug):
        manifest = _matching_manifest(store, other, encoder) if other != dataset else None
        if manifest is None:
            continue
        taken = [entry for entry in manifest.shards if _offers(store, other, encoder, entry, pool)]
        for entry in taken:
            try:
                _take_shard(store, other, encoder, entry, pool)
            except FeatureError:  # its own dataset's next filling mends it
                continue
        if taken:
            _take_statistics(store, other, encoder, pool)


def _matching_manifest(store: Store, dataset: str, encoder: EncoderIdentity) -> Manifest | None:
    try:
        manifest = read_manifest(store, encoder.slug, dataset)
    except FeatureError:  # absent or damaged: either way there is nothing to reuse
        return None
    return manifest if manifest.encoder.fingerprint == encoder.fingerprint else None


def _offers(store: Store, dataset: str, encoder: EncoderIdentity, entry: ShardEntry, pool: Pool) -> bool:
    key = f"{features_folder(encoder.slug, dataset)}/{entry.name}"
    try:
        return store.exists(key) and pool.wants(read_shard_sha256(store, key, entry))
    except FeatureError:
        return False


def _take_shard(store: Store, dataset: str, encoder: EncoderIdentity, entry: ShardEntry, pool: Pool) -> pl.DataFrame:
    """Put a shard's features into `pool`; return its columns. Raises FeatureError where it is damaged."""
    key = f"{features_folder(encoder.slug, dataset)}/{entry.name}"
    if not store.exists(key) or store.digest(key) != entry.sha256:
        raise damaged(store.path(key), "is absent or not as it was written")
    features = np.empty((entry.rows, encoder.dimension), dtype=np.float16)
    with store.local(key) as path:
        columns = read_shard(path, entry, encoder, features)
    pool.put(columns["sha256"].to_list(), features)
    return columns


def _take_statistics(store: Store, dataset: str, encoder: EncoderIdentity, pool: Pool) -> None:
    try:
        statistics = read_statistics(store, encoder.slug, dataset)
    except FeatureError:  # absent for released features; where it is damaged, the pictures give it back
        return
    pool.put_statistics(statistics.select(SCHEMA.names()).unique("sha256", keep="first", maintain_order=True))
