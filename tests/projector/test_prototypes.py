import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

from tinyemo_data.errors import CheckpointError, LanguageModelError, SettingsError
from tinyemo_data.projector import tiny_language_model
from tinyemo_data.projector.prototypes import (
    Prototypes,
    make_prototypes,
    read_prototypes,
    token_table,
    with_digest,
    write_prototypes,
)
from tinyemo_data.store import Store

WORDS = ["joy", "sadness", "cheerfulness", "irritability", "enthrallment", "zest"]
SYNONYMS = {"joy": ("happiness", "delight"), "sadness": ("sorrow",), "love": ("romance",)}
SCENE = "a scene evoking {emotion} to viewers"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real causal language model with its tokenizer."""
    store = Store(tmp_path_factory.mktemp("store"))
    tiny_language_model.make(store)
    return Path(str(store.path(tiny_language_model.FOLDER)))


@pytest.mark.parametrize("grounding_text", ["{emotion}", SCENE, "{emotion}, {emotion}!"])
def test_make_prototypes_gives_the_originals_means_through_transformers(model: Path, grounding_text: str) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model)
    embedding = AutoModelForCausalLM.from_pretrained(model).get_input_embeddings()
    found = make_prototypes(WORDS, model, grounding_text=grounding_text)
    for word in WORDS:
        ids = tokenizer(grounding_text.replace("{emotion}", word), return_tensors="pt").input_ids
        expected = embedding(ids).mean(dim=1)[0].detach()
        torch.testing.assert_close(found.for_labels([word])[0], expected, rtol=1e-6, atol=1e-8)


def test_make_prototypes_counts_the_start_token_into_the_mean(model: Path) -> None:
    matrix = load_file(model / "model.safetensors")["model.embed_tokens.weight"]
    tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
    start, joy = tokenizer.token_to_id("<s>"), tokenizer.token_to_id("Ġjoy")
    found = make_prototypes(WORDS, model).for_labels(["joy"])[0]
    torch.testing.assert_close(found, (matrix[start] + matrix[joy]) / 2, rtol=1e-6, atol=1e-8)


def test_make_prototypes_sorts_words_and_keeps_the_synonyms_of_them_alone(model: Path) -> None:
    found = make_prototypes([*WORDS, "joy"], model, synonyms=SYNONYMS)
    assert found.words == tuple(sorted(WORDS))
    assert found.embeddings.shape == (6, 96)
    assert found.embeddings.dtype == torch.float32
    assert {word: tuple(rows.shape) for word, rows in found.synonyms.items()} == {
        "joy": (2, 96),
        "sadness": (1, 96),
    }
    alone = make_prototypes(["happiness", "delight"], model)
    assert torch.equal(found.synonyms["joy"], alone.for_labels(["happiness", "delight"]))


def test_make_prototypes_is_identical_when_run_again(model: Path) -> None:
    first = make_prototypes(WORDS, model, grounding_text=SCENE, synonyms=SYNONYMS)
    second = make_prototypes(WORDS[::-1], str(model), grounding_text=SCENE, synonyms=SYNONYMS)
    assert first.digest == second.digest
    assert torch.equal(first.embeddings, second.embeddings)


def test_make_prototypes_changes_its_digest_when_any_part_changes(model: Path) -> None:
    made = [
        make_prototypes(WORDS, model),
        make_prototypes(WORDS[:-1], model),
        make_prototypes(WORDS, model, grounding_text=SCENE),
        make_prototypes(WORDS, model, synonyms=SYNONYMS),
        make_prototypes(WORDS, model, name="another"),
        make_prototypes(WORDS, model).centred(),
    ]
    assert len({prototypes.digest for prototypes in made}) == len(made)


@pytest.mark.parametrize("name", [None, "made on the spot"])
def test_make_prototypes_names_the_model_without_a_path_of_this_machine(model: Path, name: str | None) -> None:
    assert make_prototypes(WORDS, model, name=name).language_model == (name or "language_model")


def test_make_prototypes_refuses_a_grounding_text_when_it_has_no_place_for_the_emotion(model: Path) -> None:
    with pytest.raises(SettingsError, match=r"'a feeling'.*\{emotion\}"):
        make_prototypes(WORDS, model, grounding_text="a feeling")


def test_make_prototypes_refuses_an_empty_list_of_words(model: Path) -> None:
    with pytest.raises(SettingsError, match="no label"):
        make_prototypes([], model)


def copy_with(model: Path, folder: Path, change: Callable[[dict[str, torch.Tensor]], None]) -> Path:
    folder.mkdir(exist_ok=True)
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        (folder / name).write_bytes((model / name).read_bytes())
    state = load_file(model / "model.safetensors")
    change(state)
    save_file(state, folder / "model.safetensors")
    return folder


def test_make_prototypes_names_both_labels_when_they_get_one_direction(model: Path, tmp_path: Path) -> None:
    def make_alike(state: dict[str, torch.Tensor]) -> None:
        tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
        matrix = state["model.embed_tokens.weight"]
        matrix[tokenizer.token_to_id("Ġzest")] = matrix[tokenizer.token_to_id("Ġjoy")]

    folder = copy_with(model, tmp_path, make_alike)
    with pytest.raises(LanguageModelError, match="'joy' and 'zest' get the same prototype"):
        make_prototypes(WORDS, folder)


@pytest.mark.parametrize("value", [0.0, float("nan"), float("inf")])
def test_make_prototypes_refuses_a_matrix_when_it_holds_no_usable_rows(
    model: Path, tmp_path: Path, value: float
) -> None:
    def fill(state: dict[str, torch.Tensor]) -> None:
        state["model.embed_tokens.weight"].fill_(value)

    folder = copy_with(model, tmp_path, fill)
    with pytest.raises(LanguageModelError, match=r"'cheerfulness'.*download"):
        make_prototypes(WORDS, folder)


def test_token_table_shows_what_each_prototype_is_the_mean_of(model: Path) -> None:
    table = token_table(["zest", "joy"], model, grounding_text="{emotion} of")
    assert table["word"].to_list() == ["joy", "zest"]
    assert table["tokens"].to_list() == [["<s>", "Ġjoy", "Ġof"], ["<s>", "Ġzest", "Ġof"]]
    tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
    assert table["ids"].to_list() == [tokenizer.encode(f"{word} of").ids for word in ("joy", "zest")]


def example(words: tuple[str, ...] = ("awe", "fear", "joy")) -> Prototypes:
    generator = torch.Generator().manual_seed(0)
    synonyms = {"joy": torch.randn(2, 4, generator=generator)}
    rows = torch.randn(len(words), 4, generator=generator)
    return with_digest(words, rows, synonyms, "org/name", "{emotion}")


@given(labels=st.lists(st.sampled_from(["awe", "fear", "joy"])))
def test_for_labels_gives_one_row_a_label_in_the_asked_order(labels: list[str]) -> None:
    prototypes = example()
    found = prototypes.for_labels(labels)
    assert found.shape == (len(labels), 4)
    for row, label in zip(found, labels, strict=True):
        assert torch.equal(row, prototypes.embeddings[prototypes.words.index(label)])


def test_for_labels_suggests_the_label_when_it_is_misspelt() -> None:
    with pytest.raises(CheckpointError, match=r"'feer'.*Did you mean 'fear'.*awe, fear, joy"):
        example().for_labels(["joy", "feer"])


def test_centred_subtracts_the_words_mean_from_words_and_synonyms() -> None:
    plain = example()
    centred = plain.centred()
    mean = sum(plain.embeddings[row] for row in range(3)) / 3
    torch.testing.assert_close(centred.embeddings, plain.embeddings - mean)
    torch.testing.assert_close(centred.synonyms["joy"], plain.synonyms["joy"] - mean)
    torch.testing.assert_close(centred.embeddings.mean(dim=0), torch.zeros(4), atol=1e-6, rtol=0)


def test_centred_refuses_a_single_word() -> None:
    with pytest.raises(SettingsError, match="center_prototypes"):
        example(("joy",)).centred()


def test_read_prototypes_gives_what_was_written(store: Store) -> None:
    written = example()
    key = write_prototypes(store, written)
    found = read_prototypes(store)
    for field in dataclasses.fields(Prototypes):
        before, after = getattr(written, field.name), getattr(found, field.name)
        if field.name == "embeddings":
            assert torch.equal(before, after)
        elif field.name == "synonyms":
            assert before.keys() == after.keys()
            assert all(torch.equal(before[word], after[word]) for word in before)
        else:
            assert before == after
    assert key == "models/projector/prototypes.json"


def test_write_prototypes_writes_equal_bytes_when_run_again(store: Store) -> None:
    write_prototypes(store, example())
    before = [store.digest(key) for key in store.keys("models/projector")]
    write_prototypes(store, example())
    assert [store.digest(key) for key in store.keys("models/projector")] == before
    assert len(before) == 2


TENSORS, DESCRIPTION = "models/projector/prototypes.safetensors", "models/projector/prototypes.json"


def killed_between_the_two(store: Store) -> None:
    before = store.read_bytes(DESCRIPTION)
    write_prototypes(store, example().centred())
    store.write_bytes(DESCRIPTION, before)


def one_value_changed(store: Store) -> None:
    content = bytearray(store.read_bytes(TENSORS))
    content[-1] ^= 1
    store.write_bytes(TENSORS, bytes(content))


def described_otherwise(store: Store, key: str, value: Any) -> None:
    store.write_json(DESCRIPTION, store.read_json(DESCRIPTION) | {key: value})


DAMAGES: dict[str, Callable[[Store], None]] = {
    "killed_between_the_two": killed_between_the_two,
    "one_value_changed": one_value_changed,
    "no_description": lambda store: store.remove(DESCRIPTION),
    "no_tensors": lambda store: store.remove(TENSORS),
    "tensors_cut_off": lambda store: store.write_bytes(TENSORS, store.read_bytes(TENSORS)[:-4]),
    "description_cut_off": lambda store: store.write_bytes(DESCRIPTION, b"{"),
    "description_a_list": lambda store: store.write_json(DESCRIPTION, []),
    "other_words": lambda store: described_otherwise(store, "words", ["awe", "fear", "love"]),
    "other_model": lambda store: described_otherwise(store, "language_model", "org/other"),
    "unknown_synonym": lambda store: described_otherwise(store, "synonyms", ["joy", "awe"]),
    "no_digest": lambda store: store.write_json(
        DESCRIPTION, {k: v for k, v in store.read_json(DESCRIPTION).items() if k != "digest"}
    ),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_read_prototypes_refuses_the_pair_when(store: Store, damage: Callable[[Store], None]) -> None:
    write_prototypes(store, example())
    damage(store)
    with pytest.raises(CheckpointError, match=r"prototypes\.json.*projector/prototypes again"):
        read_prototypes(store)


def test_prototypes_are_kept_when_the_store_is_remote() -> None:
    store = Store("memory://test-prototypes")
    write_prototypes(store, example())
    assert read_prototypes(store).digest == example().digest
    assert json.loads(store.read_bytes(DESCRIPTION))["words"] == ["awe", "fear", "joy"]
