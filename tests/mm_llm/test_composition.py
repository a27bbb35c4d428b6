"""Composed models give exactly what their parts give alone, for the paper's backbones and for today's small ones."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from PIL import Image

from tests.mm_llm.conftest import SIDE
from tests.mm_llm.test_openelm import released
from tinyemo_data.errors import MMLLMError
from tinyemo_data.mm_llm.backbone import Backbone, load_backbone, load_tokenizer
from tinyemo_data.mm_llm.composition import MMLLM, compose
from tinyemo_data.mm_llm.patch_features import selected_states
from tinyemo_data.mm_llm.saving import load_model
from tinyemo_data.mm_llm.vision_tower import VisionTower, load_vision_tower

hf: Any = transformers  # its annotations are partial

SIZES: dict[str, Any] = {
    "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 256, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2,
}  # fmt: skip
FAMILIES: dict[str, Callable[[int], Any]] = {
    "llama-tied": lambda n: hf.LlamaConfig(vocab_size=n, tie_word_embeddings=True, **SIZES),  # TinyLlama, SmolLM2
    "llama-untied": lambda n: hf.LlamaConfig(vocab_size=n, tie_word_embeddings=False, **SIZES),
    "phi-2": lambda n: hf.PhiConfig(vocab_size=n, **SIZES),
    "qwen2": lambda n: hf.Qwen2Config(vocab_size=n, tie_word_embeddings=True, **SIZES),
    "qwen3": lambda n: hf.Qwen3Config(vocab_size=n, head_dim=8, **SIZES),
    "gemma3": lambda n: hf.Gemma3TextConfig(vocab_size=n, head_dim=8, **SIZES),
    "smollm3": lambda n: hf.SmolLM3Config(vocab_size=n, **SIZES),
}


def random_backbone(config: Any, tokenizer: Any, name: str = "random") -> Backbone:
    torch.manual_seed(3)
    model = hf.AutoModelForCausalLM.from_config(config).float().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 0.1)  # biases and norms too: nothing may hide behind a zero or a one
    return Backbone(name, model, tokenizer)


@pytest.fixture(scope="module")
def towers(tower_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, VisionTower]:
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": SIDE, "patch_size": 8}
    made = {
        "siglip": hf.SiglipVisionModel(hf.SiglipVisionConfig(intermediate_size=64, **sizes)),
        "dinov2": hf.Dinov2Model(hf.Dinov2Config(mlp_ratio=2, **sizes)),
    }
    folders = {"clip": tower_folder}
    for kind, model in made.items():
        folders[kind] = tmp_path_factory.mktemp(kind)
        model.save_pretrained(folders[kind])
        hf.SiglipImageProcessor(size={"height": SIDE, "width": SIDE}).save_pretrained(folders[kind])
    return {kind: load_vision_tower(str(folder)) for kind, folder in folders.items()}


@pytest.fixture(scope="module")
def tower(towers: dict[str, VisionTower]) -> VisionTower:
    return towers["clip"]


@pytest.fixture(scope="module")
def openelm(backbone_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Backbone:
    folder = tmp_path_factory.mktemp("openelm")
    released(folder)
    return load_backbone(str(folder), str(backbone_folder))


@pytest.fixture(scope="module")
def tokenizer(backbone_folder: Path) -> Any:
    return load_tokenizer(str(backbone_folder))


@torch.no_grad()
def check_parity(whole: MMLLM, tower: VisionTower, backbone: Backbone) -> None:
    known = backbone.model.config.vocab_size
    ids = torch.arange(40).view(2, 20) % known
    assert torch.equal(whole.model(ids).logits[..., :known], backbone.model(ids).logits)
    pixels = torch.randn(2, 3, SIDE, SIDE)
    alone = tower.model(pixels, output_hidden_states=True).hidden_states[-2]
    assert torch.equal(selected_states(whole.model, pixels), alone[:, 1:] if tower.has_class_token else alone)


@pytest.mark.parametrize("kind", ["clip", "siglip", "dinov2"])
@pytest.mark.parametrize("family", [*FAMILIES, "openelm"])
def test_compose_keeps_text_logits_and_vision_states_exactly(
    family: str, kind: str, towers: dict[str, VisionTower], tokenizer: Any, openelm: Backbone
) -> None:
    backbone = openelm if family == "openelm" else random_backbone(FAMILIES[family](len(tokenizer)), tokenizer)
    whole = compose(towers[kind], backbone)
    check_parity(whole, towers[kind], backbone)
    assert whole.model.lm_head.weight.shape[0] >= len(whole.processor.tokenizer) > len(tokenizer)
    assert (towers[kind].patches, towers[kind].has_class_token) == (9, kind != "siglip")
    inputs = whole.processor(images=[Image.new("RGB", (50, 30))], text="<image>\nWhat is it?", return_tensors="pt")
    assert int((inputs["input_ids"] == whole.model.config.image_token_id).sum()) == 9
    assert whole.model(**inputs).logits.isfinite().all()


def test_connector_depends_on_the_seed_alone(tower: VisionTower, tokenizer: Any) -> None:
    backbone = random_backbone(FAMILIES["llama-tied"](len(tokenizer)), tokenizer)
    weights = []
    for seed in (0, 0, 1):
        torch.randn(seed + 5)
        weights.append(compose(tower, backbone, seed=seed).model.model.multi_modal_projector.linear_1.weight)
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_compose_refuses_a_family_that_changes_its_logits_after_the_head(tower: VisionTower, tokenizer: Any) -> None:
    config = hf.Gemma2Config(vocab_size=len(tokenizer), head_dim=8, final_logit_softcapping=2.0, **SIZES)
    with pytest.raises(MMLLMError, match="gemma-2 gives other logits within Llava than alone"):
        compose(tower, random_backbone(config, tokenizer, "gemma-2"))


@pytest.mark.parametrize("layer", [-4, 3])
def test_compose_refuses_a_layer_that_the_tower_does_not_have(layer: int, tower: VisionTower, tokenizer: Any) -> None:
    backbone = random_backbone(FAMILIES["llama-tied"](len(tokenizer)), tokenizer)
    with pytest.raises(MMLLMError, match=rf"hidden states 0 to 2 .* found {layer}"):
        compose(tower, backbone, feature_layer=layer)


def test_tower_that_lacks_a_weight_is_refused(tower_folder: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    for path in tower_folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    weights = load_file(tmp_path / "model.safetensors")
    lost = next(name for name in weights if "layers.1" in name)
    save_file({k: v for k, v in weights.items() if k != lost}, tmp_path / "model.safetensors", {"format": "pt"})
    with pytest.raises(MMLLMError, match="lacks 1 weights of a CLIPVisionModel"):
        load_vision_tower(str(tmp_path))


def test_part_that_is_not_there_names_its_setting(tmp_path: Path, backbone_folder: Path) -> None:
    with pytest.raises(MMLLMError, match=r"mm_llm\.vision_tower: .*no/where"):
        load_vision_tower(str(tmp_path / "no/where"))
    with pytest.raises(MMLLMError, match=r"mm_llm\.vision_tower: .* is a 'llama', expected one of clip"):
        load_vision_tower(str(backbone_folder))
    with pytest.raises(MMLLMError, match=r"mm_llm\.language_model_tokenizer: .* has no tokenizer"):
        load_backbone(str(backbone_folder), str(tmp_path))


def test_composed_model_round_trips_through_its_directory(tower: VisionTower, tokenizer: Any, tmp_path: Path) -> None:
    whole = compose(tower, random_backbone(FAMILIES["qwen3"](len(tokenizer)), tokenizer))
    whole.model.save_pretrained(tmp_path)
    whole.processor.save_pretrained(tmp_path)
    (tmp_path / "mm_llm.json").write_text('{"parts": {"language_model": "random"}}')
    again, processor = load_model(tmp_path), hf.AutoProcessor.from_pretrained(tmp_path)
    inputs = processor(images=[Image.new("RGB", (30, 30), (90, 10, 10))], text="<image>\nWhat?", return_tensors="pt")
    with torch.no_grad():
        assert torch.equal(again.model(**inputs).logits, whole.model(**inputs).logits)
    assert str(tmp_path) not in (tmp_path / "config.json").read_text()


@pytest.mark.parametrize("setting", ["vision_tower", "language_model"])
def test_hub_id_without_a_network_is_one_message_that_names_its_setting(
    setting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import httpx2
    from huggingface_hub import errors

    def unreachable(*_: Any, **__: Any) -> None:
        raise errors.LocalEntryNotFoundError("no route") from httpx2.ConnectError("no route")

    monkeypatch.setattr("huggingface_hub.hf_hub_download", unreachable)
    load = load_vision_tower if setting == "vision_tower" else load_backbone
    with pytest.raises(MMLLMError, match=rf"^mm_llm\.{setting}: .*some/model.* the hub can't be reached"):
        load("some/model")
