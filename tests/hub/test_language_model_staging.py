import pytest

from tinyemo_data.errors import StagingError
from tinyemo_data.hub.files import read_manifest, staged_paths
from tinyemo_data.hub.language_model_staging import FOLDER, flat, stage_language_model
from tinyemo_data.projector import tiny_language_model
from tinyemo_data.settings import Settings
from tinyemo_data.store import Store


@pytest.fixture
def model(store: Store) -> Store:
    """A store in which a small language model lies where the finetuned one belongs, with what training left beside."""
    tiny_language_model.make(store)
    for key in store.keys(tiny_language_model.FOLDER):
        store.write_bytes(f"{FOLDER}/{key.rpartition('/')[2]}", store.read_bytes(key))
    store.write_bytes(f"{FOLDER}/training_args.bin", b"\x80\x02}q\x00.")
    store.write_json(f"{FOLDER}/course.json", {"finetune": {"loss": 0.25, "log": [{"step": 1}]}})
    return store


def test_stage_language_model_takes_weights_and_tokenizer_and_leaves_pickles(model: Store, world: Settings) -> None:
    staged = stage_language_model(model, world)
    assert set(staged_paths(model, "hub/tinyemo-mm-llm")) == {
        "LICENSE.md", "README.md", "config.json", "course.json", "manifest.json", "model.safetensors",
        "tokenizer.json", "tokenizer_config.json",
    }  # fmt: skip
    assert staged.found == [] and staged.manifest.generators == ["rules"] and staged.manifest.datasets == ["emoset"]
    assert model.digest("hub/tinyemo-mm-llm/model.safetensors") == model.digest(f"{FOLDER}/model.safetensors")


def test_card_names_what_it_learnt_from_and_how(model: Store, world: Settings) -> None:
    model.write_json("reports/reasoning.json", {"consistency": {"macro_f1": 0.5}, "rows": [{"a": 1}]})
    card = stage_language_model(model, world).card
    digest = model.digest("instruct/finetune/records.parquet")
    assert f"| finetune | somebody/tinyemo-finetune | {digest} |" in card
    assert "| course.finetune.loss | 0.25 |" in card and "step" not in card
    assert "| reports/reasoning.json | consistency.macro_f1 | 0.5 |" in card
    assert "datasets:\n- somebody/tinyemo-pretrain" in card


def test_stage_language_model_writes_equal_bytes_on_a_second_run(model: Store, world: Settings) -> None:
    stage_language_model(model, world)
    first = read_manifest(model, "hub/tinyemo-mm-llm")
    stage_language_model(model, world)
    assert read_manifest(model, "hub/tinyemo-mm-llm") == first


def test_stage_language_model_says_what_is_missing(store: Store, world: Settings) -> None:
    with pytest.raises(StagingError, match="there is no model to stage"):
        stage_language_model(store, world)
    store.write_json(f"{FOLDER}/config.json", {})
    store.write_bytes(f"{FOLDER}/pytorch_model.bin", b"pickle")
    with pytest.raises(StagingError, match=r"holds no \.safetensors weights"):
        stage_language_model(store, world)


def test_flat_names_plain_values_by_their_way_and_passes_over_lists_of_groups() -> None:
    values = {"b": {"c": 0.123456, "d": [1, 2]}, "a": None, "log": [{"step": 1}], "long": "x" * 300}
    assert flat(values)[:3] == [("a", "None"), ("b.c", "0.1235"), ("b.d", "[1, 2]")]
    assert len(flat(values)) == 4 and len(flat(values)[3][1]) <= 200
