import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from tinyemo_data.errors import LanguageModelError
from tinyemo_data.projector.embedding_matrix import (
    announced_shape,
    find_embedding_name,
    read_embedding_matrix,
    read_embedding_rows,
)

State = dict[str, torch.Tensor]
CONFIG: dict[str, Any] = {
    "model_type": "llama",
    "vocab_size": 12,
    "hidden_size": 4,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
}
MATRIX = torch.randn(12, 4, generator=torch.Generator().manual_seed(0))
LAYER = "model.layers.0.mlp.down_proj.weight"


def as_safetensors(folder: Path, state: State) -> None:
    save_file(state, folder / "model.safetensors")


def as_bin(folder: Path, state: State) -> None:
    torch.save(state, folder / "pytorch_model.bin")


def as_bin_of_old_torch(folder: Path, state: State) -> None:
    torch.save(state, folder / "pytorch_model.bin", _use_new_zipfile_serialization=False)


def as_safetensors_shards(folder: Path, state: State) -> None:
    """Write one shard a tensor, and fill those without an embedding with bytes that can't be read."""
    weight_map = {}
    for number, (name, tensor) in enumerate(state.items()):
        weight_map[name] = f"model-{number:05}.safetensors"
        save_file({name: tensor}, folder / weight_map[name])
    (folder / weight_map[LAYER]).write_bytes(b"never opened")
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))


def as_bin_shards(folder: Path, state: State) -> None:
    weight_map = {}
    for number, (name, tensor) in enumerate(state.items()):
        weight_map[name] = f"pytorch_model-{number:05}.bin"
        torch.save({name: tensor}, folder / weight_map[name])
    (folder / weight_map[LAYER]).write_bytes(b"never opened")
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps({"weight_map": weight_map}))


WRITERS = [as_safetensors, as_safetensors_shards, as_bin, as_bin_of_old_torch, as_bin_shards]


def write_model(
    folder: Path, config: dict[str, Any], state: State, write: Callable[[Path, State], None] = as_safetensors
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    write(folder, state)
    return folder


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16], ids=str)
@pytest.mark.parametrize("write", WRITERS)
def test_read_embedding_rows_gives_the_stored_rows_when_stored_as(
    tmp_path: Path, write: Callable[[Path, State], None], dtype: torch.dtype
) -> None:
    state = {"model.embed_tokens.weight": MATRIX.to(dtype), LAYER: torch.zeros(4, 8)}
    folder = write_model(tmp_path, CONFIG, state, write)
    rows = read_embedding_rows(folder, [11, 0, 0, 5])
    assert rows.dtype == torch.float32
    assert torch.equal(rows, MATRIX.to(dtype).float()[[11, 0, 0, 5]])
    whole = read_embedding_matrix(folder)
    assert whole.dtype == dtype
    assert torch.equal(whole, MATRIX.to(dtype))


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ids=st.lists(st.integers(0, 11), max_size=30))
def test_read_embedding_rows_equals_indexing_the_whole_matrix(tmp_path: Path, ids: list[int]) -> None:
    folder = tmp_path / "model"
    if not folder.exists():
        write_model(folder, CONFIG, {"model.embed_tokens.weight": MATRIX})
    assert torch.equal(read_embedding_rows(folder, ids), read_embedding_matrix(folder)[ids])


