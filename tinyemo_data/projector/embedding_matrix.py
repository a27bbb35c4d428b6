"""Finds and reads the input-embedding matrix of a language model, and nothing else of it.

The tensor is found by its name and by the shape that config.json announces; where that leaves none or
several, the model is built from its config on the meta device (no weights, no code from the hub) and
asked for its input embeddings. Gemma multiplies its embeddings by sqrt(width) when it runs: rows here
are as stored, and a projector that compares directions does not see the difference.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from tinyemo_data.errors import LanguageModelError
from tinyemo_data.projector.checkpoint_tensors import CheckpointTensors
from tinyemo_data.projector.language_model import MEND, find_files, read_config
from tinyemo_data.projector.meta_model import embedding_names

# Last part of the module's name: Llama and most others, GPT-2, OpenELM, GPT-NeoX, BLOOM and Falcon,
# InternLM, Mamba, RWKV, T5.
MODULES = {
    "embed_tokens",
    "wte",
    "token_embeddings",
    "embed_in",
    "word_embeddings",
    "tok_embeddings",
    "embeddings",
    "embedding",
    "emb",
    "shared",
}
HEADS = {"lm_head", "embed_out", "output"}
TEXT_CONFIGS = ("text_config", "llm_config", "language_config", "decoder")
# The first two: models whose embeddings are narrower than their layers (OPT-350m, ALBERT).
WIDTHS = (
    "word_embed_proj_dim",
    "embedding_size",
    "hidden_size",
    "model_dim",
    "n_embd",
    "d_model",
    "n_embed",
    "emb_dim",
    "dim",
)
VOCABULARIES = ("vocab_size", "padded_vocab_size", "n_vocab")


@dataclass(frozen=True)
class AnnouncedShape:
    """What config.json says of the embedding matrix; None where it says nothing."""

    vocabulary: int | None
    width: int | None

    def fits(self, shape: Sequence[int]) -> bool:
        """Tell whether a tensor can be the matrix; more rows than the vocabulary are padding."""
        if len(shape) != 2 or shape[0] < (self.vocabulary or 1):
            return False
        return self.width is None or shape[1] == self.width

    def __str__(self) -> str:
        return f"({self.vocabulary or 'any'} or more, {self.width or 'any'})"


def read_embedding_rows(location: str | Path, token_ids: Sequence[int]) -> torch.Tensor:
    """Return the embedding rows of `token_ids`, (n, h) float32; only those rows are read.

    Raises LanguageModelError where the matrix can't be found, or has no such row.
    """
    tensors, name = _find_matrix(location)
    count = tensors.shape(name)[0]
    beyond = [token for token in token_ids if not 0 <= token < count]
    if beyond:
        raise LanguageModelError(
            f"Token {beyond[0]} has no row in {name} of {tensors.files.location}, which has {count}: "
            "the tokenizer is another model's. Set TINYEMO_LANGUAGE_MODEL_TOKENIZER to this model's own."
        )
    distinct = sorted(set(token_ids))
    if not distinct:
        return torch.empty(0, tensors.shape(name)[1])
    rows = tensors.rows(name, distinct).to(torch.float32)
    place = {token: row for row, token in enumerate(distinct)}
    return rows[[place[token] for token in token_ids]]


def read_embedding_matrix(location: str | Path) -> torch.Tensor:
    """Return the whole embedding matrix, (V, h) in its stored dtype, memory-mapped.

    Raises LanguageModelError where it can't be found.
    """
    tensors, name = _find_matrix(location)
    return tensors.matrix(name)


def find_embedding_name(location: str | Path) -> str:
    """Return the name of the input-embedding tensor. Raises LanguageModelError where it can't be told."""
    return _find_matrix(location)[1]


def announced_shape(config: dict[str, Any]) -> AnnouncedShape:
    """Return the embedding matrix's shape as a config.json announces it, also a multimodal model's."""
    layers = [*(config[key] for key in TEXT_CONFIGS if isinstance(config.get(key), dict)), config]
    return AnnouncedShape(_first_number(layers, VOCABULARIES), _first_number(layers, WIDTHS))


def _first_number(layers: list[dict[str, Any]], keys: tuple[str, ...]) -> int | None:
    for layer in layers:
        for key in keys:
            value = layer.get(key)
            if isinstance(value, int) and not isinstance(value, bool) and value > 0:
                return value
    return None


def _find_matrix(location: str | Path) -> tuple[CheckpointTensors, str]:
    files = find_files(location)
    config = read_config(files)
    tensors = CheckpointTensors(files)
    name = _find_name(tensors, config)
    if not _is_floating(tensors, name):
        raise LanguageModelError(
            f"The embedding matrix {name} of {files.location} is quantised. Give the unquantised weights."
        )
    return tensors, name


def _is_floating(tensors: CheckpointTensors, name: str) -> bool:
    return tensors.rows(name, [0]).is_floating_point()


def _find_name(tensors: CheckpointTensors, config: dict[str, Any]) -> str:
    shape = announced_shape(config)
    fitting = _fitting(tensors, shape, MODULES)
    if len(fitting) == 1:
        return fitting[0]
    if not fitting and _is_tied(config):
        heads = _fitting(tensors, shape, HEADS)
        if len(heads) == 1:
            return heads[0]
    asked = embedding_names(config)
    for name in (stored for wanted in asked for stored in _stored_as(tensors, wanted)):
        if len(tensors.shape(name)) == 2:
            return name
    raise LanguageModelError(_not_told_apart(tensors, shape, fitting, asked))


def _fitting(tensors: CheckpointTensors, shape: AnnouncedShape, modules: set[str]) -> list[str]:
    named = [name for name in tensors.shard_of if _module(name) in modules]
    return [name for name in named if shape.fits(tensors.shape(name))]


def _module(name: str) -> str:
    """Return the last part of the module's name: `wte` of transformer.wte.weight."""
    path, _, kind = name.rpartition(".")
    return path.rpartition(".")[2] if kind == "weight" else ""


def _is_tied(config: dict[str, Any]) -> bool:
    nested = (config.get(key) for key in TEXT_CONFIGS)
    layers = [config, *(layer for layer in nested if isinstance(layer, dict))]
    # OpenELM's word for it is share_input_output_layers
    return any(layer.get("tie_word_embeddings") or layer.get("share_input_output_layers") for layer in layers)


def _stored_as(tensors: CheckpointTensors, wanted: str) -> list[str]:
    """Return the stored tensor that a model's parameter is: under its name, or without or with a prefix."""
    if wanted in tensors.shard_of:
        return [wanted]
    ends = [n for n in tensors.shard_of if wanted.endswith(f".{n}") or n.endswith(f".{wanted}")]
    return ends if len(ends) == 1 else []


def _not_told_apart(tensors: CheckpointTensors, shape: AnnouncedShape, fitting: list[str], asked: list[str]) -> str:
    seen = [name for name, found in tensors.shapes_at_hand().items() if shape.fits(found)]
    count = "several tensors" if fitting else "no tensor"
    return (
        f"{tensors.files.location} has {count} that could be its embedding matrix: looked for a shape "
        f"of {shape} under *.{'.weight, *.'.join(sorted(MODULES))}.weight"
        + (f", and for {', '.join(asked)} of its model class" if asked else ", and transformers can't build its class")
        + f". Tensors of a fitting shape: {', '.join(sorted(seen)[:12]) or 'none'}. Check vocab_size and the "
        f"hidden size in its config.json. {MEND}"
    )
