"""The OpenELM port gives the logits of Apple's code, from a released checkpoint's names and shapes."""

from pathlib import Path
from typing import Any

import orjson
import pytest
import torch
import transformers
from safetensors.torch import save_file

from tests.mm_llm.openelm_reference import OpenELM
from tinyemo_data.errors import MMLLMError
from tinyemo_data.mm_llm.backbone import load_backbone
from tinyemo_data.mm_llm.composition import compose
from tinyemo_data.mm_llm.openelm import make_divisible
from tinyemo_data.mm_llm.vision_tower import load_vision_tower

hf: Any = transformers  # its annotations are partial

# The keys of apple/OpenELM-270M's config.json, in small: three layers of three sizes.
CONFIG: dict[str, Any] = {
    "model_type": "openelm", "activation_fn_name": "swish", "ffn_dim_divisor": 16, "ffn_multipliers": [0.5, 2.25, 4.0],
    "ffn_with_glu": True, "head_dim": 8, "max_context_length": 256, "model_dim": 32, "normalize_qk_projections": True,
    "normalization_layer_name": "rms_norm", "num_kv_heads": [1, 2, 2], "num_query_heads": [2, 4, 6],
    "num_transformer_layers": 3, "rope_freq_constant": 10000, "rope_max_length": 512,
    "share_input_output_layers": True, "vocab_size": 300, "bos_token_id": 1, "eos_token_id": 2,
}  # fmt: skip


def released(folder: Path, config: dict[str, Any] = CONFIG, tensors: dict[str, Any] | None = None) -> OpenELM:
    """Write a checkpoint as Apple released them; a tensor of None is left out."""
    torch.manual_seed(5)
    model = OpenELM(CONFIG)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 0.2)
    found = {**model.state_dict(), **(tensors or {})}
    save_file({name: tensor for name, tensor in found.items() if tensor is not None}, folder / "model.safetensors")
    (folder / "config.json").write_bytes(orjson.dumps(config))
    return model.eval()


@torch.no_grad()
def test_port_gives_the_reference_s_logits(tmp_path: Path, backbone_folder: Path) -> None:
    reference = released(tmp_path)
    port = load_backbone(str(tmp_path), str(backbone_folder)).model
    ids = torch.randint(0, 300, (3, 50), generator=torch.Generator().manual_seed(0))
    expected = reference(ids)
    assert float(expected.std()) > 0.1
    torch.testing.assert_close(port(ids).logits, expected, rtol=1e-5, atol=1e-5)


@torch.no_grad()
def test_port_composes_saves_and_generates(tmp_path: Path, backbone_folder: Path, tower_folder: Path) -> None:
    released(tmp_path)
    whole = compose(load_vision_tower(str(tower_folder)), load_backbone(str(tmp_path), str(backbone_folder)))
    whole.model.save_pretrained(tmp_path / "saved")
    again = hf.AutoModelForImageTextToText.from_pretrained(tmp_path / "saved").eval()
    ids = torch.arange(30)[None] % 300
    assert torch.equal(again(ids).logits, whole.model(ids).logits)
    uncached = whole.model.generate(ids, max_new_tokens=5, do_sample=False, use_cache=False)
    assert torch.equal(again.generate(ids, max_new_tokens=5, do_sample=False), uncached)


def test_port_alone_round_trips(tmp_path: Path, backbone_folder: Path) -> None:
    released(tmp_path)
    port = load_backbone(str(tmp_path), str(backbone_folder)).model
    port.save_pretrained(tmp_path / "port")
    again = hf.AutoModelForCausalLM.from_pretrained(tmp_path / "port").eval()
    assert torch.equal(again(torch.arange(9)[None]).logits, port(torch.arange(9)[None]).logits)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"share_input_output_layers": False}, "share_input_output_layers is False; the OpenELM port knows only True"),
        ({"num_query_heads": [2, 4]}, r"a size for each of the 3 layers; found \[2, 3, 3\]"),
        ({"model_dim": 64}, "weights of another shape than its config says"),
    ],
    ids=["untied", "too-few-sizes", "other-width"],
)
def test_other_config_is_one_clear_error(
    change: dict[str, Any], found: str, tmp_path: Path, backbone_folder: Path
) -> None:
    released(tmp_path, {**CONFIG, **change})
    with pytest.raises(MMLLMError, match=found):
        load_backbone(str(tmp_path), str(backbone_folder))


def test_missing_or_foreign_weight_is_one_clear_error(tmp_path: Path, backbone_folder: Path) -> None:
    released(tmp_path, tensors={"transformer.layers.1.attn.qkv_proj.weight": None})
    with pytest.raises(MMLLMError, match=r"lacks the weight model\.layers\.1\.self_attn\.q_proj\.weight"):
        load_backbone(str(tmp_path), str(backbone_folder))
    released(tmp_path, tensors={"transformer.extra.weight": torch.ones(1)})
    with pytest.raises(MMLLMError, match=r"has a tensor 'transformer\.extra\.weight'"):
        load_backbone(str(tmp_path), str(backbone_folder))


@pytest.mark.parametrize(("value", "expected"), [(640.0, 768), (934.4, 1024), (5120.0, 5120), (10.0, 256)])
def test_widths_are_rounded_as_the_released_checkpoints_have_them(value: float, expected: int) -> None:
    assert make_divisible(value, 256) == expected
