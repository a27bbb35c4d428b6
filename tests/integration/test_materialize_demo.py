"""The whole demo graph, materialized through Dagster in a temporary store, as a user's run would be."""

from pathlib import Path

import dagster as dg
import pytest

from pipelines.definitions import build_defs
from tinyemo_data import settings
from tinyemo_data.evaluation.report import read_report
from tinyemo_data.sample import read_quarantine, read_samples
from tinyemo_data.store import Store


def demo_settings(folder: Path, pictures: int = 16) -> settings.Settings:
    """The demo profile with folders of its own, few pictures and short training."""
    demo = settings.load("demo")
    stages = {
        "pretrain": demo.mm_llm.pretrain.model_copy(update={"epochs": 0.2}),
        "finetune": demo.mm_llm.finetune.model_copy(update={"epochs": 0.5}),
        "max_new_tokens": 24,
    }
    asked = demo.evaluation.reasoning.model_copy(update={"pictures": 12})
    small = demo.sample_corpus.model_copy(update={"pictures_per_emotion": pictures})
    projector = demo.projector.model_copy(update={"seeds": [0, 1], "epochs": 8})
    return demo.model_copy(
        update={
            "raw": str(folder / "raw"),
            "store": str(folder / "store"),
            "sample_corpus": small,
            "projector": projector,
            "mm_llm": demo.mm_llm.model_copy(update=stages),
            "evaluation": demo.evaluation.model_copy(update={"reasoning": asked}),
        }
    )


def materialize(chosen: settings.Settings, selection: str = "*") -> dg.ExecuteInProcessResult:
    """Run the selected assets and their checks on an ephemeral instance."""
    defs = build_defs(chosen)
    graph = defs.resolve_asset_graph()
    keys = dg.AssetSelection.from_string(selection).resolve(graph)
    job = defs.resolve_implicit_global_asset_job_def()
    return job.execute_in_process(asset_selection=list(keys), raise_on_error=False)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[settings.Settings, dg.ExecuteInProcessResult]:
    chosen = demo_settings(tmp_path_factory.mktemp("demo"))
    return chosen, materialize(chosen)


def test_whole_demo_succeeds_and_every_blocking_check_holds(
    demo: tuple[settings.Settings, dg.ExecuteInProcessResult],
) -> None:
    _, result = demo
    assert result.success
    broken = [check for check in result.get_asset_check_evaluations() if check.blocking and not check.passed]
    assert broken == []


def test_demo_projector_learns_something_on_drawn_pictures(
    demo: tuple[settings.Settings, dg.ExecuteInProcessResult],
) -> None:
    chosen, _ = demo
    rows = {row.method: row for row in read_report(Store(chosen.store)).rows if row.seed is None}
    assert rows["projector_ensemble"].top1 > rows["majority"].top1
    assert rows["projector_ensemble"].split == "test"


def test_demo_quarantine_holds_the_planted_broken_files(
    demo: tuple[settings.Settings, dg.ExecuteInProcessResult],
) -> None:
    chosen, result = demo
    store = Store(chosen.store)
    apart, rows = read_quarantine(store, "emotion6"), read_samples(store, "emotion6")
    assert len(apart) >= 2
    assert len(rows) >= 6 * 16 - len(apart)
    checks = {check.check_name: check for check in result.get_asset_check_evaluations()}
    assert not checks["nothing_quarantined"].passed


def test_rerun_gives_byte_identical_files(demo: tuple[settings.Settings, dg.ExecuteInProcessResult]) -> None:
    chosen, _ = demo
    before = digests(Path(chosen.store))
    assert materialize(chosen).success
    assert digests(Path(chosen.store)) == before


def test_another_folder_gives_byte_identical_files(
    demo: tuple[settings.Settings, dg.ExecuteInProcessResult], tmp_path: Path
) -> None:
    chosen, _ = demo
    again = demo_settings(tmp_path)
    assert materialize(again).success
    assert digests(Path(again.store)) == digests(Path(chosen.store))


def digests(folder: Path) -> dict[str, str]:
    """Return the digest of every file of a store, by its key; but for the ledger, which says when all that was."""
    store = Store(folder)
    keys = (path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file())
    return {key: store.digest(key) for key in keys if not key.startswith("ledger/")}
