"""The demo's picture encoder as transformers' CLIP vision tower: the same weights see for projector and MM-LLM.

Key map of open_clip's VisionTransformer (open_clip/transformer.py) to CLIPVisionModel; open_clip holds query, key and
value in one matrix, in this order.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

NAME = "a small CLIP tower taught on drawn pictures"
WEIGHTS = ("tinyemo-clip", "drawn")  # architecture and tag
ONCE = {
    "class_embedding": "embeddings.class_embedding",
    "positional_embedding": "embeddings.position_embedding.weight",
    "conv1.weight": "embeddings.patch_embedding.weight",
    "ln_pre.": "pre_layrnorm.",
    "ln_post.": "post_layernorm.",
}
IN_LAYERS = {
    "attn.out_proj.": "self_attn.out_proj.",
    "ln_1.": "layer_norm1.",
    "ln_2.": "layer_norm2.",
    "mlp.c_fc.": "mlp.fc1.",
    "mlp.c_proj.": "mlp.fc2.",
}
# What is written to the residual stream is scaled so that patch tokens have an RMS of about 1 (5.9 before), as a fresh
# connector expects; each layer norms what it reads, so that pooled states stay as they are.
SCALE = 1 / 6
WRITERS = ("pre_layrnorm.", ".self_attn.out_proj.", ".mlp.fc2.")


def make(folder: Path) -> None:
    """Write the tower and its processor to `folder` as `from_pretrained` reads them, float32."""
    from safetensors.torch import load_file
    from transformers import CLIPVisionConfig, CLIPVisionModel

    from tinyemo_data.features.encoder import SHIPPED, build_untrained

    whole, preprocessing = build_untrained(WEIGHTS[0])
    visual = whole.visual
    width, layers = visual.conv1.out_channels, visual.transformer.resblocks
    tower = CLIPVisionModel(
        CLIPVisionConfig(
            hidden_size=width, intermediate_size=layers[0].mlp.c_fc.out_features, num_hidden_layers=len(layers),
            num_attention_heads=layers[0].attn.num_heads, image_size=preprocessing.height,
            patch_size=visual.conv1.kernel_size[0], hidden_act="quick_gelu",
            layer_norm_eps=visual.ln_post.eps * SCALE**2,
        )
    )  # fmt: skip
    tower.load_state_dict(dict(convert(load_file(SHIPPED[WEIGHTS]))))
    tower.save_pretrained(folder)
    _processor(preprocessing.height, preprocessing.mean, preprocessing.std).save_pretrained(folder)


def convert(weights: dict[str, torch.Tensor]) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield the vision tower's tensors of an open_clip checkpoint under transformers' names, scaled, float32."""
    for name, tensor in weights.items():
        scope, _, rest = name.partition(".")
        if scope != "visual" or rest == "proj":  # `proj` belongs to what CLIP compares with texts
            continue
        for new, part in _renamed(rest, tensor):
            yield new, part.float() * (SCALE if any(writer in new for writer in WRITERS) else 1)


def _renamed(name: str, tensor: torch.Tensor) -> Iterator[tuple[str, torch.Tensor]]:
    if not name.startswith("transformer.resblocks."):
        old = next(old for old in ONCE if name.startswith(old))
        yield name.replace(old, ONCE[old]), tensor
        return
    layer, rest = name.removeprefix("transformer.resblocks.").split(".", 1)
    place = f"encoder.layers.{layer}."
    if rest.startswith("attn.in_proj_"):
        for which, part in zip("qkv", tensor.chunk(3), strict=True):
            yield f"{place}self_attn.{which}_proj.{rest.removeprefix('attn.in_proj_')}", part.contiguous()
        return
    old = next(old for old in IN_LAYERS if rest.startswith(old))
    yield place + rest.replace(old, IN_LAYERS[old]), tensor


def _processor(size: int, mean: tuple[float, ...], std: tuple[float, ...]) -> Any:
    import transformers

    kind: Any = transformers.CLIPImageProcessor
    return kind(
        size={"shortest_edge": size}, crop_size={"height": size, "width": size}, image_mean=list(mean),
        image_std=list(std),
    )  # fmt: skip
