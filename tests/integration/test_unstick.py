import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from pipelines.unstick import unstick

CHECKOUT = Path(__file__).parents[2]
KILLED = """
import os, signal, sys
import dagster as dg

@dg.asset(pool="gpu")
def dies() -> None:
    os.kill(os.getpid(), signal.SIGKILL)

with dg.DagsterInstance.from_config(sys.argv[1]) as instance:
    dg.materialize([dies], instance=instance)
"""


@pytest.fixture
def instance(tmp_path: Path) -> dg.DagsterInstance:
    (tmp_path / "dagster.yaml").write_text(
        "telemetry: {enabled: false}\nconcurrency: {pools: {granularity: op, default_limit: 1}}\n"
    )
    return dg.DagsterInstance.from_config(str(tmp_path))


def test_unstick_cancels_a_run_whose_process_was_killed_and_the_next_run_goes_on(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], cwd=CHECKOUT, check=False, capture_output=True)
    stuck = instance.get_runs()
    assert [run.status for run in stuck] == [dg.DagsterRunStatus.STARTED]
    assert unstick(instance) == [stuck[0].run_id]
    assert instance.get_runs()[0].status == dg.DagsterRunStatus.CANCELED
    assert instance.event_log_storage.get_concurrency_info("gpu").claimed_slots == []


def test_unstick_leaves_finished_runs_alone(instance: dg.DagsterInstance) -> None:
    @dg.asset
    def lives() -> None: ...

    dg.materialize([lives], instance=instance)
    assert unstick(instance) == []