CLASSES = [
    ("llama", {"hidden_size": 8, "num_attention_heads": 2, "num_key_value_heads": 1}),
    ("gpt2", {"n_embd": 8, "n_head": 2, "n_layer": 1, "n_positions": 50}),
    ("gpt_neox", {"hidden_size": 8, "num_attention_heads": 2}),
    ("gemma", {"hidden_size": 8, "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 4}),
    ("mamba", {"hidden_size": 8, "state_size": 2}),
    ("opt", {"hidden_size": 8, "word_embed_proj_dim": 6, "ffn_dim": 8, "num_attention_heads": 2}),
    ("bloom", {"hidden_size": 8, "n_head": 2, "n_layer": 1}),
    ("phi", {"hidden_size": 8, "num_attention_heads": 2}),
    ("ctrl", {"n_embd": 8, "n_head": 2, "n_layer": 1, "dff": 8}),
]


@pytest.mark.parametrize(("model_type", "sizes"), CLASSES, ids=[name for name, _ in CLASSES])
def test_read_embedding_matrix_equals_get_input_embeddings_of_transformers(
    tmp_path: Path, model_type: str, sizes: dict[str, int]
) -> None:
    import transformers

    small = {"vocab_size": 50, "num_hidden_layers": 1, "intermediate_size": 8, "pad_token_id": 0}
    config = transformers.AutoConfig.for_model(model_type, **(small | sizes))
    torch.manual_seed(0)
    family: Any = transformers.AutoModelForCausalLM
    model = family.from_config(config)
    model.save_pretrained(tmp_path)
    expected = model.get_input_embeddings().weight.detach()
    assert torch.equal(read_embedding_matrix(tmp_path), expected)


NAMES = [
    ("openelm", {"model_type": "openelm", "model_dim": 4}, "transformer.token_embeddings.weight"),
    ("gpt2_without_prefix", {"model_type": "gpt2", "n_embd": 4}, "wte.weight"),
    ("llama_without_prefix", {"model_type": "llama", "hidden_size": 4}, "embed_tokens.weight"),
    ("falcon", {"model_type": "falcon", "hidden_size": 4}, "transformer.word_embeddings.weight"),
    ("mamba_without_prefix", {"model_type": "mamba", "d_model": 4}, "embeddings.weight"),
    ("internlm", {"model_type": "internlm2", "hidden_size": 4}, "model.tok_embeddings.weight"),
]


@pytest.mark.parametrize(
    ("config", "name"), [(config, name) for _, config, name in NAMES], ids=[name for name, _, _ in NAMES]
)
def test_find_embedding_name_knows_the_name_among_others_of_its_shape(
    tmp_path: Path, config: dict[str, Any], name: str
) -> None:
    others = dict.fromkeys(["transformer.wpe.weight", "lm_head.weight"], torch.zeros(12, 4))
    state = {key: tensor.clone() for key, tensor in others.items()} | {name: MATRIX}
    folder = write_model(tmp_path, {**config, "vocab_size": 12}, state)
    assert find_embedding_name(folder) == name


@pytest.mark.parametrize("key", ["text_config", "llm_config", "language_config"])
def test_find_embedding_name_reads_the_nested_config_when_the_model_is_multimodal(tmp_path: Path, key: str) -> None:
    config = {"model_type": "llava", "hidden_size": 7, key: {"vocab_size": 12, "hidden_size": 4}}
    state = {
        "language_model.model.embed_tokens.weight": MATRIX,
        "vision_tower.embeddings.weight": torch.zeros(12, 7),
    }
    assert find_embedding_name(write_model(tmp_path, config, state)) == ("language_model.model.embed_tokens.weight")


def test_find_embedding_name_takes_the_padded_matrix_when_it_has_more_rows_than_the_vocabulary(
    tmp_path: Path,
) -> None:
    padded = torch.cat([MATRIX, torch.zeros(4, 4)])
    folder = write_model(tmp_path, CONFIG, {"model.embed_tokens.weight": padded})
    assert read_embedding_matrix(folder).shape == (16, 4)


@pytest.mark.parametrize("key", ["tie_word_embeddings", "share_input_output_layers"])
def test_find_embedding_name_is_the_head_when_a_tied_model_stores_only_it(tmp_path: Path, key: str) -> None:
    state = {"lm_head.weight": MATRIX, LAYER: torch.zeros(12, 4)}
    folder = write_model(tmp_path, {**CONFIG, key: True}, state)
    assert find_embedding_name(folder) == "lm_head.weight"


def test_find_embedding_name_refuses_the_head_when_the_model_is_not_tied(tmp_path: Path) -> None:
    folder = write_model(
        tmp_path, {**CONFIG, "tie_word_embeddings": False}, {"lm_head.weight": MATRIX, LAYER: torch.zeros(4)}
    )
    with pytest.raises(LanguageModelError, match=r"Tensors of a fitting shape: lm_head\.weight"):
        find_embedding_name(folder)


def test_find_embedding_name_asks_the_model_class_when_two_names_fit(tmp_path: Path) -> None:
    state = {"model.embed_tokens.weight": MATRIX, "draft.embed_tokens.weight": torch.zeros(12, 4)}
    assert find_embedding_name(write_model(tmp_path, CONFIG, state)) == "model.embed_tokens.weight"


def test_find_embedding_name_asks_the_model_class_when_the_config_announces_another_shape(
    tmp_path: Path,
) -> None:
    state = {"model.embed_tokens.weight": MATRIX, LAYER: torch.zeros(4, 4)}
    folder = write_model(tmp_path, {**CONFIG, "embedding_size": 99}, state)
    assert find_embedding_name(folder) == "model.embed_tokens.weight"


def test_find_embedding_name_says_what_it_saw_when_no_tensor_fits(tmp_path: Path) -> None:
    config = {"model_type": "nobody", "vocab_size": 12, "hidden_size": 4}
    folder = write_model(tmp_path, config, {"strange.weight": MATRIX, "embed_tokens.weight": torch.zeros(3, 4)})
    with pytest.raises(LanguageModelError) as caught:
        find_embedding_name(folder)
    for part in (str(tmp_path), "(12 or more, 4)", "*.wte.weight", "strange.weight", "config.json"):
        assert part in str(caught.value)


def test_find_embedding_name_runs_no_code_when_the_model_brings_some(tmp_path: Path) -> None:
    trace = tmp_path / "ran"
    config = {
        **CONFIG,
        "model_type": "own",
        "auto_map": {"AutoConfig": "own.C", "AutoModelForCausalLM": "own.M"},
    }
    (tmp_path / "own.py").write_text(f"open({str(trace)!r}, 'w').close()")
    with pytest.raises(LanguageModelError):
        find_embedding_name(write_model(tmp_path, config, {"strange.weight": MATRIX}))
    assert not trace.exists()


@pytest.mark.parametrize("token", [-1, 12, 50_000])
def test_read_embedding_rows_blames_the_tokenizer_when_a_token_has_no_row(tmp_path: Path, token: int) -> None:
    folder = write_model(tmp_path, CONFIG, {"model.embed_tokens.weight": MATRIX})
    with pytest.raises(LanguageModelError, match=rf"Token {token} .* has 12.*TINYEMO_LANGUAGE_MODEL_TOKENIZER"):
        read_embedding_rows(folder, [1, token])


def test_read_embedding_rows_refuses_the_matrix_when_it_is_quantised(tmp_path: Path) -> None:
    state = {"model.embed_tokens.weight": torch.zeros(12, 4, dtype=torch.int8)}
    with pytest.raises(LanguageModelError, match="quantised"):
        read_embedding_rows(write_model(tmp_path, CONFIG, state), [0])


def cut_short(folder: Path) -> None:
    save_file({"model.embed_tokens.weight": MATRIX}, folder / "model.safetensors")
    content = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(content[:-8])


def with_endless_header(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", 2**62) + b"{}")


def cut_short_bin(folder: Path) -> None:
    as_bin(folder, {"model.embed_tokens.weight": MATRIX})
    content = (folder / "pytorch_model.bin").read_bytes()
    (folder / "pytorch_model.bin").write_bytes(content[: len(content) // 2])


def bin_of_a_list(folder: Path) -> None:
    torch.save([MATRIX], folder / "pytorch_model.bin")


def without_its_shard(folder: Path) -> None:
    index = {"weight_map": {"model.embed_tokens.weight": "model-1.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def with_another_shard(folder: Path) -> None:
    without_its_shard(folder)
    save_file({"other": MATRIX}, folder / "model-1.safetensors")


def with_a_shard_outside(folder: Path) -> None:
    index = {"weight_map": {"model.embed_tokens.weight": "../model-1.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def without_weight_map(folder: Path) -> None:
    (folder / "model.safetensors.index.json").write_text("{}")


def without_weights(folder: Path) -> None:
    (folder / "weights.gguf").write_bytes(b"GGUF")


DAMAGES = [
    (cut_short, "get it again"),
    (with_endless_header, "get it again"),
    (cut_short_bin, "get it again"),
    (bin_of_a_list, "expected a state dict"),
    (without_its_shard, "which is not there"),
    (with_another_shard, "has no such tensor"),
    (with_a_shard_outside, "outside itself"),
    (without_weight_map, "has no weight_map"),
    (without_weights, "GGUF"),
]


@pytest.mark.parametrize(("damage", "expected"), DAMAGES, ids=[damage.__name__ for damage, _ in DAMAGES])
def test_read_embedding_rows_names_the_file_when_the_checkpoint_is(
    tmp_path: Path, damage: Callable[[Path], None], expected: str
) -> None:
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    damage(tmp_path)
    with pytest.raises(LanguageModelError, match=expected) as caught:
        read_embedding_rows(tmp_path, [0])
    assert str(tmp_path) in str(caught.value)


class Payload:
    """Creates a file when unpickled the unsafe way."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str, str]]:
        return open, (str(self.path), "w")


@pytest.mark.parametrize("write", [as_bin, as_bin_of_old_torch])
def test_read_embedding_rows_runs_no_code_when_a_bin_brings_some(
    tmp_path: Path, write: Callable[[Path, Any], None]
) -> None:
    trace = tmp_path / "ran"
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    write(tmp_path, {"model.embed_tokens.weight": MATRIX, "code": Payload(trace)})
    with pytest.raises(LanguageModelError, match=r"pytorch_model\.bin"):
        read_embedding_rows(tmp_path, [0])
    assert not trace.exists()


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"vocab_size": 5, "hidden_size": 3}, (5, 3)),
        ({"vocab_size": 5, "hidden_size": 3, "word_embed_proj_dim": 2}, (5, 2)),
        ({"vocab_size": 9, "hidden_size": 9, "text_config": {"vocab_size": 5, "n_embd": 3}}, (5, 3)),
        ({"vocab_size": 9, "hidden_size": 9, "text_config": {"vocab_size": 5}}, (5, 9)),
        ({"vocab_size": True, "hidden_size": "wide"}, (None, None)),
        ({}, (None, None)),
    ],
)
def test_announced_shape_is_what_the_config_says_of_the_text_model(
    config: dict[str, Any], expected: tuple[int | None, int | None]
) -> None:
    found = announced_shape(config)
    assert (found.vocabulary, found.width) == expected
