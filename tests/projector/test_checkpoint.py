"""The checkpoint in the store: whole or refused, and equal runs give equal bytes."""

from pathlib import Path

import orjson
import pytest
import torch

from tests.projector.conftest import MakeSettings
from tinyemo_data.errors import CheckpointError
from tinyemo_data.features.table import LabelledFeatures
from tinyemo_data.projector.checkpoint import (
    load_checkpoint,
    read_config,
    save_checkpoint,
    trained_from,
    training_metrics,
)
from tinyemo_data.projector.prototypes import Prototypes, with_digest
from tinyemo_data.projector.seeds import TrainedEnsemble, train_ensemble
from tinyemo_data.settings import ProjectorSettings
from tinyemo_data.store import Store

FILES = ["config.json", "metrics.json", "model-seed1.safetensors", "model.safetensors"]


def save(
    store: Store, labelled: LabelledFeatures, prototypes: Prototypes, settings: ProjectorSettings
) -> TrainedEnsemble:
    trained = train_ensemble(labelled, prototypes, settings)
    provenance = trained_from(labelled, trained, "vit-l-14", prototypes)
    save_checkpoint(store, trained.ensemble, settings, provenance, {"seeds": training_metrics(trained)})
    return trained


def contents(store: Store) -> dict[str, bytes]:
    return {key.rpartition("/")[2]: store.read_bytes(key) for key in store.keys("models/projector")}


@pytest.mark.parametrize("centred", [False, True], ids=["as-they-are", "centred"])
def test_load_checkpoint_gives_the_ensemble_that_was_saved(
    labelled: LabelledFeatures, prototypes: Prototypes, make_settings: MakeSettings, store: Store, centred: bool
) -> None:
    saved = save(store, labelled, prototypes, make_settings(center_prototypes=centred, temperature=0.3)).ensemble
    loaded = load_checkpoint(store, prototypes, encoder="vit-l-14")
    assert (loaded.digest, loaded.seeds, loaded.temperature) == (saved.digest, [0, 1], 0.3)
    labels = ["anger", "awe", "love"]
    assert torch.equal(loaded.similarities(labelled.features, labels), saved.similarities(labelled.features, labels))


def test_save_checkpoint_gives_equal_bytes_when_the_run_is_repeated(
    labelled: LabelledFeatures, prototypes: Prototypes, make_settings: MakeSettings, tmp_path: Path
) -> None:
    stores = [Store(tmp_path / name) for name in ("one", "two")]
    for store in stores:
        save(store, labelled, prototypes, make_settings())
    assert contents(stores[0]) == contents(stores[1])
    assert sorted(contents(stores[0])) == FILES


def test_config_says_what_made_the_model(
    labelled: LabelledFeatures, prototypes: Prototypes, make_settings: MakeSettings, store: Store
) -> None:
    settings = make_settings()
    trained = save(store, labelled, prototypes, settings)
    config = read_config(store)
    assert (config["feature_size"], config["embedding_size"], config["encoder"]) == (8, 12, "vit-l-14")
    assert (config["language_model"], config["prototypes_digest"]) == ("random points", prototypes.digest)
    assert (config["data_digest"], config["rows"]) == (trained.data_digest, {"emotion6": 60})
    assert ProjectorSettings.model_validate(config["settings"]) == settings
    metrics = orjson.loads(contents(store)["metrics.json"])["seeds"]["1"]
    assert metrics["best_epoch"] == trained.courses[1].best_epoch
    assert {"train_loss", "validation_loss", "validation_top1", "learning_rate"} < set(metrics["epochs"][0])


def test_save_checkpoint_removes_seeds_that_the_new_model_does_not_have(
    labelled: LabelledFeatures, prototypes: Prototypes, make_settings: MakeSettings, store: Store
) -> None:
    save(store, labelled, prototypes, make_settings(seeds=[0, 1, 2]))
    save(store, labelled, prototypes, make_settings(seeds=[0, 1]))
    assert sorted(contents(store)) == FILES
    assert load_checkpoint(store, prototypes).seeds == [0, 1]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", ["removed", "cut", "altered"])
def test_load_checkpoint_refuses_a_set_in_which_any_file_is_not_whole(
    labelled: LabelledFeatures,
    prototypes: Prototypes,
    make_settings: MakeSettings,
    store: Store,
    name: str,
    damage: str,
) -> None:
    save(store, labelled, prototypes, make_settings())
    key = f"models/projector/{name}"
    content = store.read_bytes(key)
    if damage == "removed":
        store.remove(key)
    elif damage == "cut":
        store.write_bytes(key, content[: len(content) // 2])
    else:
        # The last digit of a weight, of a loss, or of a digest in the config.
        altered = content.replace(b'"temperature": 0.5', b'"temperature": 0.6') if name == FILES[0] else content + b" "
        assert altered != content
        store.write_bytes(key, altered)
    with pytest.raises(CheckpointError, match=r"half-written|altered") as error:
        load_checkpoint(store, prototypes)
    assert "Materialize projector/model again" in str(error.value)


def test_load_checkpoint_refuses_a_set_of_two_models(
    labelled: LabelledFeatures, prototypes: Prototypes, make_settings: MakeSettings, store: Store
) -> None:
    """A run that is killed between two files leaves the new weights beside the old config."""
    save(store, labelled, prototypes, make_settings())
    old = contents(store)["config.json"]
    save(store, labelled, prototypes, make_settings(epochs=1))
    store.write_bytes("models/projector/config.json", old)
    with pytest.raises(CheckpointError, match=r"model\.safetensors is not the file that config\.json names"):
        load_checkpoint(store, prototypes)


def test_load_checkpoint_tells_both_sizes_and_models_when_the_prototypes_are_of_another(
    labelled: LabelledFeatures, prototypes: Prototypes, make_settings: MakeSettings, store: Store
) -> None:
    save(store, labelled, prototypes, make_settings())
    wide = with_digest(["anger", "joy"], torch.zeros(2, 2048), {}, "TinyLlama", "{emotion}")
    with pytest.raises(CheckpointError, match=r"size 12 of random points.*TinyLlama have size 2048 .*TinyLlama-1.1B"):
        load_checkpoint(store, wide)
    reworded = with_digest(prototypes.words, prototypes.embeddings + 1, {}, "random points", "a {emotion} scene")
    with pytest.raises(CheckpointError, match=r"grounding text '\{emotion\}'.*'a \{emotion\} scene'"):
        load_checkpoint(store, reworded)


def test_load_checkpoint_names_both_encoders_when_the_profile_has_another(
    labelled: LabelledFeatures, prototypes: Prototypes, make_settings: MakeSettings, store: Store
) -> None:
    save(store, labelled, prototypes, make_settings())
    with pytest.raises(CheckpointError, match=r"encoder vit-l-14; this profile's is vit-b-16"):
        load_checkpoint(store, prototypes, encoder="vit-b-16")


def test_read_config_says_what_to_materialize_when_nothing_was_trained(store: Store) -> None:
    with pytest.raises(CheckpointError, match=r"not there.*Materialize projector/model"):
        read_config(store)
