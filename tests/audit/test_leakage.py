from hashlib import sha256
from typing import Any

import polars as pl
import pytest
import torch

from tinyemo_data.audit.leakage import PAIRS_KEY, REPORT_KEY, leakage_report, twins_of_training
from tinyemo_data.audit.leaks import Leak
from tinyemo_data.errors import StoreError
from tinyemo_data.features.identity import released_identity
from tinyemo_data.features.manifest import features_folder, write_manifest
from tinyemo_data.features.shard import write_shard
from tinyemo_data.sample import Quarantined, Sample, write_samples
from tinyemo_data.store import Store

SLUG = "encoder"


def digest(content: str) -> str:
    return sha256(content.encode()).hexdigest()


def sample(sample_id: str, split: str, content: str, phash: str | None) -> dict[str, Any]:
    size = None if phash is None else 100
    return {
        "sample_id": sample_id, "source_kind": "feature" if phash is None else "picture",
        "dataset": sample_id.partition("/")[0], "split": split, "image_path": sample_id.partition("/")[2] + ".jpg",
        "sha256": digest(content), "phash": phash, "width": size, "height": size, "label_source": "folder",
    }  # fmt: skip


def fill(store: Store, dataset: str, rows: list[dict[str, Any]]) -> None:
    schema = Sample.create_empty().schema
    write_samples(store, dataset, pl.DataFrame(rows, schema=schema), Quarantined.create_empty())


def cache(store: Store, dataset: str, contents: dict[str, torch.Tensor]) -> None:
    """Write features of an encoder as the importer of released ones would."""
    encoder = released_identity(SLUG, 64)
    values = torch.stack(list(contents.values())).half().numpy()
    columns = {"sample_id": [f"{dataset}/{name}" for name in contents], "sha256": [digest(name) for name in contents]}
    shard = write_shard(store, features_folder(SLUG, dataset), 0, columns, values, encoder)
    write_manifest(store, dataset, encoder, [shard])


def apart(number: int) -> str:
    """A hash that is far from those of other numbers."""
    return sha256(f"hash {number}".encode()).hexdigest()[:16]


def fill_pictures(store: Store) -> None:
    """Emotion6 and EmotionROI share pictures; fi has none of them."""
    fill(store, "emotion6", [
        sample("emotion6/1", "train", "one", apart(1)),
        sample("emotion6/2", "train", "two", apart(2)),
        sample("emotion6/3", "test", "three", apart(3)),
        sample("emotion6/4", "test", "two edited", f"{int(apart(2), 16) ^ 0b11:016x}"),
    ])  # fmt: skip
    fill(store, "emotionroi", [
        sample("emotionroi/1", "test", "one", apart(1)),
        sample("emotionroi/3", "train", "three", apart(3)),
        sample("emotionroi/5", "test", "five", apart(5)),
    ])  # fmt: skip
    fill(store, "fi", [sample("fi/6", "train", "six", apart(6)), sample("fi/7", "validation", "seven", apart(7))])


def test_leakage_report_counts_twins_a_train_and_evaluated_split(store: Store) -> None:
    fill_pictures(store)
    report = leakage_report(store, SLUG, ["emotion6", "emotionroi", "fi", "webemo"])
    assert report.found == [
        Leak("emotion6", "emotion6", "test", n=2, twins=1, identical=0),
        Leak("emotion6", "emotionroi", "test", n=2, twins=1, identical=1),
        Leak("emotionroi", "emotion6", "test", n=2, twins=1, identical=1),
    ]
    assert len(report.leaks) == 9  # three train splits against three evaluated ones
    assert report.missing == ["webemo"]
    assert report.without_features == ["emotion6", "emotionroi", "fi"]
    assert any("fi has no cached features" in note for note in report.notes)
    assert (report.n_pairs, report.n_groups) == (3, 3)


def test_leakage_report_writes_all_pairs_and_equal_bytes_on_a_rerun(store: Store) -> None:
    fill_pictures(store)
    report = leakage_report(store, SLUG, ["emotion6", "emotionroi", "fi"])
    written = store.read_bytes(REPORT_KEY), store.read_bytes(PAIRS_KEY)
    assert store.read_table(PAIRS_KEY).equals(report.pairs)
    value = store.read_json(REPORT_KEY)
    assert value["thresholds"]["hamming_alone"] == report.thresholds.hamming_alone
    assert [leak["twins"] for leak in value["leaks"] if leak["twins"]] == [1, 1, 1]
    assert value["pairs"][0]["second"] == "emotionroi/1"
    leakage_report(store, SLUG, ["emotion6", "emotionroi", "fi"])
    assert (store.read_bytes(REPORT_KEY), store.read_bytes(PAIRS_KEY)) == written


