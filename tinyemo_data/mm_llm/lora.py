"""Low-rank adapters of the language model (Hu et al., arXiv 2106.09685), put in place and merged again by PEFT."""

from typing import Any

from tinyemo_data.errors import MMLLMError

NAME = "stage"


def attach(model: Any, rank: int, alpha: int) -> Any:
    """Put adapters beside every linear layer of the language model; return PEFT's handle on them."""
    from peft import LoraConfig
    from peft.tuners.lora import LoraModel
    from torch import nn

    language_model = model.model.language_model
    targets = sorted({name for name, module in language_model.named_modules() if isinstance(module, nn.Linear)})
    if not targets:
        raise MMLLMError("mm_llm.finetune.lora_rank: the language model has no linear layers for adapters. Set null.")
    config = LoraConfig(r=rank, lora_alpha=alpha, target_modules=targets, lora_dropout=0.0)
    return LoraModel(language_model, config, NAME)


def merge(model: Any, handle: Any) -> None:
    """Add the adapters to the weights beside them and take them away: the model is as plain as before."""
    model.model.language_model = handle.merge_and_unload()
