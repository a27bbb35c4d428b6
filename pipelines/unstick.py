"""Marks runs whose process was killed as cancelled and frees their pools: `make unstick`.

A killed run stays "started" in Dagster's history and keeps its slot in whatever pool it held, for which the
next run would wait for ever (so what only costs time, such as encoding, holds none). A run whose process still
lives is left alone. Nothing in the store is touched.
"""

import os

import dagster as dg
import typer


def unstick(instance: dg.DagsterInstance) -> list[str]:
    """Cancel every started run whose process is gone, free its slots, and return the ids of those runs."""
    started = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED])
    cancelled = []
    for run in instance.get_runs(filters=started):
        if any(_is_alive(process) for process in _processes(instance, run.run_id)):
            continue
        instance.report_run_canceled(run, message="Its process was killed; cancelled by `make unstick`.")
        instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
        cancelled.append(run.run_id)
    return cancelled


def _processes(instance: dg.DagsterInstance, run_id: str) -> set[int]:
    """Return the process ids that a run's engine events name."""
    events = (entry.dagster_event for entry in instance.all_logs(run_id))
    found = set()
    for event in events:
        metadata = event.engine_event_data.metadata if event and event.is_engine_event else {}
        value = metadata["pid"].value if "pid" in metadata else None
        if isinstance(value, str | int) and str(value).isdigit():
            found.add(int(value))
    return found


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def main() -> None:
    """Say which runs were cancelled."""
    cancelled = unstick(dg.DagsterInstance.get())
    typer.echo("\n".join(f"cancelled {run}" for run in cancelled) or "no run is stuck")


if __name__ == "__main__":
    main()
