"""A shard: read straight into place or decoded by Arrow, it is the same; changed in any byte, it is refused."""

from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest

from tinyemo_data.errors import FeatureError
from tinyemo_data.features.identity import EncoderIdentity, released_identity
from tinyemo_data.features.shard import ROW_GROUP, Features, ShardEntry, encode_shard, locate_values, write_shard
from tinyemo_data.features.shard_reading import read_shard, read_shard_sha256
from tinyemo_data.store import Store

ROWS = 2 * ROW_GROUP + 77
DIMENSION = 5


@pytest.fixture
def features() -> Features:
    bits = np.random.default_rng(0).integers(0, 1 << 16, (ROWS, DIMENSION), dtype=np.uint16)
    return bits.view(np.float16)  # every bit pattern, NaN and infinities too


@pytest.fixture
def encoder() -> EncoderIdentity:
    return released_identity("clip", DIMENSION)


@pytest.fixture
def written(store: Store, features: Features, encoder: EncoderIdentity) -> tuple[Path, ShardEntry]:
    names = [f"fi/{row:06d}" for row in range(ROWS)]
    columns = {"sample_id": names, "sha256": [f"{row:064x}" for row in range(ROWS)]}
    entry = write_shard(store, "features/clip/fi", 0, columns, features, encoder)
    return Path(store.url, "features/clip/fi", entry.name), entry


@pytest.mark.parametrize("decoded", [False, True], ids=["in_place", "by_arrow"])
def test_read_shard_gives_every_bit_back(
    decoded: bool, written: tuple[Path, ShardEntry], features: Features, encoder: EncoderIdentity
) -> None:
    path, entry = written
    assert len(entry.values) == 3
    found = np.empty((ROWS, DIMENSION), dtype=np.float16)
    columns = read_shard(path, entry.model_copy(update={"values": []}) if decoded else entry, encoder, found)
    np.testing.assert_array_equal(found.view(np.uint16), features.view(np.uint16))
    assert columns["sample_id"].to_list() == [f"fi/{row:06d}" for row in range(ROWS)]


def test_other_tools_read_the_same_values(written: tuple[Path, ShardEntry], features: Features) -> None:
    path, _ = written
    by_arrow = pq.read_table(path)["feature"].combine_chunks().flatten().to_numpy().reshape(ROWS, DIMENSION)
    np.testing.assert_array_equal(by_arrow.view(np.uint16), features.view(np.uint16))
    by_polars = pl.read_parquet(path)["feature"].to_numpy()
    np.testing.assert_array_equal(by_polars.view(np.uint16), features.view(np.uint16))


def test_locate_values_gives_none_when_the_file_holds_others(features: Features, encoder: EncoderIdentity) -> None:
    content = encode_shard({"sha256": ["0" * 64] * ROWS}, features, encoder)
    assert len(locate_values(content, features)) == 3
    changed = features.copy()
    changed[ROW_GROUP + 3, 2] = 0.5 if changed[ROW_GROUP + 3, 2] != 0.5 else 0.25
    assert locate_values(content, changed) == []


@pytest.mark.parametrize("share", [0, 0.2, 0.4, 0.6, 0.8, 0.999])
def test_read_shard_refuses_a_flipped_bit_anywhere(
    share: float, written: tuple[Path, ShardEntry], encoder: EncoderIdentity
) -> None:
    path, entry = written
    content = bytearray(path.read_bytes())
    content[int(len(content) * share)] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(FeatureError, match=rf"{path.name} is damaged.*[Mm]aterialize"):
        read_shard(path, entry, encoder, np.empty((ROWS, DIMENSION), dtype=np.float16))


def test_write_shard_gives_equal_bytes_and_leaves_an_equal_file_alone(
    store: Store, written: tuple[Path, ShardEntry], features: Features, encoder: EncoderIdentity
) -> None:
    path, entry = written
    before = path.stat().st_mtime_ns
    columns = {
        "sample_id": [f"fi/{row:06d}" for row in range(ROWS)],
        "sha256": [f"{row:064x}" for row in range(ROWS)],
    }
    assert write_shard(store, "features/clip/fi", 0, columns, features, encoder) == entry
    assert path.stat().st_mtime_ns == before


def test_digests_are_read_without_the_features(store: Store, written: tuple[Path, ShardEntry]) -> None:
    _, entry = written
    digests = read_shard_sha256(store, f"features/clip/fi/{entry.name}", entry)
    assert digests == [f"{row:064x}" for row in range(ROWS)]
