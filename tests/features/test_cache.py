"""The cache is keyed by bytes and encoder: it computes nothing twice and never takes damage for features."""

import json
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest
import torch

from tests.features.conftest import draw_picture, samples_of
from tinyemo_data.errors import FeatureError
from tinyemo_data.features import filling
from tinyemo_data.features.cache import fill_feature_cache, is_cached, read_features
from tinyemo_data.features.content import distinct_contents
from tinyemo_data.features.encoder import Encoder
from tinyemo_data.features.encoding import Prepared, prepare
from tinyemo_data.features.manifest import features_folder, manifest_key, read_manifest, write_manifest
from tinyemo_data.features.statistics_table import read_statistics, statistics_key
from tinyemo_data.progress import Progress
from tinyemo_data.settings import EncoderSettings
from tinyemo_data.store import Store

SLUG = "tinyemo-vit-seed0"
FOLDER = f"features/{SLUG}/emotion6"


def shard_paths(store: Store) -> list[Path]:
    return sorted(Path(store.url, FOLDER).glob("part-*.parquet"))


def tree(store: Store) -> dict[str, bytes]:
    folder = Path(store.url)
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def flip_byte(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place % len(content)] ^= 0x10
    path.write_bytes(bytes(content))


def test_fill_gives_each_picture_the_feature_that_the_encoder_gives_it_alone(
    store: Store, root: Path, samples: pl.DataFrame, encoder: Encoder
) -> None:
    fill_feature_cache(store, samples, root, encoder)
    table = read_features(store, SLUG, "emotion6")
    assert table.features.shape == (20, 128) and table.features.dtype == torch.float16
    assert table.features.is_contiguous()
    rows = dict(zip(table.sha256, table.features, strict=True))
    for content in distinct_contents(samples):
        prepared = prepare(content, root, encoder.preprocessing)
        if content.sha256 in rows:
            assert isinstance(prepared, Prepared)
            alone = encoder.encode([prepared.crop])[0]
            torch.testing.assert_close(rows[content.sha256], alone, rtol=2e-3, atol=2e-3)


def test_fill_encodes_byte_identical_pictures_once_and_keeps_a_row_for_each(
    store: Store, root: Path, samples: pl.DataFrame, encoder: Encoder
) -> None:
    report = fill_feature_cache(store, samples, root, encoder)
    assert (report.rows, report.computed, report.reused) == (20, 19, 1)
    table = read_features(store, SLUG, "emotion6")
    assert table.sample_ids == sorted(table.sample_ids)
    first, twin = (table.sample_ids.index(f"emotion6/images/joy/{name}") for name in ("03", "99"))
    assert torch.equal(table.features[first], table.features[twin])


def test_fill_records_what_it_can_not_encode_and_tries_it_again(
    store: Store, root: Path, samples: pl.DataFrame, encoder: Encoder
) -> None:
    (root / "images/fear/01.jpg").unlink()
    draw_picture(root / "images/anger/02.jpg", 777)
    cut = (root / "images/fear/04.jpg").read_bytes()[:-200]
    (root / "images/fear/04.jpg").write_bytes(cut)
    samples = samples.filter(pl.col("sample_id") != "emotion6/images/fear/04").vstack(
        samples_of(root).filter(pl.col("sample_id") == "emotion6/images/fear/04")
    )
    report = fill_feature_cache(store, samples, root, encoder)
    assert dict(report.failed.select("sample_id", "reason").iter_rows()) == {
        "emotion6/images/anger/02": "changed",
        "emotion6/images/fear/01": "absent",
        "emotion6/images/fear/04": "truncated",
        "emotion6/images/joy/07broken": "undecodable",
    }
    assert store.read_table(f"{FOLDER}/failed.parquet").equals(report.failed)
    draw_picture(root / "images/fear/01.jpg", 1)
    again = fill_feature_cache(store, samples, root, encoder)
    assert (again.computed, len(again.failed), again.rows) == (1, 3, 18)


