"""Features beside their labels: joined by sample, in order, never of other bytes."""

import polars as pl
import pytest
import torch

from tinyemo_data.errors import FeatureError
from tinyemo_data.features.cache import join_labels, labelled_features
from tinyemo_data.features.identity import released_identity
from tinyemo_data.features.manifest import features_folder, write_manifest
from tinyemo_data.features.shard import write_shard
from tinyemo_data.features.table import FeatureTable
from tinyemo_data.store import Store

FEATURES = torch.arange(18).reshape(6, 3).half()
IDS = [f"fi/{letter}" for letter in "abcdef"]
SHA = [letter * 64 for letter in "abcdef"]


@pytest.fixture
def samples() -> pl.DataFrame:
    """Eight samples in a wild order: `d` has no emotion, `y` and `z` have no feature, `z` neither."""
    return pl.DataFrame(
        {
            "sample_id": ["fi/f", "fi/z", "fi/a", "fi/c", "fi/b", "fi/d", "fi/e", "fi/y"],
            "sha256": [letter * 64 for letter in "fzacbdey"],
            "dataset": ["fi"] * 8,
            "split": ["test", "train", "train", "validation", "train", "train", "test", "train"],
            "emotion": ["awe", None, "awe", "fear", "fear", None, "anger", "joy"],
            "taxonomy": ["mikels8", None, "mikels8", "mikels8", "mikels8", None, "mikels8", "mikels8"],
        }
    )


@pytest.fixture
def table() -> FeatureTable:
    return FeatureTable(IDS, SHA, FEATURES, "clip")


def test_join_labels_lays_each_label_beside_its_feature_in_order(table: FeatureTable, samples: pl.DataFrame) -> None:
    join = join_labels(table, "fi", samples)
    assert join.labelled.sample_ids == ["fi/a", "fi/b", "fi/c", "fi/e", "fi/f"]
    assert join.labelled.emotions == ["awe", "fear", "fear", "anger", "awe"]
    assert join.labelled.taxonomies == ["mikels8"] * 5 and join.labelled.datasets == ["fi"] * 5
    assert torch.equal(join.labelled.features, FEATURES[[0, 1, 2, 4, 5]])
    assert (join.without_label, join.without_feature) == (2, 1)


@pytest.mark.parametrize(
    ("splits", "expected"),
    [(["train"], ["fi/a", "fi/b"]), (["validation", "test"], ["fi/c", "fi/e", "fi/f"]), ([], [])],
    ids=["one", "two", "none"],
)
def test_join_labels_keeps_the_asked_splits(
    splits: list[str], expected: list[str], table: FeatureTable, samples: pl.DataFrame
) -> None:
    joined = join_labels(table, "fi", samples.cast({"split": pl.Enum(["train", "validation", "test"])}), splits)
    assert joined.labelled.sample_ids == expected
    assert joined.labelled.features.shape == (len(expected), 3)


def test_join_labels_ignores_other_datasets(table: FeatureTable, samples: pl.DataFrame) -> None:
    both = pl.concat([samples, samples.with_columns(dataset=pl.lit("emoset"))])
    assert join_labels(table, "fi", both).labelled.sample_ids == ["fi/a", "fi/b", "fi/c", "fi/e", "fi/f"]


def test_join_labels_refuses_features_of_other_bytes(table: FeatureTable, samples: pl.DataFrame) -> None:
    changed = samples.with_columns(
        sha256=pl.when(pl.col("sample_id") == "fi/c").then(pl.lit("0" * 64)).otherwise("sha256")
    )
    with pytest.raises(FeatureError, match=r"stale.*1 of 5.*fi/c.*Materialize features/fi again"):
        join_labels(table, "fi", changed)


def test_labelled_features_reads_the_store(store: Store, samples: pl.DataFrame) -> None:
    encoder = released_identity("clip", 3)
    shard = write_shard(
        store, features_folder("clip", "fi"), 0, {"sample_id": IDS, "sha256": SHA}, FEATURES.numpy(), encoder
    )
    write_manifest(store, "fi", encoder, [shard])
    assert labelled_features(store, "clip", "fi", samples, splits=("test",)).emotions == ["anger", "awe"]
    with pytest.raises(FeatureError, match="materialize features/emoset"):
        labelled_features(store, "clip", "emoset", samples)
