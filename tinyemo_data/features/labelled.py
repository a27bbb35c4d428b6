"""Features beside their labels: what training and evaluation take."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from tinyemo_data.errors import FeatureError
from tinyemo_data.features.reading import read_features
from tinyemo_data.features.table import FeatureTable, LabelledFeatures
from tinyemo_data.store import Store


@dataclass(frozen=True)
class Join:
    """Labelled features, and what was left out of them."""

    labelled: LabelledFeatures
    without_label: int  # samples that have dimensions, but no emotion
    without_feature: int  # labelled samples whose picture gave no feature


def labelled_features(
    store: Store, slug: str, dataset: str, samples: pl.DataFrame, splits: Sequence[str] | None = None
) -> LabelledFeatures:
    """Return the features of the labelled samples of `dataset`, in the order of `sample_id`.

    `splits` keeps those splits alone. Raises FeatureError where there are no features or they are stale.
    """
    return join_labels(read_features(store, slug, dataset), dataset, samples, splits).labelled


def join_labels(table: FeatureTable, dataset: str, samples: pl.DataFrame, splits: Sequence[str] | None = None) -> Join:
    """Join features with the Sample table's labels.

    Raises FeatureError for a feature that was made of other bytes than its sample has now.
    """
    wanted = samples.filter(pl.col("dataset") == dataset)
    if splits is not None:
        wanted = wanted.filter(pl.col("split").cast(pl.String).is_in(list(splits)))
    labelled = wanted.filter(pl.col("emotion").is_not_null()).select("sample_id", "sha256", "emotion", "taxonomy")
    rows = pl.DataFrame({"sample_id": table.sample_ids, "feature_sha256": table.sha256}).with_row_index("row")
    joined = labelled.join(rows, on="sample_id", how="inner").sort("sample_id")
    _refuse_stale(joined, dataset)
    features = LabelledFeatures(
        features=table.features[joined["row"].cast(pl.Int64).to_torch()],
        sample_ids=joined["sample_id"].to_list(),
        sha256=joined["sha256"].to_list(),
        datasets=[dataset] * len(joined),
        taxonomies=joined["taxonomy"].to_list(),
        emotions=joined["emotion"].to_list(),
    )
    return Join(features, len(wanted) - len(labelled), len(labelled) - len(joined))


def _refuse_stale(joined: pl.DataFrame, dataset: str) -> None:
    stale = joined.filter(pl.col("sha256") != pl.col("feature_sha256"))
    if len(stale):
        row = stale.row(0, named=True)
        raise FeatureError(
            f"The features of {dataset} are stale: {len(stale)} of {len(joined)} were made of other bytes "
            f"than the samples have now (first '{row['sample_id']}': sample {row['sha256'][:12]}…, feature "
            f"of {row['feature_sha256'][:12]}…). Materialize features/{dataset} again: only what changed is "
            "computed."
        )