def test_fill_gives_the_same_bytes_for_the_same_input(
    root: Path, samples: pl.DataFrame, encoder: Encoder, tmp_path: Path
) -> None:
    one, two = Store(tmp_path / "one"), Store(tmp_path / "two")
    fill_feature_cache(one, samples, root, encoder)
    fill_feature_cache(two, samples.sample(fraction=1, shuffle=True, seed=1), root, encoder)
    assert tree(one) == tree(two)


def test_second_fill_computes_nothing_and_rewrites_no_shard(
    store: Store, root: Path, samples: pl.DataFrame, encoder: Encoder
) -> None:
    fill_feature_cache(store, samples, root, encoder)
    before, times = tree(store), [path.stat().st_mtime_ns for path in shard_paths(store)]
    report = fill_feature_cache(store, samples, root, encoder)
    assert (report.computed, report.reused) == (0, 20)
    assert tree(store) == before
    assert [path.stat().st_mtime_ns for path in shard_paths(store)] == times


def test_moving_every_file_recomputes_nothing(
    store: Store, root: Path, samples: pl.DataFrame, encoder: Encoder
) -> None:
    fill_feature_cache(store, samples, root, encoder)
    before = read_features(store, SLUG, "emotion6")
    shutil.move(root / "images", root / "pictures")
    moved = samples_of(root)
    report = fill_feature_cache(store, moved, root, encoder)
    after = read_features(store, SLUG, "emotion6")
    assert (report.rows, report.computed) == (20, 0)
    assert after.sample_ids == [name.replace("/images/", "/pictures/") for name in before.sample_ids]
    assert torch.equal(after.features, before.features)
    assert len(shard_paths(store)) == 1


def test_changing_one_byte_recomputes_one_row(
    store: Store, root: Path, samples: pl.DataFrame, encoder: Encoder
) -> None:
    fill_feature_cache(store, samples, root, encoder)
    before = read_features(store, SLUG, "emotion6")
    path = root / "images/fear/01.jpg"
    path.write_bytes(path.read_bytes() + b"\0")
    report = fill_feature_cache(store, samples_of(root), root, encoder)
    after = read_features(store, SLUG, "emotion6")
    assert report.computed == 1
    changed = [
        name for name, old, new in zip(before.sample_ids, before.sha256, after.sha256, strict=True) if old != new
    ]
    assert changed == ["emotion6/images/fear/01"]


def test_removed_samples_leave_the_cache(store: Store, root: Path, samples: pl.DataFrame, encoder: Encoder) -> None:
    fill_feature_cache(store, samples, root, encoder)
    report = fill_feature_cache(store, samples.head(5), root, encoder)
    assert (report.rows, report.computed) == (5, 0)
    assert read_features(store, SLUG, "emotion6").sample_ids == samples["sample_id"].sort().to_list()[:5]


def test_fill_takes_features_of_another_dataset_that_has_the_same_pictures(
    store: Store, root: Path, samples: pl.DataFrame, encoder: Encoder
) -> None:
    fill_feature_cache(store, samples, root, encoder)
    draw_picture(root / "images/joy/new.jpg", 500)
    report = fill_feature_cache(store, samples_of(root, "emotionroi"), root, encoder)
    assert (report.rows, report.computed, report.reused) == (21, 1, 20)
    theirs, ours = read_features(store, SLUG, "emotion6"), read_features(store, SLUG, "emotionroi")
    known = dict(zip(theirs.sha256, theirs.features, strict=True))
    assert all(
        torch.equal(known[digest], row)
        for digest, row in zip(ours.sha256, ours.features, strict=True)
        if digest in known
    )
    assert read_statistics(store, SLUG, "emotionroi")["brightness"].null_count() == 0


def test_features_of_other_weights_are_not_reused(
    store: Store, root: Path, samples: pl.DataFrame, encoder: Encoder
) -> None:
    fill_feature_cache(store, samples, root, encoder)
    other = Encoder(EncoderSettings(model="tinyemo-vit", seed=1, batch_size=8, device="cpu"))
    assert other.identity.fingerprint != encoder.identity.fingerprint
    other.identity = other.identity.model_copy(update={"slug": SLUG})
    report = fill_feature_cache(store, samples, root, other)
    assert (report.computed, report.reused) == (19, 1)
    assert len(shard_paths(store)) == 1


