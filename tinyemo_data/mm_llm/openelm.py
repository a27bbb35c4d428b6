"""OpenELM (Mehta et al., arXiv 2404.14619), which `transformers` does not have: Qwen3 with sizes of its own per layer.

Apple's released code does not run under transformers 5. Its layers are Qwen3's, but for the numbers of heads and the
width of the feed-forward part, which grow from layer to layer; the output layer is the embedding matrix. Weights keep
their values: the released checkpoint's fused tensors are cut into Qwen3's.
"""

import copy
from typing import Any

import torch
from torch import Tensor
from transformers import AutoConfig, AutoModel, AutoModelForCausalLM, Qwen3Config, Qwen3ForCausalLM, Qwen3Model
from transformers.models.qwen3.modeling_qwen3 import Qwen3Attention, Qwen3MLP

from tinyemo_data.errors import MMLLMError

# What the port takes for granted, as all four released sizes have it.
SHARED = {
    "ffn_with_glu": True,
    "normalize_qk_projections": True,
    "share_input_output_layers": True,
    "activation_fn_name": "swish",
    "normalization_layer_name": "rms_norm",
}
EPSILON = 1e-6  # OpenELMRMSNorm's default; its config does not name it
RENAMED = {
    "transformer.token_embeddings.weight": "model.embed_tokens.weight",
    "transformer.norm.weight": "model.norm.weight",
}
RENAMED_IN_LAYER = {
    "attn.out_proj.weight": "self_attn.o_proj.weight",
    "attn.q_norm.weight": "self_attn.q_norm.weight",
    "attn.k_norm.weight": "self_attn.k_norm.weight",
    "ffn.proj_2.weight": "mlp.down_proj.weight",
    "attn_norm.weight": "input_layernorm.weight",
    "ffn_norm.weight": "post_attention_layernorm.weight",
}


class OpenELMConfig(Qwen3Config):  # type: ignore[no-untyped-call]
    """Qwen3's settings, and each layer's sizes."""

    model_type = "tinyemo_openelm"

    heads_by_layer: list[int] | None = None
    key_value_heads_by_layer: list[int] | None = None
    intermediate_sizes: list[int] | None = None

    def of_layer(self, index: int) -> Qwen3Config:
        """Return the settings that layer `index` is built by."""
        if not (self.heads_by_layer and self.key_value_heads_by_layer and self.intermediate_sizes):
            raise MMLLMError("An OpenELM config lacks its layers' sizes. Make it by `convert_config`.")
        layer = copy.copy(self)
        layer.num_attention_heads = self.heads_by_layer[index]
        layer.num_key_value_heads = self.key_value_heads_by_layer[index]
        layer.intermediate_size = self.intermediate_sizes[index]
        return layer


class OpenELMModel(Qwen3Model):  # type: ignore[no-untyped-call]
    """Qwen3's decoder with layers of growing size."""

    config_class = OpenELMConfig

    def __init__(self, config: OpenELMConfig) -> None:
        """Build the decoder, then give each layer its own attention and feed-forward part."""
        super().__init__(config)
        for index, layer in enumerate(self.layers):
            sizes = config.of_layer(index)
            layer.self_attn = Qwen3Attention(sizes, index)
            layer.mlp = Qwen3MLP(sizes)  # type: ignore[no-untyped-call]
            layer.self_attn.config = layer.mlp.config = config  # so that a change of the attention reaches it
        self.post_init()  # type: ignore[no-untyped-call]


class OpenELMForCausalLM(Qwen3ForCausalLM):  # type: ignore[no-untyped-call]
    """OpenELM with its head, which shares the embedding matrix."""

    config_class = OpenELMConfig

    def __init__(self, config: OpenELMConfig) -> None:
        """Build the decoder and its head."""
        super().__init__(config)
        self.model = OpenELMModel(config)
        self.post_init()  # type: ignore[no-untyped-call]


