from pathlib import Path

import pytest

from tests.hub.world import fill_language_model
from tests.synthesis.export.records import write_records
from tinyemo_data.errors import StagingError
from tinyemo_data.hub.files import read_manifest, staged_paths
from tinyemo_data.hub.language_model_origins import hub_ids, parts_of
from tinyemo_data.hub.language_model_staging import FOLDER, flat, stage_language_model
from tinyemo_data.settings import MMLLMSettings, Settings
from tinyemo_data.store import Store
from tinyemo_data.synthesis.records import read_records, records_key


@pytest.fixture
def world(world: Settings, tower_folder: Path, backbone_folder: Path) -> Settings:
    """A world whose store holds a language model that sees."""
    return fill_language_model(Store(world.store), world, tower_folder, backbone_folder)


def test_stage_language_model_takes_weights_and_processor_and_leaves_pickles(store: Store, world: Settings) -> None:
    store.write_bytes(f"{FOLDER}/training_args.bin", b"\x80\x02}q\x00.")
    staged = stage_language_model(store, world)
    assert set(staged_paths(store, "hub/tinyemo-mm-llm")) == {
        "LICENSE.md", "README.md", "chat_template.jinja", "config.json", "generation_config.json", "manifest.json",
        "mm_llm.json", "model.safetensors", "processor_config.json", "tokenizer.json", "tokenizer_config.json",
    }  # fmt: skip
    assert staged.found == [] and staged.manifest.generators == ["rules"] and staged.manifest.datasets == ["emoset"]
    assert store.digest("hub/tinyemo-mm-llm/model.safetensors") == store.digest(f"{FOLDER}/model.safetensors")


def test_staged_files_name_no_folder_of_this_machine_and_their_digests_are_told_as_they_are(
    store: Store, world: Settings, tower_folder: Path
) -> None:
    config = store.read_json(f"{FOLDER}/config.json")
    config["vision_config"]["_name_or_path"] = str(tower_folder)  # as `save_pretrained` leaves it
    store.write_json(f"{FOLDER}/config.json", config)
    staged = stage_language_model(store, world)
    public = store.read_json("hub/tinyemo-mm-llm/config.json")
    assert public["vision_config"].pop("_name_or_path") == tower_folder.name
    assert config["vision_config"].pop("_name_or_path") and public == config
    for path in staged_paths(store, "hub/tinyemo-mm-llm"):
        assert str(tower_folder.parent).encode() not in store.read_bytes(f"hub/tinyemo-mm-llm/{path}")
    told = store.read_json("hub/tinyemo-mm-llm/mm_llm.json")
    assert told["settings"]["vision_tower"] == tower_folder.name
    assert told["files"] == {entry.path: entry.sha256 for entry in staged.manifest.files if entry.path in told["files"]}
    assert len(told["files"]) == 7


def test_card_names_what_it_learnt_from_and_how(store: Store, world: Settings, tower_folder: Path) -> None:
    card = stage_language_model(store, world).card
    digest = store.digest(records_key("finetune"))
    assert f"| finetune | somebody/tinyemo-finetune | `{digest}` |" in card
    assert "| hq |" not in card  # no stage learnt from it
    assert "| course.best_step | 12 |" in card and "course.points" not in card and "None" not in card
    assert "**Not measured**: `evaluation/reasoning` was not materialized." in card
    assert "datasets:\n- somebody/tinyemo-pretrain\n- somebody/tinyemo-finetune\n" in card


AGREEMENT = {"top1": 0.5, "ci95": (0.4, 0.6), "macro_f1": 0.45}
ROW = {"title": "both stages, label withheld", "n": 1240, "cut": 3, "grounding": {"rate": None},
       "consistency": {"with_label": AGREEMENT, "with_projector": {**AGREEMENT, "top1": 0.7}}}  # fmt: skip
PAIRS = {"n": 80, "both_right": 0.3, "both_right_ci95": (0.2, 0.4), "yes_rate": 0.55}
CONTEXT = {"models": {"finetuned": "0" * 64}, "n": 1240, "chance": 0.13, "projector_top1": 0.62}
REPORT = {
    "context": CONTEXT, "rows": [ROW], "contrasts": [], "statements": {"finetuned": PAIRS}, "notes": ["a note of it"],
}  # fmt: skip


