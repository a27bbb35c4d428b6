"""Instruct sets from drawn pictures to trainers' files, through Dagster, by rules and by a server that bills."""

import hashlib
import shutil
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest

from pipelines import automation
from pipelines.definitions import build_defs
from tinyemo_data import settings as profile_settings
from tinyemo_data.errors import PriceError
from tinyemo_data.settings import Settings, SynthesisSettings
from tinyemo_data.store import Store
from tinyemo_data.synthesis import materialize as making
from tinyemo_data.synthesis import prompt as prompts
from tinyemo_data.synthesis.backends.batches import open_batches_client, states
from tinyemo_data.synthesis.backends.batches.batch import Enclosed
from tinyemo_data.synthesis.backends.batches.intent import write_intent
from tinyemo_data.synthesis.draft import drafts_key
from tinyemo_data.synthesis.funnel import read_funnel
from tinyemo_data.synthesis.ledger import Ledger
from tinyemo_data.synthesis.lock import sole_sender
from tinyemo_data.synthesis.materialize import forecast_set, ledger_path, make_set
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


def materialize(
    settings: Settings,
    selection: str,
    config: dict[str, Any] | None = None,
    instance: dg.DagsterInstance | None = None,
) -> dg.ExecuteInProcessResult:
    job = build_defs(settings).resolve_implicit_global_asset_job_def()
    chosen = dg.AssetSelection.from_string(selection)
    return job.execute_in_process(
        asset_selection=list(chosen.resolve(job.asset_layer.asset_graph)),
        raise_on_error=False,
        run_config=config or {},
        instance=instance,
    )


def pretrain_config(**values: Any) -> dict[str, Any]:
    return {"ops": {"instruct__pretrain": {"config": values}}}


def look(settings: Settings, instance: dg.DagsterInstance) -> Any:
    """Return what the sensor does at one look."""
    definitions = build_defs(settings)
    context = dg.build_sensor_context(instance=instance, definitions=definitions)
    return definitions.resolve_sensor_def("finished_batches").evaluate_tick(context)


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
    result = materialize(settings, 'key:"instruct/pretrain"', pretrain_config(dry_run=True))
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
    instance = dg.DagsterInstance.ephemeral()
    wait_for(lambda: bool(look(settings, instance).run_requests))
    runs = 0
    while not (made := materialize(settings, 'key:"instruct/pretrain"')).asset_materializations_for_node(
        "instruct__pretrain"
    ):
        runs += 1
        assert runs < 20
        wait_for(lambda: bool(look(settings, instance).run_requests))
    assert made.success
    bill = server.bill()
    assert bill.distinct_paid == bill.paid == read_funnel(Store(settings.store), "pretrain").drafts


def wait_for(holds: Any, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)


