"""Instruct sets from drawn pictures to trainers' files, through Dagster, by rules and by a server that bills."""

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest

from pipelines.definitions import build_defs
from tinyemo_data import settings as profile_settings
from tinyemo_data.settings import Settings, SynthesisSettings
from tinyemo_data.store import Store
from tinyemo_data.synthesis import prompt as prompts
from tinyemo_data.synthesis.funnel import read_funnel
from tinyemo_data.synthesis.ledger import Ledger
from tinyemo_data.synthesis.materialize import forecast_set, ledger_path
from tinyemo_data.synthesis.records import read_records
from tinyemo_data.synthesis.rehearsal.faults import Faults
from tinyemo_data.synthesis.rehearsal.process import RunningServer, running_server

DATASETS = ("emoset", "emotionroi")
KEY = "sk-ant-planted-0123456789abcdef"
HAIKU = "claude-haiku-5-5"


def small_settings(folder: Path, **synthesis: Any) -> Settings:
    demo = profile_settings.load("demo")
    values = demo.synthesis.model_dump() | {"datasets": ["emoset"], "label_origin": "annotators"} | synthesis
    return demo.model_copy(
        update={
            "raw": str(folder / "raw"),
            "store": str(folder / "store"),
            "datasets": {name: demo.datasets[name] for name in DATASETS},
            "projector": demo.projector.model_copy(update={"train_on": list(DATASETS), "seeds": [0], "epochs": 2}),
            "evaluation": demo.evaluation.model_copy(update={"datasets": ["emotionroi"]}),
            "sample_corpus": demo.sample_corpus.model_copy(update={"pictures_per_emotion": 8, "size": 48}),
            "synthesis": SynthesisSettings.model_validate(values),
        }
    )


