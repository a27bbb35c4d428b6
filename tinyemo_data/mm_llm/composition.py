"""Composes transformers' Llava from a vision tower, a fresh connector and a language model, weights unchanged.

What is composed is asked at once: its text logits must be those of the language model alone. A family that changes its
logits after the output layer (a soft cap, a scale) fails that, and is refused before anything is trained.
"""

import copy
from dataclasses import dataclass
from typing import Any

import torch

from tinyemo_data.errors import MMLLMError
from tinyemo_data.mm_llm.backbone import Backbone
from tinyemo_data.mm_llm.chat import IMAGE, chat_format
from tinyemo_data.mm_llm.hub import first_line
from tinyemo_data.mm_llm.vision_tower import VisionTower

PADDING = "<pad>"
MULTIPLE = 8  # rows of a resized embedding matrix
SAME = 1e-4  # text logits of the parts and of the whole may differ by so much, over their largest value


@dataclass(frozen=True)
class MMLLM:
    """A multi-modal language model and the processor of its pictures and text."""

    model: Any
    processor: Any
    parts: dict[str, str]  # vision_tower, language_model: their names


def compose(tower: VisionTower, backbone: Backbone, feature_layer: int = -2, seed: int = 0) -> MMLLM:
    """Return the composed model, float32; what is new in it is drawn from `seed`.

    Raises MMLLMError for a layer that the tower does not have and for a backbone that Llava can't hold.
    """
    from transformers import LlavaForConditionalGeneration
    from transformers.initialization import no_init_weights

    tokenizer, strategy = with_image_token(backbone.tokenizer), "default" if tower.has_class_token else "full"
    config = _config(tower, backbone, tokenizer, strategy, feature_layer)
    head = backbone.model.get_output_embeddings()
    kind: Any = LlavaForConditionalGeneration if head.bias is None else _with_head_bias()
    with no_init_weights():
        model = kind(config)
    try:
        model.model.vision_tower.load_state_dict(tower.model.state_dict())
        model.model.language_model.load_state_dict(backbone.model.base_model.state_dict())
        model.lm_head.load_state_dict(head.state_dict())
    except RuntimeError as exc:
        raise MMLLMError(f"{backbone.name} does not fit into Llava: {first_line(exc)}") from exc
    model.tie_weights()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        _draw_connector(model)
        _check_text(model, backbone)
        if len(tokenizer) > config.text_config.vocab_size:
            model.resize_token_embeddings(len(tokenizer), pad_to_multiple_of=MULTIPLE, mean_resizing=False)
    model.generation_config = _generation_config(tokenizer)
    parts = {"vision_tower": tower.name, "language_model": backbone.name}
    return MMLLM(model.eval(), _processor(tower, tokenizer, strategy), parts)


def with_image_token(tokenizer: Any) -> Any:
    """Return a copy of the tokenizer that has an image token and a padding token, for batches padded at the left."""
    from transformers import AddedToken

    own = copy.deepcopy(tokenizer)
    own.add_tokens([AddedToken(IMAGE, special=True, normalized=False)], special_tokens=True)
    if own.pad_token is None:
        own.add_special_tokens({"pad_token": PADDING})
    own.padding_side = own.init_kwargs["padding_side"] = "left"  # the latter is what is saved
    return own


def _config(tower: VisionTower, backbone: Backbone, tokenizer: Any, strategy: str, feature_layer: int) -> Any:
    from transformers import LlavaConfig

    layers = tower.model.config.num_hidden_layers
    if not -layers - 1 <= feature_layer <= layers:
        raise MMLLMError(
            f"mm_llm.feature_layer: {tower.name} has hidden states 0 to {layers} (or -1 to -{layers + 1}), "
            f"found {feature_layer}."
        )
    kind: Any = LlavaConfig if backbone.model.get_output_embeddings().bias is None else _with_head_bias().config_class
    return kind(
        vision_config=_own(tower.model.config), text_config=_own(backbone.model.config),
        image_token_index=tokenizer.convert_tokens_to_ids(IMAGE), image_seq_length=tower.patches,
        vision_feature_layer=feature_layer, vision_feature_select_strategy=strategy,
    )  # fmt: skip


def _own(config: Any) -> Any:
    """Return a copy, for Llava changes its parts' settings, that names no folder of this machine."""
    copied = copy.deepcopy(config)
    copied._name_or_path = ""
    return copied


def _with_head_bias() -> Any:
    from tinyemo_data.mm_llm.head_bias import HeadBiasLlava

    return HeadBiasLlava


def _draw_connector(model: Any) -> None:
    for layer in (model.model.multi_modal_projector.linear_1, model.model.multi_modal_projector.linear_2):
        layer.reset_parameters()  # torch's own, as the original's connector has


@torch.no_grad()
def _check_text(model: Any, backbone: Backbone) -> None:
    ids = torch.arange(8)[None] % backbone.model.config.vocab_size
    alone, whole = backbone.model(ids).logits, model.eval()(ids).logits
    difference = float((alone - whole).abs().max() / alone.abs().max().clamp(min=1e-6))
    if not difference <= SAME:
        raise MMLLMError(
            f"{backbone.name} gives other logits within Llava than alone (by {difference:.2g} of the largest): its "
            "family changes them after the output layer, which Llava does not. Give another language model."
        )


def _generation_config(tokenizer: Any) -> Any:
    import transformers

    kind: Any = transformers.GenerationConfig
    return kind(
        bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id
    )


def _processor(tower: VisionTower, tokenizer: Any, strategy: str) -> Any:
    import transformers

    kind: Any = transformers.LlavaProcessor
    return kind(
        image_processor=tower.processor, tokenizer=tokenizer, patch_size=tower.model.config.patch_size,
        vision_feature_select_strategy=strategy, num_additional_image_tokens=int(tower.has_class_token),
        chat_template=chat_format(tokenizer).template, image_token=IMAGE,
    )  # fmt: skip