def test_sensor_starts_one_run_at_a_time_and_another_within_the_hour_where_it_failed(
    folder: Path, server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = paid_settings(folder, backend="anthropic_batches")
    materialize(settings, 'key:"instruct/pretrain"')
    assert server.bill().batches_created == 1
    instance = dg.DagsterInstance.ephemeral()
    wait_for(lambda: bool(look(settings, instance).run_requests))
    monkeypatch.setattr(automation, "datetime", clock(9))
    (request,) = look(settings, instance).run_requests
    assert look(settings, instance).run_requests[0].run_key == request.run_key
    for status in (dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTED):
        run = instance.add_run(dg.DagsterRun(job_name="collecting", status=status, tags=request.tags))
        skipped = look(settings, instance)
        assert not skipped.run_requests
        assert run.run_id in skipped.skip_message
        instance.delete_run(run.run_id)
    instance.add_run(dg.DagsterRun(job_name="collecting", status=dg.DagsterRunStatus.FAILURE, tags=request.tags))
    monkeypatch.setattr(automation, "datetime", clock(10))
    (another,) = look(settings, instance).run_requests
    assert another.run_key != request.run_key


def clock(hour: int) -> Any:
    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
            return datetime.now(UTC).replace(hour=hour)

    return Clock


@pytest.mark.usefixtures("server")
def test_sensor_has_it_found_out_whether_a_batch_was_made_that_is_long_in_doubt(folder: Path) -> None:
    settings = paid_settings(folder, backend="anthropic_batches")
    instance = dg.DagsterInstance.ephemeral()
    with Ledger(ledger_path(settings, Store(settings.store))) as ledger:
        ledger.plan([("digest", b"{}")])
        write_intent(ledger, [Enclosed("digest", HAIKU, 0.1)], 10, None)
        assert "on its way" in look(settings, instance).skip_message
        with ledger.transaction() as connection:
            connection.execute("UPDATE batches SET intended_at = '2026-01-01T00:00:00+00:00'")
        assert len(look(settings, instance).run_requests) == 1
    materialize(settings, 'key:"instruct/pretrain"')
    with Ledger(ledger_path(settings, Store(settings.store))) as ledger:
        assert [state.number for state in states(ledger)] == [2]


def test_what_waits_for_batches_is_told_with_every_note_and_the_wall(folder: Path, server: RunningServer) -> None:
    settings = paid_settings(folder, backend="anthropic_batches", budget_usd=0.01)
    materialize(settings, 'key:"instruct/pretrain"')
    with Ledger(ledger_path(settings, Store(settings.store))) as ledger, open_batches_client() as client:
        (batch,) = states(ledger)
        wait_for(lambda: client.messages.batches.retrieve(str(batch.batch_id)).processing_status == "ended")
        client.messages.batches.delete(str(batch.batch_id))
    instance = dg.DagsterInstance.ephemeral()
    result = materialize(settings, 'key:"instruct/pretrain"', instance=instance)
    assert result.success
    told = "\n".join(entry.user_message for entry in instance.all_logs(result.run_id))
    assert f"tinyemo batches --abandon {batch.batch_id}" in told
    assert "TINYEMO_SYNTHESIS__BUDGET_USD" in told
    assert server.bill().batches_created == 1


def test_waiting_ends_where_the_service_has_the_results_no_longer(
    folder: Path, server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = paid_settings(folder, backend="anthropic_batches")
    store = Store(settings.store)
    make_set(store, settings, "pretrain")
    with Ledger(ledger_path(settings, store)) as ledger, open_batches_client() as client:
        (batch,) = states(ledger)
        wait_for(lambda: client.messages.batches.retrieve(str(batch.batch_id)).processing_status == "ended")
        client.messages.batches.delete(str(batch.batch_id))
    monkeypatch.setattr(making, "POLL_SECONDS", 0.05)
    told: list[str] = []

    def say(line: str) -> None:
        told.append(line)
        assert len(told) < 20, "it waits for ever"

    waiting = paid_settings(folder, backend="anthropic_batches", wait_for_batches=True)
    made = make_set(store, waiting, "pretrain", say=say)
    assert "--abandon" in made.asked.notes[0]
    assert made.asked.under_way > 0
    assert server.bill().batches_created == 1


def test_waiting_collects_and_asks_again_until_all_is_answered(
    folder: Path, server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.set_faults(Faults.model_validate({"batch_seconds": 0.3, "batch_errored": "nth:1,2"}))
    monkeypatch.setattr(making, "POLL_SECONDS", 0.05)
    settings = paid_settings(folder, backend="anthropic_batches", wait_for_batches=True)
    with Ledger(ledger_path(settings, Store(settings.store))) as ledger:
        # An intent that came to nothing is given up on the way.
        ledger.plan([("digest", b"{}")])
        write_intent(ledger, [Enclosed("digest", HAIKU, 0.001)], 10, None)
    made = make_set(Store(settings.store), settings, "pretrain")
    bill = server.bill()
    assert (made.asked.under_way, made.asked.stopped, made.asked.cached) == (0, "", 0)
    assert made.asked.answered == bill.paid == bill.distinct_paid == made.plan.rows
    assert sum(made.asked.retries.values()) == 2
    assert made.asked.given_up == {}


def test_a_forecast_leaves_the_drafts_and_makes_no_ledger(folder: Path) -> None:
    settings = small_settings(folder, sets={"pretrain": {"tasks": ["caption"]}})
    store = Store(settings.store)
    before = files_below(folder, "store")
    _, found = forecast_set(store, settings, "pretrain")
    assert found.drafts > 3
    assert files_below(folder, "store") == before
    make_set(store, settings, "pretrain")
    made = files_below(folder, "store")
    smaller = small_settings(folder, sets={"pretrain": {"tasks": ["caption"], "limit": 3}})
    _, fewer = forecast_set(store, smaller, "pretrain")
    assert fewer.drafts == 3
    assert {key: digest for key, digest in files_below(folder, "store").items() if "sqlite" not in key} == {
        key: digest for key, digest in made.items() if "sqlite" not in key
    }
    _, again = forecast_set(store, settings, "pretrain")
    assert (again.drafts, again.requests) == (found.drafts, 0)


def test_a_set_is_planned_only_when_no_other_run_sends(folder: Path) -> None:
    settings = small_settings(folder, sets={"pretrain": {"tasks": ["caption"]}})
    store = Store(settings.store)
    path = ledger_path(settings, store)
    path.parent.mkdir(parents=True, exist_ok=True)
    told: list[str] = []
    run = threading.Thread(target=make_set, args=(store, settings, "pretrain"), kwargs={"say": told.append})
    with sole_sender(path):
        run.start()
        wait_for(lambda: bool(told))
        time.sleep(0.3)
        assert not store.exists(drafts_key("pretrain"))
    run.join(30)
    assert "waiting until it has ended" in told[0]
    assert store.exists(drafts_key("pretrain"))


def test_limit_at_launch_goes_before_the_limit_of_the_set(folder: Path) -> None:
    settings = small_settings(folder, sets={"pretrain": {"tasks": ["caption"], "limit": 5}})
    assert materialize(settings, 'key:"instruct/pretrain"', pretrain_config(limit=2)).success
    assert read_funnel(Store(settings.store), "pretrain").drafts == 2


def test_a_paid_model_without_a_price_is_no_free_one_because_a_server_of_ones_own_is(
    folder: Path, server: RunningServer
) -> None:
    for backend in ("anthropic", "anthropic_batches"):
        settings = paid_settings(folder, backend=backend, model="claude-unheard-of", unpriced=True)
        store = Store(settings.store)
        with pytest.raises(PriceError, match="claude-unheard-of"):
            forecast_set(store, settings, "pretrain")
        with pytest.raises(PriceError, match="claude-unheard-of"):
            make_set(store, settings, "pretrain")
    assert server.requests() == []
    own = paid_settings(
        folder, backend="openai_compatible", model="own", unpriced=True, base_url=server.chat_url, budget_usd=None
    )
    _, found = forecast_set(Store(own.store), own, "pretrain")
    assert found.usd_at_most == 0
    made = make_set(Store(own.store), own, "pretrain")
    assert made.asked.answered == made.plan.rows


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