def materialize(settings: Settings, selection: str, config: dict[str, Any] | None = None) -> dg.ExecuteInProcessResult:
    job = build_defs(settings).resolve_implicit_global_asset_job_def()
    chosen = dg.AssetSelection.from_string(selection)
    return job.execute_in_process(
        asset_selection=list(chosen.resolve(job.asset_layer.asset_graph)), raise_on_error=False, run_config=config or {}
    )


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Drawn pictures, ingested, encoded and with a projector: what every set stands on."""
    folder = tmp_path_factory.mktemp("ground")
    result = materialize(small_settings(folder), '+key:"projector/model"')
    assert result.success
    return folder


@pytest.fixture
def folder(ground: Path, tmp_path: Path) -> Path:
    """A copy of the ground that a test may build on."""
    shutil.copytree(ground, tmp_path / "ground")
    return tmp_path / "ground"


@pytest.fixture(scope="module")
def one_server() -> Iterator[RunningServer]:
    with running_server() as server:
        yield server


@pytest.fixture
def server(one_server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> RunningServer:
    one_server.reset()
    for name, value in one_server.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    return one_server


def files_below(folder: Path, *names: str) -> dict[str, str]:
    found = {}
    for name in names:
        for path in sorted((folder / name).rglob("*")):
            if path.is_file():
                found[path.relative_to(folder).as_posix()] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def test_rules_make_all_sets_and_trainers_take_them(folder: Path) -> None:
    settings = small_settings(folder, label_origin="projector")
    assert materialize(settings, 'group:"instruct"').success
    store = Store(settings.store)
    for name in settings.synthesis.sets:
        records = read_records(store, name)
        assert len(records)
        assert set(records["generator"]) == {"rules"}
        assert records["usd"].sum() == 0
    reasoning = read_records(store, "finetune")
    assert set(reasoning["variant"].cast(pl.String)) == {"given", "withheld"}
    assert set(reasoning["label_origin"].cast(pl.String)) == {"projector"}


def test_two_runs_of_one_ledger_are_byte_identical(folder: Path) -> None:
    settings = small_settings(folder)
    selection = 'key:"instruct/pretrain" or key:"exports/llava/pretrain" or key:"exports/messages/pretrain"'
    assert materialize(settings, selection).success
    first = files_below(folder / "store", "instruct", "exports")
    shutil.rmtree(folder / "store" / "instruct")
    shutil.rmtree(folder / "store" / "exports")
    assert materialize(settings, selection).success
    assert files_below(folder / "store", "instruct", "exports") == first


def test_editing_a_prompt_asks_its_own_questions_again_and_no_others(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = tmp_path / "prompts"
    shutil.copytree(prompts.folder(), copied)
    monkeypatch.setattr(prompts, "folder", lambda: copied)
    settings = small_settings(folder, sets={"pretrain": {}, "finetune": {}})
    before = versions(settings)
    assert materialize(settings, 'key:"instruct/pretrain"').success
    drafts = pl.read_parquet(folder / "store/instruct/pretrain/drafts.parquet")
    edited = copied / "pretrain" / "vqa.md"
    edited.write_text(edited.read_text(encoding="utf-8") + "\nKeep it short.\n", encoding="utf-8")
    result = materialize(settings, 'key:"instruct/pretrain"')
    made = result.asset_materializations_for_node("instruct__pretrain")[0].metadata
    assert made["asked_now"].value == len(drafts.filter(pl.col("prompt") == "pretrain/vqa"))
    assert made["answered_before"].value == len(drafts.filter(pl.col("prompt") != "pretrain/vqa"))
    after = versions(settings)
    assert before["instruct/pretrain"] != after["instruct/pretrain"]
    assert before["instruct/finetune"] == after["instruct/finetune"]


def versions(settings: Settings) -> dict[str, str | None]:
    graph = build_defs(settings).resolve_asset_graph()
    return {key.to_user_string(): graph.get(key).code_version for key in graph.materializable_asset_keys}


def paid_settings(folder: Path, **synthesis: Any) -> Settings:
    values = {"backend": "anthropic", "model": HAIKU, "budget_usd": 1.0, "concurrency": 16, "picture_side": 64}
    return small_settings(folder, **(values | {"sets": {"pretrain": {"tasks": ["caption"]}}} | synthesis))


def test_a_language_model_is_paid_once_and_every_reply_is_accounted_for(folder: Path, server: RunningServer) -> None:
    settings = paid_settings(folder)
    for _ in range(2):
        materialize(settings, 'key:"instruct/pretrain"')
    store = Store(settings.store)
    funnel = read_funnel(store, "pretrain")
    with Ledger(ledger_path(settings, store)) as ledger:
        accounts = ledger.accounts()
    bill = server.bill()
    assert bill.paid == bill.distinct_paid == funnel.drafts
    assert accounts.spent_usd == pytest.approx(bill.usd)
    assert funnel.usd() == pytest.approx(bill.usd, rel=1e-4)
    records = read_records(store, "pretrain")
    assert set(records["model"]) <= {HAIKU}


def test_the_budget_stops_the_asset_with_one_message_and_keeps_what_was_bought(
    folder: Path, server: RunningServer
) -> None:
    settings = paid_settings(folder, budget_usd=0.004)
    result = materialize(settings, 'key:"instruct/pretrain"')
    assert not result.success
    failure = next(event for event in result.all_events if event.is_step_failure).step_failure_data.user_failure_data
    assert failure is not None
    assert "TINYEMO_SYNTHESIS__BUDGET_USD" in (failure.description or "")
    assert 0 < server.bill().usd <= 0.004
    assert read_funnel(Store(settings.store), "pretrain").total("waiting") > 0


def test_a_dry_run_says_what_it_would_cost_and_sends_nothing(folder: Path, server: RunningServer) -> None:
    settings = paid_settings(folder)
    result = materialize(
        settings, 'key:"instruct/pretrain"', {"ops": {"instruct__pretrain": {"config": {"dry_run": True}}}}
    )
    assert result.success
    assert server.bill().paid == 0
    _, found = forecast_set(Store(settings.store), settings, "pretrain")
    assert found.requests == found.drafts > 0
    materialize(settings, 'key:"instruct/pretrain"')
    assert server.bill().usd <= found.usd_at_most


def test_batches_need_no_worker_and_are_collected_by_a_later_run(folder: Path, server: RunningServer) -> None:
    server.set_faults(Faults.model_validate({"batch_seconds": 0.5, "batch_errored": 0.1}))
    settings = paid_settings(folder, backend="anthropic_batches")
    first = materialize(settings, 'key:"instruct/pretrain"')
    assert first.success
    assert not first.asset_materializations_for_node("instruct__pretrain")
    sensor = build_defs(settings).resolve_sensor_def("finished_batches")
    wait_for(lambda: bool(sensor.evaluate_tick(dg.build_sensor_context(definitions=build_defs(settings))).run_requests))
    runs = 0
    while not (made := materialize(settings, 'key:"instruct/pretrain"')).asset_materializations_for_node(
        "instruct__pretrain"
    ):
        runs += 1
        assert runs < 20
        wait_for(
            lambda: bool(sensor.evaluate_tick(dg.build_sensor_context(definitions=build_defs(settings))).run_requests)
        )
    assert made.success
    bill = server.bill()
    assert bill.distinct_paid == bill.paid == read_funnel(Store(settings.store), "pretrain").drafts


def wait_for(holds: Any, seconds: float = 20.0) -> None:
    import time

    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)


def test_a_quota_is_met_exactly_and_no_more_is_asked(folder: Path, server: RunningServer) -> None:
    settings = paid_settings(folder, sets={"pretrain": {"tasks": ["caption"], "per_emotion": 2}})
    materialize(settings, 'key:"instruct/pretrain"')
    accepted = read_funnel(Store(settings.store), "pretrain").accepted()
    assert set(accepted.values()) == {2}
    assert server.bill().paid < read_funnel(Store(settings.store), "pretrain").drafts


def test_no_key_is_written_anywhere(folder: Path, server: RunningServer, capfd: pytest.CaptureFixture[str]) -> None:
    settings = paid_settings(folder)
    instance_folder = folder / "dagster"
    instance_folder.mkdir()
    job = build_defs(settings).resolve_implicit_global_asset_job_def()
    with dg.DagsterInstance.local_temp(str(instance_folder)) as instance:
        for faults in ({"lost_reply": 0.1}, {"unauthorised": "from:1"}):
            server.set_faults(Faults.model_validate(faults))
            job.execute_in_process(
                asset_selection=[dg.AssetKey(["instruct", "pretrain"])], raise_on_error=False, instance=instance
            )
            (folder / "store" / "instruct" / "pretrain" / "records.parquet").unlink(missing_ok=True)
    told = capfd.readouterr()
    assert KEY not in told.out + told.err
    for path in folder.rglob("*"):
        if path.is_file():
            assert KEY.encode() not in path.read_bytes(), path
