import io
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from rich.console import Console
from typer.testing import CliRunner

from tests.hub.hub_server import LocalHub
from tests.hub.world import PICTURES
from tinyemo_data.cli import app
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


Terminal = Callable[..., Any]  # words in, what typer's runner gives out
RECORD = "emoset/image/awe/awe_00002#reasoning"


def test_explain_published_here_prints_the_record_s_origin(world: Settings) -> None:
    quiet = console()
    stage_here(world, "finetune", quiet)
    explain_published_here(world, f"{world.store}/hub/tinyemo-finetune", RECORD, quiet)
    assert RECORD in told(quiet) and f"{world.raw}/emoset" in told(quiet) and "=== user ===" in told(quiet)


def test_explain_published_here_needs_no_ledger_where_the_store_is_remote(world: Settings) -> None:
    quiet = console()
    stage_here(world, "finetune", quiet)
    remote = world.model_copy(update={"store": "memory://explaining"})
    explain_published_here(remote, f"{world.store}/hub/tinyemo-finetune", RECORD, quiet)
    assert RECORD in told(quiet)


@pytest.fixture
def terminal(world: Settings, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """`tinyemo`, over the world."""
    monkeypatch.setenv("TINYEMO_RAW", world.raw)
    monkeypatch.setenv("TINYEMO_STORE", world.store)
    monkeypatch.setenv("TINYEMO_HUB__NAMESPACE", "somebody")
    return lambda *words: CliRunner(env={"COLUMNS": "200"}).invoke(app, [*words])


def test_stage_from_a_terminal_sends_nothing_unless_told_to(terminal: Terminal, hub: LocalHub) -> None:
    staged = terminal("stage", "hq")
    assert staged.exit_code == 0 and "tinyemo-hq: 7 files" in staged.output and hub.state.log == []
    published = terminal("stage", "hq", "--publish")
    assert published.exit_code == 0 and "/datasets/somebody/tinyemo-hq/tree/" in published.output
    assert hub.state.only("tinyemo-hq").private


def test_stage_from_a_terminal_names_the_nearest_repository(terminal: Terminal) -> None:
    refused = terminal("stage", "pretrian")
    assert refused.exit_code == 1 and "Did you mean 'pretrain'?" in refused.output


def test_rehydrate_from_a_terminal_exits_with_1_where_pictures_are_missing(
    terminal: Terminal, world: Settings, tmp_path: Path
) -> None:
    terminal("stage", "hq")
    words = ["rehydrate", f"{world.store}/hub/tinyemo-hq", world.raw, "--out", str(tmp_path / "joined.parquet")]
    assert terminal(*words).exit_code == 0 and len(pl.read_parquet(tmp_path / "joined.parquet")) == 6
    next(Path(world.raw).rglob("*_00000.jpg")).unlink()
    lacking = terminal(*words)
    assert lacking.exit_code == 1 and "1 pictures missing" in lacking.output and "vcc.tech/EmoSet" in lacking.output


def test_explain_from_a_terminal_works_on_a_downloaded_set(
    terminal: Terminal, world: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal("stage", "finetune")
    shutil.move(Path(world.store) / "hub" / "tinyemo-finetune", tmp_path / "downloaded")
    monkeypatch.setenv("TINYEMO_STORE", str(tmp_path / "a store of somebody else"))
    explained = terminal("explain", RECORD, "--published", str(tmp_path / "downloaded"))
    assert explained.exit_code == 0, explained.output
    for part in ("made of instruct/finetune/records.parquet", "prompt", "request", "sources", "=== user ==="):
        assert part in explained.output
    refused = terminal("explain", RECORD + "x", "--published", str(tmp_path / "downloaded"))
    assert refused.exit_code == 1 and f"Did you mean '{RECORD}'" in refused.output
    assert not (tmp_path / "a store of somebody else").exists()