def test_shards_are_cut_at_their_limit_and_read_back_in_order(
    store: Store, root: Path, samples: pl.DataFrame, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_feature_cache(store, samples, root, encoder)
    whole = read_features(store, SLUG, "emotion6")
    monkeypatch.setattr(filling, "SHARD_ROWS", 6)
    store.remove(manifest_key(SLUG, "emotion6"))
    fill_feature_cache(store, samples, root, encoder)
    assert [pq.read_metadata(path).num_rows for path in shard_paths(store)] == [6, 6, 6, 2]
    cut = read_features(store, SLUG, "emotion6")
    assert cut.sample_ids == whole.sample_ids and torch.equal(cut.features, whole.features)


def test_shard_has_the_declared_layout(store: Store, root: Path, samples: pl.DataFrame, encoder: Encoder) -> None:
    fill_feature_cache(store, samples, root, encoder)
    shard = pq.ParquetFile(shard_paths(store)[0])
    assert shard.schema_arrow.names == ["sample_id", "sha256", "feature"]
    assert not any(field.nullable for field in shard.schema_arrow)
    kind = shard.schema_arrow.field("feature").type
    assert (str(kind.value_type), kind.list_size, kind.value_field.nullable) == ("halffloat", 128, False)
    metadata = {key.decode(): value.decode() for key, value in shard.schema_arrow.metadata.items()}
    identity = encoder.identity
    assert metadata["encoder"] == SLUG and metadata["pretrained"] == "seed0" and metadata["normalised"] == "false"
    assert metadata["dimension"] == "128" and metadata["preprocessing"] == identity.preprocessing_digest
    assert metadata["fingerprint"] == identity.fingerprint
    column = shard.metadata.row_group(0).column(2)
    assert column.compression == "UNCOMPRESSED" and "RLE_DICTIONARY" not in column.encodings


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_flipped_byte_in_a_shard_is_never_read_and_is_mended_by_filling(
    share: float, store: Store, root: Path, samples: pl.DataFrame, encoder: Encoder
) -> None:
    fill_feature_cache(store, samples, root, encoder)
    before = tree(store)
    path = shard_paths(store)[0]
    flip_byte(path, int(path.stat().st_size * share))
    with pytest.raises(FeatureError, match=rf"{path.name}.*damaged.*[Mm]aterialize"):
        read_features(store, SLUG, "emotion6")
    report = fill_feature_cache(store, samples, root, encoder)
    assert report.computed == 19
    assert tree(store) == before


@pytest.mark.parametrize("damage", ["truncated", "absent", "empty"])
def test_shard_that_is_not_whole_is_never_read_and_is_mended_by_filling(
    damage: str, store: Store, root: Path, samples: pl.DataFrame, encoder: Encoder
) -> None:
    fill_feature_cache(store, samples, root, encoder)
    before = tree(store)
    path = shard_paths(store)[0]
    if damage == "absent":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[: 0 if damage == "empty" else -7])
    with pytest.raises(FeatureError, match=rf"{path.name}.*[Mm]aterialize"):
        read_features(store, SLUG, "emotion6")
    fill_feature_cache(store, samples, root, encoder)
    assert tree(store) == before


def test_any_flipped_byte_of_the_manifest_is_noticed_or_harmless(
    store: Store, root: Path, samples: pl.DataFrame, encoder: Encoder
) -> None:
    fill_feature_cache(store, samples, root, encoder)
    expected = read_features(store, SLUG, "emotion6")
    path = Path(store.url, manifest_key(SLUG, "emotion6"))
    content = path.read_bytes()
    for place in range(0, len(content), 3):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        try:
            found = read_features(store, SLUG, "emotion6")
        except FeatureError:
            continue
        assert torch.equal(found.features, expected.features) and found.sample_ids == expected.sample_ids