@pytest.mark.parametrize(
    ("train_on", "expected"),
    [
        (["emotion6"], {"emotion6": {"emotion6/4"}, "emotionroi": {"emotionroi/1"}, "fi": set()}),
        (["emotionroi"], {"emotion6": {"emotion6/3"}, "emotionroi": set(), "fi": set()}),
        (
            ["emotion6", "emotionroi"],
            {"emotion6": {"emotion6/3", "emotion6/4"}, "emotionroi": {"emotionroi/1"}, "fi": set()},
        ),
        (["webemo"], {"emotion6": set(), "emotionroi": set(), "fi": set()}),
    ],
    ids=["emotion6", "emotionroi", "both", "absent"],
)
def test_twins_of_training_names_evaluated_pictures_of_what_was_learnt(
    store: Store, train_on: list[str], expected: dict[str, set[str]]
) -> None:
    fill_pictures(store)
    leakage_report(store, SLUG, ["emotion6", "emotionroi", "fi"])
    assert twins_of_training(store, train_on) == expected


def test_leakage_report_uses_the_features_that_are_cached(store: Store) -> None:
    generator = torch.Generator().manual_seed(0)
    released = {f"r{n}": torch.randn(64, generator=generator) + 2 for n in range(100)}
    fill(store, "emotion6", [sample(f"emotion6/{name}", "train", name, None) for name in released])
    pictures = {f"p{n}": released[f"r{n}"] + 0.02 for n in range(10)}
    fill(store, "emotionroi", [sample(f"emotionroi/{name}", "test", name, apart(n)) for n, name in enumerate(pictures)])
    fill(store, "fi", [sample("fi/1", "test", "one", apart(99))])
    cache(store, "emotion6", released)
    cache(store, "emotionroi", pictures)
    report = leakage_report(store, SLUG, ["emotion6", "emotionroi", "fi"])
    assert report.cosine_used
    assert report.without_features == ["fi"]
    assert report.found == [Leak("emotion6", "emotionroi", "test", n=10, twins=10, identical=0)]
    assert twins_of_training(store, ["emotion6"])["emotionroi"] == {f"emotionroi/p{n}" for n in range(10)}
    assert any("emotion6 holds released features" in note for note in report.notes)


def test_leakage_report_says_so_when_cosines_mean_nothing(store: Store) -> None:
    generator = torch.Generator().manual_seed(0)
    grey = {f"g{n}": torch.ones(64) * 3 + torch.randn(2, generator=generator) @ torch.eye(2, 64) for n in range(100)}
    fill(store, "emotion6", [sample(f"emotion6/{name}", "train", name, None) for name in grey])
    cache(store, "emotion6", grey)
    report = leakage_report(store, SLUG, ["emotion6"])
    assert not report.cosine_used
    assert report.n_pairs == 0
    assert any("effective dimensions" in note for note in report.notes)


def test_leakage_report_fails_with_what_to_do_when_no_dataset_has_samples(store: Store) -> None:
    with pytest.raises(StoreError, match="Materialize samples/<dataset>"):
        leakage_report(store, SLUG, ["fi"])


def test_twins_of_training_fails_when_there_is_no_report(store: Store) -> None:
    with pytest.raises(StoreError, match=r"leakage\.json"):
        twins_of_training(store, ["fi"])


def test_twins_of_training_fails_when_samples_were_made_anew(store: Store) -> None:
    fill_pictures(store)
    leakage_report(store, SLUG, ["emotion6", "fi"])
    fill(store, "fi", [sample("fi/8", "test", "one", apart(1))])
    with pytest.raises(StoreError, match="other samples of fi"):
        twins_of_training(store, ["emotion6"])


def test_twins_of_training_fails_when_pairs_are_not_those_of_the_report(store: Store) -> None:
    fill_pictures(store)
    report = leakage_report(store, SLUG, ["emotion6", "fi"])
    store.write_table(PAIRS_KEY, report.pairs.head(0))
    with pytest.raises(StoreError, match="Materialize leakage again"):
        twins_of_training(store, ["emotion6"])