def test_card_tells_what_was_measured_of_this_model_and_of_no_other(store: Store, world: Settings) -> None:
    store.write_json("reports/reasoning.json", REPORT)
    card = stage_language_model(store, world).card
    assert "| both stages, label withheld | 1,240 | 50.0 | 40.0 to 60.0 | 45.0 | 70.0 | – | 3 |" in card
    assert "| both stages | 80 | 30.0 | 20.0 to 40.0 | 55.0 |" in card and "- a note of it" in card
    assert "is right in 13.0 %, the projector in 62.0 %" in card
    store.write_json("reports/reasoning.json", REPORT | {"context": CONTEXT | {"models": {"finetuned": "f" * 64}}})
    card = stage_language_model(store, world).card
    assert "is of another model" in card and "1,240" not in card


def test_card_says_that_a_set_was_made_anew_since_the_model_learnt_from_it(store: Store, world: Settings) -> None:
    digest = store.digest(records_key("finetune"))
    write_records(store, "finetune", read_records(store, "finetune").to_dicts()[:-1])
    assert f"`{digest}`, made anew since |" in stage_language_model(store, world).card


def test_stage_language_model_refuses_a_model_of_a_set_that_is_gone(store: Store, world: Settings) -> None:
    store.remove(records_key("pretrain"))
    with pytest.raises(StagingError, match=r"learnt from the set pretrain, but .* nobody knows whose answers"):
        stage_language_model(store, world)


def test_stage_language_model_writes_equal_bytes_on_a_second_run(store: Store, world: Settings) -> None:
    stage_language_model(store, world)
    first = read_manifest(store, "hub/tinyemo-mm-llm")
    stage_language_model(store, world)
    assert read_manifest(store, "hub/tinyemo-mm-llm") == first


def test_card_names_parts_of_the_hub_as_base_models_and_a_folder_by_its_name_alone(
    store: Store, world: Settings, tower_folder: Path
) -> None:
    card = stage_language_model(store, world).card
    assert "base_model" not in card and f"- vision tower: {tower_folder.name}\n" in card
    told = store.read_json(f"{FOLDER}/mm_llm.json")
    told["parts"] = {"vision_tower": "openai/clip-vit-large-patch14", "language_model": "microsoft/phi-2@main"}
    store.write_json(f"{FOLDER}/mm_llm.json", told)
    card = stage_language_model(store, world).card
    assert "base_model:\n- openai/clip-vit-large-patch14\n- microsoft/phi-2\n" in card


@pytest.mark.parametrize(
    ("tower", "own", "profile", "expected"),
    [
        (None, None, None, []),
        ("openai/clip-vit-base-patch16", None, "org/phi-2@v1", ["openai/clip-vit-base-patch16", "org/phi-2"]),
        (None, "org/mine", "org/phi-2", ["org/mine"]),
        ("/srv/models/tower", "here/backbone", "~/phi", []),
    ],
    ids=["none", "the-profile-s", "mm-llm-s-own", "folders"],
)
def test_base_models_are_the_hub_ids_that_the_settings_name(
    world: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    tower: str | None, own: str | None, profile: str | None, expected: list[str],
) -> None:  # fmt: skip
    (tmp_path / "here" / "backbone").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    named = {"mm_llm": MMLLMSettings(vision_tower=tower, language_model=own), "language_model": profile}
    parts = parts_of({}, world.model_copy(update=named))
    assert hub_ids(parts) == expected
    assert not any("/" in name for name in parts.values() if name not in [*expected, "org/phi-2@v1"])


def test_card_of_a_kind_that_transformers_does_not_know_says_what_makes_it_known(store: Store, world: Settings) -> None:
    assert "head_bias" not in stage_language_model(store, world).card
    config = store.read_json(f"{FOLDER}/config.json")
    store.write_json(f"{FOLDER}/config.json", config | {"text_config": {"model_type": "tinyemo_openelm"}})
    assert "from tinyemo_data.mm_llm import head_bias, openelm" in stage_language_model(store, world).card


def test_stage_language_model_says_what_is_missing(store: Store, world: Settings) -> None:
    with pytest.raises(StagingError, match="there is no model to stage"):
        stage_language_model(store, world, "models/mm_llm/other")
    store.remove(f"{FOLDER}/model.safetensors")
    store.write_bytes(f"{FOLDER}/pytorch_model.bin", b"pickle")
    with pytest.raises(StagingError, match=r"holds no \.safetensors weights"):
        stage_language_model(store, world)


def test_flat_names_plain_values_by_their_way_and_passes_over_lists_of_groups() -> None:
    values = {"b": {"c": 0.123456, "d": [1, 2]}, "a": None, "log": [{"step": 1}], "long": "x" * 300}
    assert flat(values)[:3] == [("a", "–"), ("b.c", "0.1235"), ("b.d", "[1, 2]")]
    assert len(flat(values)) == 4 and len(flat(values)[3][1]) <= 200
