"""The features of one dataset of a store: pictures are encoded, released features are imported."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from tinyemo_data import sources
from tinyemo_data.features.cache import FillReport, encoder_slug, fill_feature_cache, import_released_features
from tinyemo_data.features.manifest import features_folder, manifest_key
from tinyemo_data.ingest import find_root
from tinyemo_data.progress import Report
from tinyemo_data.sample import read_samples
from tinyemo_data.settings import DatasetSettings, EncoderSettings
from tinyemo_data.store import Store


@dataclass(frozen=True)
class Filled:
    """What filling one dataset's cache did, and where it lies."""

    report: FillReport
    encoder: str  # slug
    key: str  # folder of the shards
    digest: str  # of the manifest, which holds the digest of every shard


def materialize_features(
    store: Store,
    dataset: str,
    root: Path,
    chosen: DatasetSettings,
    encoder: EncoderSettings,
    progress: Report | None = None,
) -> Filled:
    """Fill the cache of one dataset from its Sample table. `root` is its folder, as in the settings.

    Raises what ingest raises for a missing folder, EncoderError, FeatureError or StoreError.
    """
    samples = read_samples(store, dataset)
    folder = find_root(sources.get(dataset), root, chosen)
    slug = encoder_slug(encoder)
    report = _fill(store, samples, folder, encoder, slug, progress)
    return Filled(report, slug, features_folder(slug, dataset), store.digest(manifest_key(slug, dataset)))


def _fill(
    store: Store, samples: pl.DataFrame, folder: Path, encoder: EncoderSettings, slug: str, progress: Report | None
) -> FillReport:
    if (samples["source_kind"] == "feature").all():
        return import_released_features(store, samples, folder, slug, progress)
    # Here, so that importing released features needs no open_clip.
    from tinyemo_data.features.encoder import Encoder

    return fill_feature_cache(store, samples, folder, Encoder(encoder), progress)
