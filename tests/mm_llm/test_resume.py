"""Runs of other processes: killed at any moment, or several at once, they come to the same losses and weights."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from tests.mm_llm.conftest import changed
from tinyemo_data.mm_llm.checkpoints import STATE
from tinyemo_data.mm_llm.materialize import finetune, pretrain
from tinyemo_data.settings import Settings
from tinyemo_data.store import Store

PROJECT = Path(__file__).parents[2]
TRIALS = 12 if os.environ.get("TINYEMO_FAULT_TRIALS") == "all" else 1
FINETUNED = "models/mm_llm/finetuned"


@pytest.fixture
def settings(planted: Settings, dropping_backbone: Path) -> Settings:
    """The planted world with a backbone that drops units by lot: a resumed run must draw the same lots."""
    stage = {"epochs": 5, "batch_size": 4}
    return changed(planted, language_model=str(dropping_backbone), evaluations=5, finetune=stage, precision="fp32")


@pytest.fixture
def dropping_backbone(backbone_folder: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "backbone"
    folder.mkdir()
    for path in backbone_folder.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    config = orjson.loads((folder / "config.json").read_bytes())
    (folder / "config.json").write_bytes(orjson.dumps({**config, "attention_dropout": 0.1}))
    return folder


def profile_of(settings: Settings, store: Store) -> Path:
    """Write a profile of these settings whose store is `store`."""
    path = Path(store.url).with_suffix(".yaml")
    values = settings.model_dump(exclude_none=True) | {"store": store.url}
    path.write_text(yaml.safe_dump({key: value for key, value in values.items() if key != "name"}))
    return path


def copied(settings: Settings, folder: Path) -> Store:
    """Return a store with the same content as that of `settings`."""
    import shutil

    shutil.copytree(settings.store, folder)
    return Store(folder)


def start(arguments: list[str], profile: Path, **options: Any) -> subprocess.Popen[str]:
    command = [sys.executable, *arguments, "finetune", "--profile", str(profile)]
    found = {key: value for key, value in os.environ.items() if not key.startswith("TINYEMO_")}
    environment = found | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(PROJECT)}
    return subprocess.Popen(command, cwd=profile.parent, env=environment, text=True, **options)


def outcome(store: Store) -> tuple[Any, Any, bytes]:
    manifest = store.read_json(f"{FINETUNED}/mm_llm.json")
    course = manifest["course"]
    return course["points"], course["validations"], store.read_bytes(f"{FINETUNED}/model.safetensors")


def kill_once_saved(process: subprocess.Popen[str], work: Path, after: float) -> None:
    """Kill a run `after` seconds after its first complete checkpoint."""
    until = time.monotonic() + 120
    while time.monotonic() < until and process.poll() is None:
        if any(work.glob(f"*/checkpoint-*/{STATE}")):
            time.sleep(after)
            break
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait(30)


@pytest.mark.faults
@pytest.mark.parametrize("trial", range(TRIALS))
def test_killed_run_comes_to_the_same_losses_and_weights(trial: int, settings: Settings, tmp_path: Path) -> None:
    store = Store(settings.store)
    pretrain(store, settings)
    killed = copied(settings, tmp_path / "killed")
    finetune(store, settings)
    process = start(["-m", "tinyemo_data.mm_llm"], profile_of(settings, killed))
    kill_once_saved(process, tmp_path / "killed/models/mm_llm/.work", random.Random(trial).uniform(0, 0.6))
    was_done = process.returncode == 0
    again = finetune(killed, settings.model_copy(update={"store": killed.url}))
    assert outcome(killed) == outcome(store)
    # Killed once its checkpoint was there: it went on from it, or had just been written.
    assert was_done or again.course is None or again.course.resumed_at
    assert not killed.exists("models/mm_llm/.work")


def test_two_processes_take_the_steps_of_one(planted: Settings, tmp_path: Path) -> None:
    store = Store(planted.store)
    pretrain(store, planted)
    shared = copied(planted, tmp_path / "shared")
    finetune(store, planted)
    halves = changed(planted, finetune={"batch_size": 2})
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "tinyemo_data.mm_llm"]
    process = start(launch, profile_of(halves, shared), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    printed, _ = process.communicate(timeout=200)
    assert process.returncode == 0, printed
    assert printed.count("models/mm_llm/finetuned: ") == 1  # the first process alone speaks
    manifests = [each.read_json(f"{FINETUNED}/mm_llm.json") for each in (store, shared)]
    assert [each["processes"] for each in manifests] == [1, 2]
    one, two = (each["course"] for each in manifests)
    assert [p["loss"] for p in one["points"]] == pytest.approx([p["loss"] for p in two["points"]], rel=1e-4)
    assert [v["loss"] for v in one["validations"]] == pytest.approx([v["loss"] for v in two["validations"]], rel=1e-3)
    assert one["steps"] == two["steps"]
