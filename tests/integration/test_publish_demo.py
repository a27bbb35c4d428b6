"""The demo's five repositories: staged by its graph, never sent by it, and loaded by the commands of their cards."""

import ast
import re
from pathlib import Path

import mlcroissant
import pytest

from tests.hub.card_commands import commands, run, stand_in
from tests.hub.hub_server import running_hub
from tests.integration.test_materialize_demo import demo_settings, materialize
from tests.mm_llm.conftest import backbone_folder, tower_folder
from tinyemo_data.hub.biases import read_biases
from tinyemo_data.hub.files import differences, read_manifest
from tinyemo_data.hub.staging import stage_set
from tinyemo_data.settings import HubSettings, MMLLMSettings, Settings
from tinyemo_data.store import Store

__all__ = ["backbone_folder", "tower_folder"]
SETS = ("tinyemo-pretrain", "tinyemo-finetune", "tinyemo-hq")
MODELS = ("tinyemo-projector", "tinyemo-mm-llm")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, tower_folder: Path, backbone_folder: Path) -> Settings:
    """A small demo, all of whose repositories were made by its graph, with `hub.publish` set for good."""
    folder = tmp_path_factory.mktemp("published")
    part = {"epochs": 0.1, "batch_size": 8}
    parts = {"vision_tower": str(tower_folder), "language_model": str(backbone_folder), "device": "cpu",
             "evaluations": 1, "max_new_tokens": 4, "pretrain": part, "finetune": part}  # fmt: skip
    hub = HubSettings(namespace="somebody", publish=True)
    small = demo_settings(folder, pictures=4)
    asked = small.evaluation.reasoning.model_copy(update={"pictures": 8})
    evaluation = small.evaluation.model_copy(update={"reasoning": asked})
    changed = {"mm_llm": MMLLMSettings.model_validate(parts), "hub": hub, "evaluation": evaluation}
    chosen = small.model_copy(update=changed)
    with running_hub() as running, pytest.MonkeyPatch.context() as patch:
        for name, value in running.environment.items():
            patch.setenv(name, value)
        assert materialize(chosen, '+group:"publish"').success
        assert running.state.log == []  # materializing everything sends nothing, whatever the settings say
    return chosen


def test_demo_stages_all_five_repositories_whole_and_clean(demo: Settings) -> None:
    store = Store(demo.store)
    for name in (*SETS, *MODELS):
        assert differences(store, f"hub/{name}", read_manifest(store, f"hub/{name}")) == []


def test_cards_of_the_demo_s_models_tell_what_was_measured_of_them(demo: Settings) -> None:
    for name in MODELS:
        assert "**Not measured**" not in (Path(demo.store) / "hub" / name / "README.md").read_text()


def test_cards_of_the_demo_list_what_the_audit_found_and_nobody_decided(demo: Settings) -> None:
    store = Store(demo.store)
    biases = read_biases(store)
    told = [one.slice_id for one in biases.undecided] if biases.why_not is None else [biases.why_not]
    for name in (*SETS, *MODELS):
        card = store.read_bytes(f"hub/{name}/README.md").decode()
        assert [text for text in told if text not in card] == []
        assert read_manifest(store, f"hub/{name}").undecided_slices == [one.slice_id for one in biases.undecided]


def test_sets_of_the_demo_load_stream_rehydrate_and_explain_by_their_cards(demo: Settings, tmp_path: Path) -> None:
    told = run(commands(demo, *SETS), stand_in(demo, tmp_path / "here"))
    counts = [int(line.split()[0]) for line in told.splitlines() if re.match(r"\d+ \[\{'from'", line)]
    assert len(counts) == 3 and min(counts) > 10
    found = [int(each) for each in re.findall(r"- ([\d,]+) pictures found where they belong", told)]
    assert len(found) == 3 and " not at hand" not in told
    assert told.count("verdict") == 3 and told.count("=== user ===") == 3


def test_models_of_the_demo_predict_and_answer_by_their_cards(demo: Settings, tmp_path: Path) -> None:
    told = run(commands(demo, *MODELS), stand_in(demo, tmp_path / "here")).splitlines()
    assert [len(ast.literal_eval(line)) for line in told[:2]] == [2, 2]


@pytest.mark.parametrize("name", SETS)
def test_croissant_of_the_demo_validates_and_yields_a_record(demo: Settings, name: str) -> None:
    described = mlcroissant.Dataset(Path(demo.store) / "hub" / name / "croissant.json")
    assert described.metadata.issues.errors == set()
    assert next(iter(described.records("default")))["default/picture_sha256"].startswith(b"sha256:")


def test_staging_the_demo_s_set_again_writes_equal_bytes(demo: Settings) -> None:
    store = Store(demo.store)
    before = store.digest("hub/tinyemo-hq/manifest.json")
    stage_set(store, demo, "hq")
    assert store.digest("hub/tinyemo-hq/manifest.json") == before
