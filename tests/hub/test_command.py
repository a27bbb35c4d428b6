import io
from pathlib import Path

import polars as pl
from rich.console import Console

from tests.hub.hub_server import LocalHub
from tests.hub.world import PICTURES
from tinyemo_data.hub.command import explain_published_here, rehydrate_here, stage_here
from tinyemo_data.settings import Settings


def console() -> Console:
    return Console(file=io.StringIO(), width=200)


def told(by: Console) -> str:
    assert isinstance(by.file, io.StringIO)
    return by.file.getvalue()


def test_stage_here_stages_and_says_where_it_stays(world: Settings, hub: LocalHub) -> None:
    quiet = console()
    assert stage_here(world, "hq", quiet)
    assert "tinyemo-hq: 7 files" in told(quiet) and hub.state.log == []


def test_stage_here_publishes_where_asked_and_says_what_stands_against_it(world: Settings, hub: LocalHub) -> None:
    loud = console()
    assert stage_here(world, "finetune", loud, publish=True)
    assert f"{hub.url}/datasets/somebody/tinyemo-finetune/tree/" in told(loud)
    nobody = world.model_copy(update={"hub": world.hub.model_copy(update={"namespace": None})})
    assert not stage_here(nobody, "finetune", loud, publish=True)
    assert "tinyemo-finetune stays staged: Nobody is named to publish as" in told(loud)


def test_rehydrate_here_writes_the_records_whose_pictures_are_at_hand(world: Settings, tmp_path: Path) -> None:
    quiet = console()
    stage_here(world, "finetune", quiet)
    folder, out = f"{world.store}/hub/tinyemo-finetune", tmp_path / "out.parquet"
    assert rehydrate_here(folder, Path(world.raw), out, quiet)
    next(Path(world.raw).rglob("*.jpg")).unlink()
    assert not rehydrate_here(folder, Path(world.raw), out, quiet)
    assert len(pl.read_parquet(out)) == PICTURES - 1 and "1 pictures missing" in told(quiet)


def test_explain_published_here_prints_the_record_s_origin(world: Settings) -> None:
    quiet = console()
    stage_here(world, "finetune", quiet)
    record = "emoset/image/awe/awe_00002#reasoning"
    explain_published_here(f"{world.store}/hub/tinyemo-finetune", record, quiet, pictures=Path(world.raw))
    assert record in told(quiet) and "awe_00002.jpg" in told(quiet) and "=== user ===" in told(quiet)
