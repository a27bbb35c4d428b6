"""The numbered traps of composing and training a Llava with transformers 5, each sprung and each avoided.

Where transformers still has the trap, the test shows it, so that an upgrade which mends it is noticed here.
"""

import copy
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from PIL import Image

from tests.mm_llm.conftest import changed
from tests.mm_llm.test_composition import FAMILIES, SIZES, random_backbone
from tests.mm_llm.test_stage import losses, run, weights
from tinyemo_data import doctor
from tinyemo_data.errors import MMLLMError
from tinyemo_data.mm_llm.backbone import load_tokenizer
from tinyemo_data.mm_llm.chat import MARK, chat_format
from tinyemo_data.mm_llm.composition import compose
from tinyemo_data.mm_llm.materialize import compose_parts, prepare_data
from tinyemo_data.mm_llm.stage import train_stage
from tinyemo_data.mm_llm.vision_tower import VisionTower, load_vision_tower
from tinyemo_data.progress import Progress
from tinyemo_data.settings import Settings
from tinyemo_data.store import Store

hf: Any = transformers  # its annotations are partial


class StoppedError(Exception):
    """Stands for what ends a run before its time."""


@pytest.fixture(scope="module")
def tower(tower_folder: Path) -> VisionTower:
    return load_vision_tower(str(tower_folder))


@pytest.fixture(scope="module")
def tokenizer(backbone_folder: Path) -> Any:
    return load_tokenizer(str(backbone_folder))


def stop_at(step: int) -> Any:
    def report(progress: Progress) -> None:
        if progress.detail.startswith(f"step {step} "):
            raise StoppedError

    return lambda _: report


@pytest.mark.parametrize("lora_rank", [None, 4], ids=["whole", "adapters"])
def test_trap_1_resumed_run_has_the_losses_and_weights_of_the_uninterrupted_one(
    lora_rank: int | None, store: Store, planted: Settings, tmp_path: Path
) -> None:
    settings = changed(planted, finetune={"epochs": 3, "lora_rank": lora_rank}, evaluations=4)
    uninterrupted, course = run(store, settings, "finetune", tmp_path / "a")
    whole = compose_parts(settings)
    data = prepare_data(store, settings, whole, "finetune")
    with pytest.raises(StoppedError):
        train_stage(whole, data, "finetune", settings.mm_llm, tmp_path / "b", "identity", stop_at(11))
    resumed, again = run(store, settings, "finetune", tmp_path / "b")
    assert again.resumed_at == 8
    assert losses(again) == losses(course)
    assert again.validations == course.validations
    assert all(torch.equal(tensor, weights(resumed)[name]) for name, tensor in weights(uninterrupted).items())


def test_trap_1_transformers_own_resume_still_loads_no_weight_of_a_llava(
    store: Store, planted: Settings, tmp_path: Path
) -> None:
    whole = compose_parts(planted)
    saved = {name: tensor.clone() for name, tensor in whole.model.state_dict().items()}
    whole.model.save_pretrained(tmp_path)
    arguments = hf.TrainingArguments(str(tmp_path / "out"), use_cpu=True, report_to="none")
    with torch.no_grad():
        for parameter in whole.model.parameters():
            parameter.zero_()
    hf.Trainer(model=whole.model, args=arguments)._load_from_checkpoint(str(tmp_path))
    found = whole.model.state_dict()
    lost = [name for name in saved if "language_model.layers" in name and not torch.equal(found[name], saved[name])]
    assert lost, "upstream mended it (issue 40187): checkpoints.py may leave loading to the Trainer"


