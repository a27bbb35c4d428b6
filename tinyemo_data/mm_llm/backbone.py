"""The backbone: a causal language model from a directory or hub id, with its tokenizer."""

from dataclasses import dataclass
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file

from tinyemo_data.errors import LanguageModelError, MMLLMError
from tinyemo_data.mm_llm.hub import FAILURES, find_part, first_line, load_strictly, where
from tinyemo_data.projector.language_model import ModelFiles, find_files

SETTING = "mm_llm.language_model"
TOKENIZER_SETTING = "mm_llm.language_model_tokenizer"


@dataclass(frozen=True)
class Backbone:
    """A causal language model with its tokenizer."""

    name: str
    model: Any
    tokenizer: Any


def load_backbone(location: str, tokenizer: str | None = None) -> Backbone:
    """Load the language model, float32, and the tokenizer of `tokenizer` or of its own. Raises MMLLMError."""
    from transformers import AutoModelForCausalLM

    files, config = find_part(location, SETTING)
    if config.get("model_type") == "openelm":
        model = _load_openelm(files, config)
    else:
        model = load_strictly(AutoModelForCausalLM, files, SETTING)
    return Backbone(files.name, model, load_tokenizer(tokenizer or location))


def load_tokenizer(location: str) -> Any:
    """Return the fast tokenizer at a directory or hub id. Raises MMLLMError."""
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(**where(find_files(location)))
    except (*FAILURES, LanguageModelError) as exc:
        raise MMLLMError(
            f"{TOKENIZER_SETTING}: {location} has no tokenizer that can be read ({first_line(exc)}). Name a directory "
            "or hub id that has one (OpenELM uses Llama-2's)."
        ) from exc
    if not tokenizer.is_fast:
        raise MMLLMError(f"{TOKENIZER_SETTING}: {location} has no fast tokenizer (tokenizer.json). Convert it first.")
    if tokenizer.eos_token_id is None:
        raise MMLLMError(f"{TOKENIZER_SETTING}: {location} has no end-of-text token, so that no answer could end.")
    return tokenizer


def _load_openelm(files: ModelFiles, config: dict[str, Any]) -> Any:
    from tinyemo_data.mm_llm.openelm import OpenELMForCausalLM, convert_config, convert_weights

    place = f"{SETTING}: {files.location}"
    converted = convert_config(config, place)
    try:
        released = load_file(files.need("model.safetensors", "which holds the weights"))
    except (LanguageModelError, SafetensorError, OSError) as exc:
        raise MMLLMError(f"{place}: {first_line(exc)}") from exc
    weights = convert_weights(released, converted, place)
    model: Any = OpenELMForCausalLM(converted)
    try:
        found = model.load_state_dict({name: tensor.float() for name, tensor in weights.items()}, strict=False)
    except RuntimeError as exc:
        raise MMLLMError(f"{place}: weights of another shape than its config says: {exc}") from exc
    missing = [name for name in found.missing_keys if name != "lm_head.weight"]  # tied
    if missing:
        raise MMLLMError(f"{place} lacks the weight {missing[0]}. Download it again.")
    return model.eval()