AutoConfig.register(OpenELMConfig.model_type, OpenELMConfig)
AutoModel.register(OpenELMConfig, OpenELMModel)
AutoModelForCausalLM.register(OpenELMConfig, OpenELMForCausalLM)


def convert_config(released: dict[str, Any], where: str) -> OpenELMConfig:
    """Return the port's settings of a released config.json. Raises MMLLMError where the port has no such layers."""
    for key, expected in SHARED.items():
        if released.get(key, expected) != expected:
            raise MMLLMError(f"{where}: {key} is {released[key]!r}; the OpenELM port knows only {expected!r}.")
    heads, key_values, factors = (released.get(k) for k in ("num_query_heads", "num_kv_heads", "ffn_multipliers"))
    layers: Any = released.get("num_transformer_layers")
    lengths = [len(sizes) if isinstance(sizes, list) else None for sizes in (heads, key_values, factors)]
    if lengths != [layers] * 3 or heads is None or key_values is None or factors is None:
        raise MMLLMError(
            f"{where}: num_query_heads, num_kv_heads and ffn_multipliers must name a size for each of the {layers} "
            f"layers; found {lengths} sizes. Download the config.json of apple/OpenELM again."
        )
    width, divisor = released["model_dim"], released.get("ffn_dim_divisor", 256)
    return OpenELMConfig(
        vocab_size=released["vocab_size"], hidden_size=width, num_hidden_layers=layers, head_dim=released["head_dim"],
        num_attention_heads=max(heads), num_key_value_heads=max(key_values),
        max_position_embeddings=released["max_context_length"], rms_norm_eps=EPSILON, tie_word_embeddings=True,
        rope_parameters={"rope_type": "default", "rope_theta": float(released.get("rope_freq_constant", 10_000))},
        bos_token_id=released.get("bos_token_id", 1), eos_token_id=released.get("eos_token_id", 2),
        heads_by_layer=heads, key_value_heads_by_layer=key_values,
        intermediate_sizes=[make_divisible(factor * width, divisor) for factor in factors],
    )  # fmt: skip


def make_divisible(value: float, divisor: int) -> int:
    """Round to a multiple of `divisor`, never down by more than a tenth (as MobileNet and OpenELM do)."""
    rounded = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * value else rounded


def convert_weights(released: dict[str, Tensor], config: OpenELMConfig, where: str) -> dict[str, Tensor]:
    """Return a released state dict under the port's names. Raises MMLLMError for a tensor that has no place."""
    converted: dict[str, Tensor] = {}
    for name, tensor in released.items():
        if name in RENAMED:
            converted[RENAMED[name]] = tensor
        elif name.startswith("transformer.layers."):
            index, _, rest = name.removeprefix("transformer.layers.").partition(".")
            parts = _parts_of_layer(rest, tensor, config, int(index))
            converted |= {f"model.layers.{index}.{key}": part for key, part in parts.items()}
        else:
            raise MMLLMError(f"{where} has a tensor '{name}', which no released OpenELM has. Give another checkpoint.")
    return converted


def _parts_of_layer(name: str, tensor: Tensor, config: OpenELMConfig, index: int) -> dict[str, Tensor]:
    sizes = config.of_layer(index)
    if name == "attn.qkv_proj.weight":
        key_values = int(sizes.num_key_value_heads or 0) * config.head_dim
        parts = torch.split(tensor, [sizes.num_attention_heads * config.head_dim, key_values, key_values])
        return {f"self_attn.{key}_proj.weight": part for key, part in zip("qkv", parts, strict=True)}
    if name == "ffn.proj_1.weight":
        gate, up = tensor.chunk(2)
        return {"mlp.gate_proj.weight": gate, "mlp.up_proj.weight": up}
    if name not in RENAMED_IN_LAYER:
        raise MMLLMError(f"A layer of the OpenELM checkpoint has a tensor '{name}', which no released one has.")
    return {RENAMED_IN_LAYER[name]: tensor}