def test_lost_statistics_are_made_again(store: Store, root: Path, samples: pl.DataFrame, encoder: Encoder) -> None:
    fill_feature_cache(store, samples, root, encoder)
    before = tree(store)
    path = Path(store.url, statistics_key(SLUG, "emotion6"))
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(FeatureError, match="statistics"):
        read_statistics(store, SLUG, "emotion6")
    fill_feature_cache(store, samples, root, encoder)
    assert tree(store) == before


def test_read_features_refuses_a_shard_of_another_encoder(
    store: Store, root: Path, samples: pl.DataFrame, encoder: Encoder
) -> None:
    fill_feature_cache(store, samples, root, encoder)
    manifest = json.loads(store.read_bytes(manifest_key(SLUG, "emotion6")))
    shards = read_manifest(store, SLUG, "emotion6").shards
    forged = encoder.identity.model_copy(update={"weights_digest": "0" * 64})
    write_manifest(store, "emotion6", forged, shards)
    with pytest.raises(FeatureError, match=f"another encoder.*{manifest['fingerprint'][:12]}"):
        read_features(store, SLUG, "emotion6")


def test_read_features_says_what_to_materialize_when_nothing_was_filled(store: Store) -> None:
    assert not is_cached(store, SLUG, "emotion6")
    with pytest.raises(FeatureError, match="materialize features/emotion6"):
        read_features(store, SLUG, "emotion6")


def test_dataset_without_a_single_readable_picture_gives_an_empty_table(
    store: Store, root: Path, samples: pl.DataFrame, encoder: Encoder
) -> None:
    broken = samples.filter(pl.col("sample_id").str.contains("broken"))
    report = fill_feature_cache(store, broken, root, encoder)
    assert (report.rows, len(report.failed)) == (0, 1)
    table = read_features(store, SLUG, "emotion6")
    assert table.features.shape == (0, 128) and table.sample_ids == []


def test_fill_works_on_a_store_that_is_no_disk(root: Path, samples: pl.DataFrame, encoder: Encoder) -> None:
    store = Store("memory://features-test")
    fill_feature_cache(store, samples, root, encoder)
    assert fill_feature_cache(store, samples, root, encoder).computed == 0
    assert read_features(store, SLUG, "emotion6").features.shape == (20, 128)


def test_fill_reports_progress_up_to_the_last_picture(
    store: Store, root: Path, samples: pl.DataFrame, encoder: Encoder
) -> None:
    seen: list[Progress] = []
    fill_feature_cache(store, samples, root, encoder, progress=seen.append)
    assert [progress.done for progress in seen] == [4, 8, 12, 16, 20]
    assert seen[-1].total == 20 and seen[-1].rate > 0 and seen[-1].seconds_left == 0


def test_fill_refuses_samples_of_two_datasets_or_of_released_features(
    store: Store, root: Path, samples: pl.DataFrame, encoder: Encoder
) -> None:
    both = samples.with_columns(dataset=pl.Series(["emotion6"] * 20 + ["fi"]))
    with pytest.raises(FeatureError, match="emotion6, fi"):
        fill_feature_cache(store, both, root, encoder)
    released = samples.with_columns(source_kind=pl.lit("feature"))
    with pytest.raises(FeatureError, match="import_released_features"):
        fill_feature_cache(store, released, root, encoder)


def test_fill_of_twins_survives_the_loss_of_one_of_them(
    store: Store, root: Path, samples: pl.DataFrame, encoder: Encoder
) -> None:
    (root / "images/joy/03.jpg").unlink()
    report = fill_feature_cache(store, samples, root, encoder)
    assert report.rows == 20


def test_values_survive_the_cache_bit_for_bit(
    store: Store, root: Path, samples: pl.DataFrame, encoder: Encoder
) -> None:
    fill_feature_cache(store, samples, root, encoder)
    table = read_features(store, SLUG, "emotion6")
    shard = pq.read_table(shard_paths(store)[0])
    expected = np.array(shard["feature"].to_pylist(), dtype=np.float16)
    np.testing.assert_array_equal(table.features.numpy(), expected)
    assert features_folder(SLUG, "emotion6") == FOLDER
