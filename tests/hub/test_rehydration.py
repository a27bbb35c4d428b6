import shutil
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.hub.world import PICTURES, content_of, make_settings
from tests.synthesis.export.records import write_records
from tinyemo_data.errors import HubError, StagingError, TableError
from tinyemo_data.hub.rehydration import MEANING, rehydrate
from tinyemo_data.hub.staging import stage_set
from tinyemo_data.settings import Settings
from tinyemo_data.store import Store
from tinyemo_data.synthesis.records import read_records


@pytest.fixture
def published(store: Store, world: Settings) -> Path:
    """A staged set, as somebody would have downloaded it."""
    return Path(str(store.path(stage_set(store, world, "pretrain").repository.folder)))


def files_of(raw: str) -> list[Path]:
    return sorted(path for path in (Path(raw) / "emoset").rglob("*.jpg"))


def test_rehydrate_joins_every_record_with_its_picture(published: Path, world: Settings) -> None:
    found = rehydrate(published, world.raw)
    assert found.counts == {"at_its_place": PICTURES} and found.records == 3 * PICTURES
    table = found.table()
    assert len(table) == 3 * PICTURES
    for row in table.iter_rows(named=True):
        assert Path(row["path"]) == Path(world.raw) / row["image"]


def test_rehydrate_keeps_the_order_of_the_set_and_writes_it(published: Path, world: Settings, tmp_path: Path) -> None:
    found = rehydrate(published, world.raw)
    ids = pl.concat([pl.read_parquet(file) for file in sorted((published / "data").iterdir())])["record_id"]
    assert found.table()["record_id"].to_list() == ids.to_list()
    found.write(tmp_path / "out.parquet")
    assert pl.read_parquet(tmp_path / "out.parquet").equals(found.table())


def test_rehydrate_finds_moved_pictures_by_their_bytes_and_never_takes_other_bytes(
    published: Path, world: Settings
) -> None:
    files = files_of(world.raw)
    (Path(world.raw) / "emoset" / "renamed").mkdir()
    files[0].rename(Path(world.raw) / "emoset" / "renamed" / "x.jpg")
    files[1].write_bytes(b"another picture of that name")
    files[2].unlink()
    found = rehydrate(published, world.raw)
    assert found.counts == {"at_its_place": PICTURES - 3, "elsewhere": 1, "other_bytes": 1, "missing": 1}
    by_image = {row["image"]: row for row in found.pictures.to_dicts()}
    moved = by_image[files[0].relative_to(world.raw).as_posix()]
    assert (moved["found"], moved["path"]) == ("elsewhere", str(Path(world.raw) / "emoset" / "renamed" / "x.jpg"))
    assert len(found.table()) == 3 * (PICTURES - 2)


def test_rehydrate_says_for_people_what_is_missing_and_where_to_get_it(published: Path, world: Settings) -> None:
    shutil.rmtree(Path(world.raw) / "emoset")
    told = str(rehydrate(published, world.raw))
    assert f"{PICTURES} pictures missing" in told
    assert "emoset: 12 not at hand. EmoSet-118K: https://vcc.tech/EmoSet" in told


def test_rehydrate_counts_records_that_name_no_picture(store: Store, world: Settings) -> None:
    rows = read_records(store, "hq").to_dicts()
    unknown = {"image": "", "picture_sha256": "", "sample_id": "", "dataset": "emoset"}
    write_records(store, "hq", [*rows[:-1], {**rows[-1], **unknown}])
    folder = Path(str(store.path(stage_set(store, world, "hq").repository.folder)))
    assert rehydrate(folder, world.raw).counts == {"at_its_place": 5, "unnamed": 1}


def test_rehydrate_does_not_leave_the_folder_of_pictures(published: Path, world: Settings, tmp_path: Path) -> None:
    (tmp_path / "outside.jpg").write_bytes(content_of(0))
    shard = next((published / "data").iterdir())
    table = pl.read_parquet(shard).with_columns(image=pl.lit("../../outside.jpg"))
    table.write_parquet(shard)
    assert rehydrate(published, world.raw).counts.keys() == {"missing", "elsewhere"} - {"missing"}
    for path in rehydrate(published, world.raw).pictures["path"]:
        assert Path(path).resolve().is_relative_to(Path(world.raw).resolve())


@pytest.mark.parametrize(
    ("location", "pictures", "error"),
    [("no/such/folder/here", ".", HubError), (".", "no-pictures", StagingError), (".", ".", StagingError)],
)
def test_rehydrate_says_what_it_needs(
    tmp_path: Path, location: str, pictures: str, error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error):
        rehydrate(location, pictures)


def test_rehydrate_refuses_a_set_without_shards(published: Path, world: Settings) -> None:
    shutil.rmtree(published / "data")
    with pytest.raises(TableError, match="holds no data/train-"):
        rehydrate(published, world.raw)


FATES = st.sampled_from(["kept", "moved", "changed", "deleted"])


@given(fates=st.lists(FATES, min_size=PICTURES, max_size=PICTURES))
@hypothesis_settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rehydrate_agrees_with_what_became_of_each_picture(
    made_world: Path, fates: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("fates") / "world"
    shutil.copytree(made_world, folder)
    world = make_settings(folder)
    set_folder = Path(str(Store(world.store).path(stage_set(Store(world.store), world, "hq").repository.folder)))
    files = files_of(world.raw)
    expected = {}
    for number, (file, fate) in enumerate(zip(files, fates, strict=True)):
        expected[file.relative_to(world.raw).as_posix()] = fate
        if fate == "moved":
            file.rename(file.with_name(f"moved-{number}.jpg"))
        elif fate == "changed":
            file.write_bytes(b"changed" + file.read_bytes())
        elif fate == "deleted":
            file.unlink()
    told = {"kept": "at_its_place", "moved": "elsewhere", "changed": "other_bytes", "deleted": "missing"}
    for row in rehydrate(set_folder, world.raw).pictures.iter_rows(named=True):
        assert row["found"] == told[expected[row["image"]]] and row["found"] in MEANING
        assert (row["path"] is not None) == (row["found"] in ("at_its_place", "elsewhere"))
