"""Every command that a card prints is run as it stands, in a process of its own."""

import ast
import re
import shutil
from pathlib import Path

import mlcroissant
import orjson
import pyarrow.parquet as pq
import pytest
import yaml
from datasets import Features

from tests.hub.card_commands import commands, run, stand_in
from tests.hub.hub_server import running_hub
from tests.hub.world import PICTURES, fill_language_model, make_settings
from tinyemo_data.hub.biases import NO_AUDIT
from tinyemo_data.hub.columns import datasets_features
from tinyemo_data.hub.language_model_staging import stage_language_model
from tinyemo_data.hub.projector_staging import stage_projector
from tinyemo_data.hub.publishing import publish
from tinyemo_data.hub.staging import stage_set
from tinyemo_data.settings import Settings
from tinyemo_data.store import Store
from tinyemo_data.synthesis.record_file import RECORD

SETS = ("pretrain", "finetune", "hq")


@pytest.fixture(scope="module")
def staged(
    made_world: Path, tower_folder: Path, backbone_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Settings:
    """All five repositories, staged: three sets, the projector, and a small language model that sees."""
    folder = tmp_path_factory.mktemp("cards") / "world"
    shutil.copytree(made_world, folder)
    settings = make_settings(folder)
    store = Store(settings.store)
    for name in SETS:
        stage_set(store, settings, name)
    stage_projector(store, settings)
    stage_language_model(store, fill_language_model(store, settings, tower_folder, backbone_folder))
    return settings


def test_sets_load_by_the_commands_of_their_cards(staged: Settings, tmp_path: Path) -> None:
    told = run(commands(staged, *(f"tinyemo-{name}" for name in SETS)), stand_in(staged, tmp_path / "here"))
    loaded = [int(line.split()[0]) for line in told.splitlines() if re.match(r"\d+ \[\{'from'", line)]
    assert loaded == [3 * PICTURES, PICTURES, 6]
    streamed = re.findall(r"^emoset/image/\S+#\w+ \w+$", told, re.MULTILINE)
    assert len(streamed) == 3 * 3
    assert told.count("pictures found where they belong") == 3
    assert told.count("verdict") == 3 and told.count("=== user ===") == 3  # each explained, with its prompt


def test_models_load_by_the_commands_of_their_cards(staged: Settings, tmp_path: Path) -> None:
    told = run(commands(staged, "tinyemo-projector"), stand_in(staged, tmp_path / "here"))
    ours, plain = told.splitlines()
    assert len(ast.literal_eval(ours)) == len(ast.literal_eval(plain)) == 2


def test_language_model_answers_by_the_commands_of_its_card_without_anything_of_ours(
    staged: Settings, tmp_path: Path
) -> None:
    code = commands(staged, "tinyemo-mm-llm") + "\nimport sys\nprint('tinyemo_data' in sys.modules, answer.shape[1])"
    told = run(code, stand_in(staged, tmp_path / "here"))
    ours, tokens = told.splitlines()[-1].split()
    assert ours == "False" and int(tokens) > 20


def test_published_set_loads_and_streams_from_a_hub(staged: Settings, tmp_path: Path) -> None:
    store = Store(staged.store)
    with running_hub() as hub, pytest.MonkeyPatch.context() as patch:
        for name, value in hub.environment.items():
            patch.setenv(name, value)
        patch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
        patch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
        publish(store, stage_set(store, staged, "hq").repository, staged.hub)
        publish(store, stage_projector(store, staged).repository, staged.hub)
        (tmp_path / "pictures").symlink_to(staged.raw)
        code = commands(staged, "tinyemo-hq") + LOAD_PROJECTOR
        told = run(code, tmp_path, HF_HUB_OFFLINE="0", **hub.environment)
    assert "6 [{'from'" in told and "6 pictures found where they belong" in told
    commit = hub.state.only("tinyemo-hq").refs["main"]
    assert f"revision  {commit}" in re.sub(r" +", "  ", told)
    assert told.splitlines()[-1] == "8 [0, 1]"


LOAD_PROJECTOR = """
from tinyemo_data.hub.loading import load_projector
projector = load_projector("somebody/tinyemo-projector@main")
print(projector.dimension, projector.seeds)
"""


def test_datasets_reads_the_columns_as_the_card_declares_them() -> None:
    assert datasets_features() == Features.from_arrow_schema(RECORD)._to_yaml_list()


@pytest.mark.parametrize("name", SETS)
def test_croissant_validates_and_yields_the_records(staged: Settings, name: str) -> None:
    folder = Path(staged.store) / "hub" / f"tinyemo-{name}"
    described = mlcroissant.Dataset(folder / "croissant.json")
    assert described.metadata.issues.errors == set()
    records = list(described.records("default"))
    table = pq.read_table(folder / "data").to_pylist()
    assert [one["default/record_id"].decode() for one in records] == [row["record_id"] for row in table]
    assert [one["default/picture_sha256"].decode() for one in records] == [row["picture_sha256"] for row in table]
    turns = [turn["default/conversations/value"].decode() for turn in records[0]["default/conversations"]]
    assert turns == [turn["value"] for turn in table[0]["conversations"]]
    assert records[0]["default/gates"] == [gate.encode() for gate in table[0]["gates"]]


def test_croissant_has_the_fields_of_responsible_ai(staged: Settings) -> None:
    folder = Path(staged.store) / "hub" / "tinyemo-pretrain"
    metadata = mlcroissant.Dataset(folder / "croissant.json").metadata
    assert metadata.machine_annotation_tools == ["rules-1 (this project's own rules)"]
    assert metadata.annotations_per_item == "1"
    assert metadata.data_biases == [NO_AUDIT]
    assert any("SHA-256" in protocol for protocol in metadata.data_annotation_protocol)
    assert "not included" in metadata.personal_sensitive_information[0]
    assert metadata.data_limitations and metadata.data_use_cases and metadata.data_social_impact
    described = orjson.loads((folder / "croissant.json").read_bytes())
    assert described["conformsTo"][-1] == "http://mlcommons.org/croissant/RAI/1.0"


@pytest.mark.parametrize("name", ["pretrain", "finetune", "hq", "projector", "mm-llm"])
def test_card_is_whole(staged: Settings, name: str) -> None:
    text = (Path(staged.store) / "hub" / f"tinyemo-{name}" / "README.md").read_text()
    front = yaml.safe_load(text.split("---\n")[1])
    assert front["license_name"] == "cc-by-nc-4.0" and front["language"] == ["en"] and front["tags"]
    for heading in ("## Loading", "## Biases", "## Uses", "## Citation", "## Licence", "take-down"):
        assert heading in text
    assert "{{" not in re.sub(r"```.*?```", "", text, flags=re.DOTALL) and "None" not in text
    assert "Article 3(39)" in text and "evoke" in text
    linked = re.findall(r"\]\((?!http)([^)#]+)\)", text)
    assert all((Path(staged.store) / "hub" / f"tinyemo-{name}" / path).is_file() for path in linked)


def test_card_of_the_projector_has_what_was_measured_of_it(staged: Settings) -> None:
    text = (Path(staged.store) / "hub" / "tinyemo-projector" / "README.md").read_text()
    front = yaml.safe_load(text.split("---\n")[1])
    (result,) = front["model-index"][0]["results"]
    report = orjson.loads((Path(staged.store) / "reports" / "classification.json").read_bytes())
    ensemble = next(row for row in report["rows"] if row["method"] == "projector_ensemble")
    assert result["dataset"] == {"name": "FI", "type": "fi", "split": "test"}
    assert result["metrics"][0]["value"] == ensemble["top1"]
    assert f"| FI | test | projector, ensemble of 2 | zero-shot | kept | 24 | {100 * ensemble['top1']:.1f} |" in text
    assert "| emoset | 12 |" in text and "a note of the evaluation" in text


def test_figures_of_another_projector_are_not_told(staged: Settings, tmp_path: Path) -> None:
    shutil.copytree(staged.store, tmp_path / "store")
    store = Store(tmp_path / "store")
    report = store.read_json("reports/classification.json")
    for row in report["rows"]:
        row["model_digest"] = "f" * 64
    store.write_json("reports/classification.json", report)
    card = stage_projector(store, staged).card
    assert "is of another model" in card and "model-index" not in card
