"""Which weights a stage trains, and the proof that the others stayed as they were."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors.torch import load_file

from tinyemo_data.errors import MMLLMError

Stage = Literal["pretrain", "finetune"]
CONNECTOR = "model.multi_modal_projector."
TOWER = "model.vision_tower."
LANGUAGE_MODEL = ("model.language_model.", "lm_head.")
PARTS = {"vision_tower": (TOWER,), "connector": (CONNECTOR,), "language_model": LANGUAGE_MODEL}
_KEPT: dict[Stage, tuple[str, ...]] = {"pretrain": (TOWER, *LANGUAGE_MODEL), "finetune": (TOWER,)}


def choose_trained(model: Any, stage: Stage, adapters_only: bool = False) -> list[str]:
    """Set `requires_grad` for a stage and return the names of what it trains.

    pretrain: the connector alone. finetune: the connector and the language model, or its adapters alone.
    """
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(_is_trained(name, stage, adapters_only))
    return [name for name, parameter in model.named_parameters() if parameter.requires_grad]


def _is_trained(name: str, stage: Stage, adapters_only: bool) -> bool:
    if name.startswith(CONNECTOR):
        return True
    if stage == "pretrain" or name.startswith(TOWER):
        return False
    return "lora_" in name or not adapters_only


def trained_weights(model: Any) -> dict[str, torch.Tensor]:
    """Return the weights that a stage trains, by name."""
    return {name: parameter.data for name, parameter in model.named_parameters() if parameter.requires_grad}


def digest_frozen(model: Any) -> str:
    """Return the SHA-256 of all weights and buffers that a stage does not train: names, types, shapes and values."""
    trained = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    return digest_tensors({name: tensor for name, tensor in model.state_dict(keep_vars=True).items()
                           if name not in trained and not tensor.requires_grad})  # fmt: skip


def digest_tensors(tensors: dict[str, torch.Tensor]) -> str:
    """Return the SHA-256 of named tensors."""
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.detach().contiguous().cpu().flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()


def frozen_contents(model: Any, stage: Stage) -> str:
    """Return the SHA-256 of the parameters that a stage must not touch, whatever their names are where they lie."""
    kept = _KEPT[stage]
    return digest_contents(p for name, p in model.named_parameters() if name.startswith(kept))


def stored_contents(folder: Path, stage: Stage) -> str:
    """Return the same of a saved model's weights, read without building it."""
    kept = tuple(place.removeprefix("model.") for place in _KEPT[stage])
    files = sorted(folder.glob("*.safetensors"))
    weights = {name: tensor for path in files for name, tensor in load_file(path).items()}
    return digest_contents(tensor for name, tensor in weights.items() if name.removeprefix("model.").startswith(kept))


def digest_contents(tensors: Iterable[torch.Tensor]) -> str:
    """Return the SHA-256 of tensors: types, shapes and values, in no order."""
    return hashlib.sha256("\n".join(sorted(digest_tensors({"": tensor}) for tensor in tensors)).encode()).hexdigest()


def count_parameters(model: Any) -> dict[str, int]:
    """Return the parameters of each part; those of a tied head are the embeddings'."""
    counts = dict.fromkeys(PARTS, 0)
    for name, parameter in model.named_parameters():
        counts[next(part for part, places in PARTS.items() if name.startswith(places))] += parameter.numel()
    return counts


def check_frozen(model: Any, before: str) -> None:
    """Raise MMLLMError where a frozen weight changed since `before` was taken."""
    if digest_frozen(model) != before:
        raise MMLLMError(
            "Weights that this stage must not touch changed while it trained: what it made is not kept. This is a "
            "fault of the program or of the memory; run the stage again."
        )
