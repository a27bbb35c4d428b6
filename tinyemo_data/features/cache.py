"""The feature cache: every picture is encoded once, whatever its file is called.

`features/<encoder>/<dataset>/` holds Parquet shards and `manifest.json`, which lists them and is written
last. Features come from pictures (`fill_feature_cache`) or from files that others released
(`import_released_features`); both are read by `read_features` and `labelled_features`.
"""

from pathlib import Path

import polars as pl

from tinyemo_data.features.content import only_dataset
from tinyemo_data.features.encoder import Encoder
from tinyemo_data.features.encoding import encode_contents
from tinyemo_data.features.filling import FillReport, failed_key, fill, read_failed
from tinyemo_data.features.identity import EncoderIdentity, encoder_slug, released_identity
from tinyemo_data.features.labelled import Join, join_labels, labelled_features
from tinyemo_data.features.manifest import is_cached
from tinyemo_data.features.reading import read_features
from tinyemo_data.features.released import import_released_features
from tinyemo_data.progress import Report
from tinyemo_data.store import Store

__all__ = [
    "EncoderIdentity",
    "FillReport",
    "Join",
    "encoder_slug",
    "failed_key",
    "fill_feature_cache",
    "import_released_features",
    "is_cached",
    "join_labels",
    "labelled_features",
    "read_failed",
    "read_features",
    "released_identity",
]


def fill_feature_cache(
    store: Store, samples: pl.DataFrame, root: Path, encoder: Encoder, progress: Report | None = None
) -> FillReport:
    """Encode the pictures of one dataset's Sample table that no cached feature answers for.

    `root` is the dataset's folder. A picture that can't be encoded becomes a row of the report's `failed`
    (and of `failed.parquet`) and is tried again next time. Raises FeatureError for samples of several
    datasets or of released features.
    """
    dataset = only_dataset(samples, "picture")
    return fill(
        store,
        dataset,
        samples,
        encoder.identity,
        lambda batches: encode_contents(encoder, root, batches),
        batch_size=encoder.batch_size,
        report=progress,
        with_statistics=True,
    )
