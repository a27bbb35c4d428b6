"""Sensors: what starts runs by itself. Nothing here spends: a run that is started collects what was bought."""

from pathlib import Path
from typing import Any

import dagster as dg

from tinyemo_data.errors import TinyEmoError
from tinyemo_data.settings import Settings

BATCHES = "anthropic_batches"
SECONDS_BETWEEN_LOOKS = 60


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
        description="Looks at the message batches that are under way, holding nothing; when one has ended, the sets "
        "that are answered in batches are run again, collect it, and ask again what failed alone.",
    )
    def finished_batches() -> dg.SensorResult | dg.SkipReason:
        from tinyemo_data.store import Store
        from tinyemo_data.synthesis.materialize import ledger_path

        path = ledger_path(settings, Store(settings.store))
        if not path.exists():
            return dg.SkipReason("There is no request ledger yet.")
        try:
            return _look(path)
        except TinyEmoError as exc:
            return dg.SkipReason(f"{type(exc).__name__}: {exc}")

    return finished_batches


def _look(path: Path) -> dg.SensorResult | dg.SkipReason:
    from tinyemo_data.synthesis.backends import batches
    from tinyemo_data.synthesis.ledger import Ledger

    with Ledger(path) as ledger:
        if not batches.states(ledger):
            return dg.SkipReason("No batch is under way.")
        found = batches.poll(ledger, batches.open_batches_client())
    ended = sorted(state.batch_id for state in found if state.has_ended and state.batch_id)
    if not ended:
        return dg.SkipReason(batches.describe(found))
    # One run for one state of affairs: the same batches never start a second one.
    return dg.SensorResult(run_requests=[dg.RunRequest(run_key=",".join(ended))])
