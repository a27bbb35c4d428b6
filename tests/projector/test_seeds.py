"""An ensemble seed by seed: what is finished is not trained again, whatever killed the run."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.projector.conftest import MakeLabelled, MakeSettings
from tinyemo_data.features.table import LabelledFeatures
from tinyemo_data.projector.prototypes import Prototypes
from tinyemo_data.projector.seeds import SEEDS, fingerprint_of, forget_other_seeds, seed_key, train_ensemble
from tinyemo_data.projector.training import EpochLog
from tinyemo_data.store import Store


def test_train_ensemble_reuses_finished_seeds_and_gives_the_same_model(
    labelled: LabelledFeatures, prototypes: Prototypes, make_settings: MakeSettings, store: Store
) -> None:
    fresh = train_ensemble(labelled, prototypes, make_settings(seeds=[4, 2]))
    first = train_ensemble(labelled, prototypes, make_settings(seeds=[4]), store)
    both = train_ensemble(labelled, prototypes, make_settings(seeds=[4, 2]), store)
    again = train_ensemble(labelled, prototypes, make_settings(seeds=[4, 2]), store)
    assert (first.reused, both.reused, again.reused) == ([], [4], [4, 2])
    assert fresh.ensemble.digest == both.ensemble.digest == again.ensemble.digest
    assert fresh.courses[1].log == again.courses[1].log
    assert [course.best_epoch for course in fresh.courses] == [course.best_epoch for course in again.courses]


def test_train_ensemble_goes_on_with_the_seed_in_training_when_killed(
    prototypes: Prototypes, labelled: LabelledFeatures, make_settings: MakeSettings, tmp_path: Path
) -> None:
    """A real process is killed with SIGKILL while it trains its second seed."""
    root = Path(__file__).parents[2]
    script = (
        "import os, signal, sys, torch\n"
        "from tinyemo_data.projector.seeds import train_ensemble\n"
        "from tinyemo_data.store import Store\n"
        "labelled, prototypes, settings = torch.load(sys.argv[1], weights_only=False)\n"
        "def kill(seed, log, left):\n"
        "    if seed == 1 and log.epoch == 2: os.kill(os.getpid(), signal.SIGKILL)\n"
        "train_ensemble(labelled, prototypes, settings, Store(sys.argv[2]), kill)\n"
    )
    settings = make_settings(seeds=[0, 1], patience=4)
    torch.save((labelled, prototypes, settings), tmp_path / "given.pt")
    store = Store(tmp_path / "store")
    killed = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "given.pt"), store.url],
        env={**os.environ, "PYTHONPATH": str(root)},
        check=False,
        timeout=120,
    )
    assert killed.returncode == -signal.SIGKILL
    resumed = train_ensemble(labelled, prototypes, settings, store)
    assert resumed.reused == [0]
    assert resumed.ensemble.digest == train_ensemble(labelled, prototypes, settings).ensemble.digest


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda content: content[:100], id="cut"),
        pytest.param(lambda content: content[:0], id="empty"),
        pytest.param(lambda content: content.replace(b"model.4.bias", b"model.4.bios"), id="another-key"),
        pytest.param(lambda content: content.replace(b"best_epoch", b"best_epock"), id="course-without-best"),
    ],
)
def test_train_ensemble_trains_a_seed_again_when_its_file_is_damaged(
    labelled: LabelledFeatures,
    prototypes: Prototypes,
    make_settings: MakeSettings,
    store: Store,
    damage: object,
) -> None:
    settings = make_settings(seeds=[1])
    first = train_ensemble(labelled, prototypes, settings, store)
    (key,) = store.keys(SEEDS)
    assert callable(damage)
    content = store.read_bytes(key)
    store.write_bytes(key, damage(content))
    again = train_ensemble(labelled, prototypes, settings, store)
    assert again.reused == []
    assert again.ensemble.digest == first.ensemble.digest
    assert store.read_bytes(key) == content


def test_fingerprint_changes_with_what_decides_the_weights_and_with_nothing_else(
    prototypes: Prototypes, make_settings: MakeSettings
) -> None:
    base = fingerprint_of(make_settings(), "data", prototypes)
    same = [make_settings(seeds=[7]), make_settings(folds=3), make_settings(candidates=[{"epochs": 9}])]
    assert {fingerprint_of(settings, "data", prototypes) for settings in same} == {base}
    others = [
        fingerprint_of(make_settings(epochs=9), "data", prototypes),
        fingerprint_of(make_settings(center_prototypes=True), "data", prototypes),
        fingerprint_of(make_settings(), "other data", prototypes),
        fingerprint_of(make_settings(), "data", prototypes.centred()),
    ]
    assert len({base, *others}) == 5


def test_forget_other_seeds_keeps_those_of_the_model(
    labelled: LabelledFeatures, prototypes: Prototypes, make_settings: MakeSettings, store: Store
) -> None:
    old, new = make_settings(epochs=1), make_settings(epochs=2)
    train_ensemble(labelled, prototypes, old, store)
    trained = train_ensemble(labelled, prototypes, new, store)
    fingerprint = fingerprint_of(new, trained.data_digest, prototypes)
    forget_other_seeds(store, fingerprint)
    assert store.keys(SEEDS) == [seed_key(fingerprint, 0), seed_key(fingerprint, 1)]


def test_progress_tells_the_seconds_left_for_all_seeds(
    make_labelled: MakeLabelled, prototypes: Prototypes, make_settings: MakeSettings
) -> None:
    told: list[tuple[int, EpochLog, float]] = []
    settings = make_settings(seeds=[5, 6], epochs=3, patience=3)
    train_ensemble(make_labelled(), prototypes, settings, progress=lambda *report: told.append(report))
    assert [(seed, log.epoch) for seed, log, _ in told] == [(5, 1), (5, 2), (5, 3), (6, 1), (6, 2), (6, 3)]
    assert told[0][2] == pytest.approx(5 * told[0][1].seconds)
    assert told[-1][2] == 0.0
