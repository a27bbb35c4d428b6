import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer

from tinyemo_data import taxonomy
from tinyemo_data.projector import tiny_language_model
from tinyemo_data.projector.prototypes import make_prototypes
from tinyemo_data.projector.tiny_language_model import FILES, FOLDER, NAME, make
from tinyemo_data.store import Store

LABELS = sorted({label for name in taxonomy.names() for label in taxonomy.get(name).labels})
PLEASANT = ["affection", "amusement", "cheerfulness", "contentment", "excitement", "gratitude", "joy", "love"]
UNPLEASANT = ["anger", "disgust", "fear", "horror", "neglect", "rage", "sadness", "shame", "suffering"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store with the model of seed 0."""
    store = Store(tmp_path_factory.mktemp("made"))
    make(store)
    return store


def digests(store: Store) -> dict[str, str]:
    return {name: store.digest(f"{FOLDER}/{name}") for name in FILES}


def test_make_writes_a_model_that_transformers_loads_with_every_key_in_its_place(made: Store) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = str(made.path(FOLDER))
    loaded: Any = AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True)
    model, report = loaded
    assert {kind: len(found) for kind, found in report.items()} == dict.fromkeys(report, 0)
    assert {"missing_keys", "unexpected_keys", "mismatched_keys"} <= set(report)
    assert type(model).__name__ == "LlamaForCausalLM"
    assert model.lm_head.weight.data_ptr() == model.get_input_embeddings().weight.data_ptr()
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    assert len(tokenizer) == model.config.vocab_size
    assert (tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id) == (1, 2, 0)
    text = "The child watches the sea with joy. ☃"
    assert tokenizer.decode(tokenizer(text).input_ids, skip_special_tokens=True).strip() == text


def test_make_writes_a_model_that_learns_a_sentence_when_trained(made: Store) -> None:
    from transformers import AutoModelForCausalLM

    torch.manual_seed(0)
    folder = made.path(FOLDER)
    model = AutoModelForCausalLM.from_pretrained(str(folder))
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    ids = torch.tensor([tokenizer.encode("The dog waits at the station in sadness.").ids])
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    losses = []
    for _ in range(15):
        loss = model(input_ids=ids, labels=ids).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 4


MAKE = "import sys; from tinyemo_data.projector.tiny_language_model import make\n"
MAKE += "from tinyemo_data.store import Store; make(Store(sys.argv[1]))"


def test_make_gives_equal_bytes_in_another_process_with_one_thread(made: Store, tmp_path: Path) -> None:
    one_thread = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "RAYON_NUM_THREADS": "1"}
    subprocess.run(
        [sys.executable, "-c", MAKE, str(tmp_path)],
        env=dict(os.environ) | one_thread | {"PYTHONHASHSEED": "7"},
        check=True,
        timeout=120,
    )
    assert digests(Store(tmp_path)) == digests(made)


def test_make_leaves_the_files_alone_when_they_are_there(store: Store) -> None:
    fingerprint = make(store)
    before = {name: store.path(f"{FOLDER}/{name}").stat().st_mtime_ns for name in FILES}
    assert make(store) == fingerprint
    assert {name: store.path(f"{FOLDER}/{name}").stat().st_mtime_ns for name in FILES} == before


def test_make_gives_another_model_when_the_seed_differs(made: Store, store: Store) -> None:
    assert make(store, seed=1) != json.loads(made.read_bytes(f"{FOLDER}/config.json"))["tinyemo"]["fingerprint"]
    assert digests(store)["model.safetensors"] != digests(made)["model.safetensors"]
    assert digests(store)["tokenizer.json"] == digests(made)["tokenizer.json"]
    make(store, seed=0)
    assert digests(store) == digests(made)


DAMAGES: dict[str, Callable[[Store], None]] = {
    "weights_lost": lambda store: store.remove(f"{FOLDER}/model.safetensors"),
    "weights_cut_off": lambda store: store.write_bytes(f"{FOLDER}/model.safetensors", b"\x00" * 99),
    "config_lost": lambda store: store.remove(f"{FOLDER}/config.json"),
    "config_cut_off": lambda store: store.write_bytes(f"{FOLDER}/config.json", b"{"),
    "config_a_list": lambda store: store.write_bytes(f"{FOLDER}/config.json", b"[]"),
    "config_of_another_model": lambda store: store.write_json(f"{FOLDER}/config.json", {"tinyemo": {}}),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_make_mends_the_model_when(made: Store, store: Store, damage: Callable[[Store], None]) -> None:
    for name in FILES:
        store.write_bytes(f"{FOLDER}/{name}", made.read_bytes(f"{FOLDER}/{name}"))
    damage(store)
    make(store)
    assert digests(store) == digests(made)


@pytest.mark.parametrize("label", LABELS)
def test_tokenizer_has_one_token_for_each_label_of_every_taxonomy(made: Store, label: str) -> None:
    tokenizer = Tokenizer.from_file(str(made.path(FOLDER) / "tokenizer.json"))
    assert tokenizer.encode(label).tokens == ["<s>", f"Ġ{label}"]
    assert tokenizer.encode(f"full of {label}").tokens[-1] == f"Ġ{label}"


def test_embeddings_lie_nearer_to_their_own_valence_than_to_the_other(made: Store) -> None:
    prototypes = make_prototypes(PLEASANT + UNPLEASANT, str(made.path(FOLDER)), name=NAME).centred()
    pleasant = torch.nn.functional.normalize(prototypes.for_labels(PLEASANT), dim=1)
    unpleasant = torch.nn.functional.normalize(prototypes.for_labels(UNPLEASANT), dim=1)
    across = pleasant @ unpleasant.T
    for own in (pleasant @ pleasant.T, unpleasant @ unpleasant.T):
        others = own[~torch.eye(len(own), dtype=torch.bool)]
        assert others.mean() > across.mean() + 0.1


def test_embeddings_have_the_standard_deviation_of_a_fresh_llama(made: Store) -> None:
    from tinyemo_data.projector.embedding_matrix import read_embedding_rows

    tokenizer = Tokenizer.from_file(str(made.path(FOLDER) / "tokenizer.json"))
    rows = read_embedding_rows(str(made.path(FOLDER)), [tokenizer.encode(label).ids[1] for label in LABELS])
    assert 0.01 < float(rows.std()) < 0.04


def test_local_folder_is_a_copy_when_the_store_is_remote(made: Store) -> None:
    store = Store("memory://test-tiny-language-model")
    make(store)
    assert digests(store) == digests(made)
    with tiny_language_model.local_folder(store) as folder:
        assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)
        found = make_prototypes(["joy", "fear"], folder, name=NAME)
    assert not folder.exists()
    assert found.digest == make_prototypes(["joy", "fear"], str(made.path(FOLDER)), name=NAME).digest