def test_trap_2_head_bias_of_phi_2_is_kept_where_plain_llava_drops_it(
    tower: VisionTower, tokenizer: Any, tmp_path: Path
) -> None:
    backbone = random_backbone(hf.PhiConfig(vocab_size=len(tokenizer), **SIZES), tokenizer)
    whole = compose(tower, backbone)
    ids = torch.arange(20)[None]
    with torch.no_grad():
        alone, ours = backbone.model(ids).logits, whole.model(ids).logits
        plain = hf.LlavaForConditionalGeneration(whole.model.config)
        plain.load_state_dict({k: v for k, v in whole.model.state_dict().items() if k != "lm_head.bias"})
        dropped = plain.eval()(ids).logits
        whole.model.save_pretrained(tmp_path)
        reloaded = hf.AutoModelForImageTextToText.from_pretrained(tmp_path).eval()(ids).logits
    known = alone.shape[-1]
    assert torch.equal(ours[..., :known], alone)
    assert torch.equal(reloaded, ours)
    assert float((dropped[..., :known] - alone).abs().max()) > 0.1
    assert whole.model.config.model_type != "llava"  # a program that would drop the bias does not know the type


def test_trap_3_context_below_the_picture_s_tokens_is_an_error_and_no_loss_of_zero(
    store: Store, planted: Settings
) -> None:
    whole = compose_parts(planted)
    data = prepare_data(store, planted, whole, "pretrain")
    _, learnt = data.train.encoded[0]
    assert learnt.any()
    assert not learnt[:9].any()  # what a cut at 9 tokens, the picture's, would leave to learn from
    with pytest.raises(MMLLMError, match=r"longer than the 16 tokens .*9 of them its picture's"):
        prepare_data(store, changed(planted, context=16), whole, "pretrain")


def test_trap_4_torchvision_that_does_not_fit_torch_is_told_by_doctor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchvision", None)
    finding = doctor._library("torchvision")
    assert not finding.ok
    assert "Run make setup" in finding.found


def test_trap_5_composing_copies_the_parts_settings(tower: VisionTower, tokenizer: Any) -> None:
    backbone = random_backbone(FAMILIES["llama-tied"](len(tokenizer)), tokenizer)
    before = copy.deepcopy((backbone.model.config.to_dict(), tower.model.config.to_dict(), len(tokenizer)))
    whole = compose(tower, backbone)
    whole.model.config.text_config.vocab_size = 7
    whole.model.config.vision_config.patch_size = 3
    assert (backbone.model.config.to_dict(), tower.model.config.to_dict(), len(tokenizer)) == before


def test_trap_6_template_marks_answers_so_that_questions_are_not_learnt(tower: VisionTower, tokenizer: Any) -> None:
    processor = compose(tower, random_backbone(FAMILIES["llama-tied"](len(tokenizer)), tokenizer)).processor
    assert MARK in processor.chat_template == chat_format(processor.tokenizer).template
    messages = [{"role": "user", "content": "<image>\nWhat is it?"}, {"role": "assistant", "content": "It is fear."}]
    found = processor.tokenizer.apply_chat_template(
        messages, chat_template=processor.chat_template, tokenize=True, return_dict=True,
        return_assistant_tokens_mask=True,
    )  # fmt: skip
    marked = [i for i, mark in zip(found["input_ids"], found["assistant_masks"], strict=True) if mark]
    assert processor.tokenizer.decode(marked) == " It is fear.</s>"


def test_trap_7_processor_counts_the_class_token_that_default_selection_takes_away(
    tower: VisionTower, tokenizer: Any
) -> None:
    whole = compose(tower, random_backbone(FAMILIES["llama-tied"](len(tokenizer)), tokenizer))
    assert whole.processor.num_additional_image_tokens == 1
    asked = {"images": [Image.new("RGB", (50, 30))], "text": "<image>\nWhat is it?", "return_tensors": "pt"}
    inputs = whole.processor(**asked)
    assert int((inputs["input_ids"] == whole.model.config.image_token_id).sum()) == tower.patches == 9
    assert whole.model(**inputs).logits.isfinite().all()
    whole.processor.num_additional_image_tokens = 0
    with pytest.raises(ValueError, match=r"(?i)image features and image tokens do not match"):
        whole.model(**whole.processor(**asked))
