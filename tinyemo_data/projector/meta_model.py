"""Asks a model's class which parameter its input embeddings are, without any weights.

The model is built from its config on the meta device, which takes no memory. Only classes that
`transformers` itself has are built: code that comes with a model is never run.
"""

from typing import Any

import torch

# What building a class from a config of another version or a damaged one may raise.
FAILURES = (ArithmeticError, AttributeError, ImportError, LookupError, RuntimeError, TypeError, ValueError)


def embedding_names(config: dict[str, Any]) -> list[str]:
    """Return the parameters that hold the input embeddings of the model that `config` describes.

    The input embeddings come first; where the model ties its head to them, the head's weight is second.
    Empty where `transformers` has no such model.
    """
    from huggingface_hub.errors import StrictDataclassError

    try:
        return _names_of(_build(config))
    except (*FAILURES, StrictDataclassError):
        return []


def _build(config: dict[str, Any]) -> torch.nn.Module:
    import transformers

    known = {key: value for key, value in config.items() if key not in {"model_type", "auto_map"}}
    described = transformers.AutoConfig.for_model(config["model_type"], **known)
    families: tuple[Any, ...] = (
        transformers.AutoModelForCausalLM,
        transformers.AutoModelForImageTextToText,
        transformers.AutoModel,
    )
    family = next((each for each in families if type(described) in each._model_mapping), families[-1])
    with torch.device("meta"):
        model: torch.nn.Module = family.from_config(described, trust_remote_code=False)
    return model


def _names_of(model: Any) -> list[str]:
    wanted = [model.get_input_embeddings()]
    if getattr(model.config.get_text_config(), "tie_word_embeddings", False):
        wanted.append(model.get_output_embeddings())
    names = [name for module in wanted for name, found in model.named_modules() if found is module]
    return [f"{name}.weight" for name in names]
