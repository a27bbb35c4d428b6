"""SIGKILL in the middle of `dagster asset materialize`: the next run finishes, and to the same bytes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from tests.integration.test_materialize_demo import digests
from tinyemo_data import settings

CHECKOUT = Path(__file__).parents[2]
DAGSTER_YAML = """
telemetry: {enabled: false}
concurrency: {pools: {granularity: op, default_limit: 1}}
"""


def write_profile(folder: Path) -> Path:
    """Write the demo with one dataset, so that a run is short, but its training is not."""
    demo = yaml.safe_load((settings.PROFILES / "demo.yaml").read_text())
    demo |= {"raw": str(folder / "raw"), "store": str(folder / "store"), "datasets": {"emotion6": {}}, "name": "demo"}
    demo["sample_corpus"] = {"pictures_per_emotion": 12}
    demo["projector"] |= {"train_on": ["emotion6"], "seeds": [0, 1], "epochs": 20, "patience": 20}
    demo["encoder"] |= {"batch_size": 8}
    demo["evaluation"] |= {"datasets": ["emotion6"]}
    demo["synthesis"] = {"sets": {}}
    (folder / "dagster.yaml").write_text(DAGSTER_YAML)
    path = folder / "profile.yaml"
    path.write_text(yaml.safe_dump(demo))
    return path


def start(folder: Path) -> subprocess.Popen[str]:
    """Start the whole chain; its output says what was made, line by line."""
    environment = {
        **os.environ,
        "DAGSTER_HOME": str(folder),
        "TINYEMO_PROFILE": str(write_profile(folder)),
        "PYTHONUNBUFFERED": "1",
    }
    command = [sys.executable, "-m", "dagster", "asset", "materialize", "-m", "pipelines.definitions"]
    command += ["--select", "*evaluation/classification", "--config-json", '{"loggers": {"console": {}}}']
    return subprocess.Popen(
        command, cwd=CHECKOUT, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )


def kill_after(folder: Path, line: str, seconds: float) -> None:
    """Run until `line` is printed, wait, and kill."""
    process = start(folder)
    assert process.stderr is not None
    seen = []
    for told in process.stderr:
        seen.append(told)
        if line in told:
            break
    assert seen and line in seen[-1], "".join(seen)
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, "it had finished before it could be killed"
    process.stderr.close()


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("uninterrupted")
    _, told = start(folder).communicate(timeout=300)
    assert "made    evaluation/classification" in told, told
    return digests(folder / "store")


@pytest.mark.faults
@pytest.mark.parametrize(
    ("line", "seconds"),
    [("made    samples/emotion6", 1.0), ("made    leakage", 1.0)],
    ids=["features", "training"],
)
def test_next_run_finishes_to_the_same_bytes_when_one_was_killed(
    tmp_path: Path, uninterrupted: dict[str, str], line: str, seconds: float
) -> None:
    kill_after(tmp_path, line, seconds)
    process = start(tmp_path)
    _, told = process.communicate(timeout=300)
    assert process.returncode == 0, told
    assert digests(tmp_path / "store") == uninterrupted
