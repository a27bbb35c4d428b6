"""A rendering that is killed at any moment never leaves records beside the rejects or counts of another one."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.synthesis.render_and_die import QUOTAS
from tests.synthesis.replied import answer, lookup, plan
from tinyemo_data.store import Store
from tinyemo_data.synthesis.records import funnel_key, records_key, rejects_key
from tinyemo_data.synthesis.rendering import render_set

PROJECT = Path(__file__).parents[2]
NAME = "hq"
LONGEST = 0.2  # seconds until the kill: some renderings
SEEDS = range(60) if os.environ.get("TINYEMO_FAULT_TRIALS") == "all" else range(3)


def files(store: Store) -> list[bytes]:
    return [store.read_bytes(key(NAME)) for key in (records_key, rejects_key, funnel_key)]


@pytest.mark.faults
def test_killed_rendering_leaves_records_only_with_what_belongs_to_them(store: Store) -> None:
    replies = lookup(answer(plan(store, NAME, 24)))
    whole = []
    for quota in QUOTAS:
        render_set(store, NAME, replies, quota=quota)
        whole.append(files(store))
    assert whole[0] != whole[1]
    for seed in SEEDS:
        kill_one(store, random.Random(seed).uniform(0, LONGEST))
        assert not store.exists(records_key(NAME)) or files(store) in whole
        render_set(store, NAME, replies, quota=QUOTAS[0])
        assert files(store) == whole[0]
        names = sorted(path.name for path in Path(store.url, "instruct", NAME).iterdir())
        assert names == ["drafts.parquet", "funnel.json", "records.parquet", "rejects.parquet"]


def kill_one(store: Store, delay: float) -> None:
    """Start renderings in another process, and kill it some time after the first one."""
    command = [sys.executable, "-m", "tests.synthesis.render_and_die", store.url, NAME]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"rendered\n"
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
