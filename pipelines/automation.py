"""Sensors: what starts runs by itself. Nothing here spends: a run that is started collects what was bought."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from tinyemo_data.errors import TinyEmoError
from tinyemo_data.settings import Settings

if TYPE_CHECKING:
    from tinyemo_data.synthesis.backends.batches import BatchState

BATCHES = "anthropic_batches"
SECONDS_BETWEEN_LOOKS = 60
DOUBT_HOURS = 5 / 60  # after which a batch without an id is no longer on its way
TAGS = {"tinyemo/collects": "batches"}
FINISHED = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)
UNFINISHED = [status for status in dg.DagsterRunStatus if status not in FINISHED]


def build_sensors(settings: Settings) -> list[Any]:
    """Return the sensors of a profile; without message batches there are none."""
    sets = [
        name
        for name, options in settings.synthesis.sets.items()
        if options.enabled and (options.backend or settings.synthesis.backend) == BATCHES
    ]
    return [_finished_batches(settings, sets)] if sets else []


def _finished_batches(settings: Settings, sets: list[str]) -> dg.SensorDefinition:
    selection = dg.AssetSelection.assets(*(["instruct", name] for name in sets)).downstream()

    @dg.sensor(
        name="finished_batches",
        minimum_interval_seconds=SECONDS_BETWEEN_LOOKS,
        asset_selection=selection,
        description="Looks at the message batches that are under way, holding nothing; when one has ended, or it "
        "is not known whether it was made, the sets that are answered in batches are run again, collect it, and ask "
        "again what failed alone. A run that fails is started again within the hour.",
    )
    def finished_batches(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        from tinyemo_data.store import Store
        from tinyemo_data.synthesis.materialize import ledger_path

        path = ledger_path(settings, Store(settings.store))
        if not path.exists():
            return dg.SkipReason("There is no request ledger yet.")
        try:
            return _look(path, context.instance)
        except TinyEmoError as exc:
            return dg.SkipReason(f"{type(exc).__name__}: {exc}")

    return finished_batches


def _look(path: Path, instance: dg.DagsterInstance) -> dg.SensorResult | dg.SkipReason:
    from tinyemo_data.synthesis.backends import batches
    from tinyemo_data.synthesis.ledger import Ledger

    with Ledger(path) as ledger:
        if not batches.states(ledger):
            return dg.SkipReason("No batch is under way.")
        found = batches.poll(ledger, batches.open_batches_client())
    now = datetime.now(UTC)
    waiting = [state for state in found if _waits_for_a_run(state, now)]
    if not waiting:
        return dg.SkipReason(batches.describe(found))
    running = instance.get_runs(dg.RunsFilter(tags=TAGS, statuses=UNFINISHED), limit=1)
    if running:
        return dg.SkipReason(
            f"Run {running[0].run_id} collects them, or waits to (if its process was killed: `make unstick`)."
        )
    return dg.SensorResult(run_requests=[dg.RunRequest(run_key=_run_key(waiting, now), tags=TAGS)])


def _waits_for_a_run(state: "BatchState", now: datetime) -> bool:
    """Tell whether a run could collect a batch, or find out whether it was made."""
    return state.has_ended or (state.is_in_doubt and state.hours_since(now) >= DOUBT_HOURS)


def _run_key(waiting: Iterable["BatchState"], now: datetime) -> str:
    """Return one key an hour for one state of affairs: Dagster starts no second run of a key, even if it failed."""
    names = sorted(state.batch_id or f"batch {state.number}" for state in waiting)
    return f"{','.join(names)} at {now:%Y-%m-%dT%H}"
