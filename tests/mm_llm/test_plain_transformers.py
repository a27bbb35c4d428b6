"""What is saved loads in a process that has transformers and not this project, and gives the same logits there."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from tests.mm_llm.test_composition import FAMILIES, random_backbone
from tinyemo_data.mm_llm.backbone import load_tokenizer
from tinyemo_data.mm_llm.composition import MMLLM, compose
from tinyemo_data.mm_llm.vision_tower import load_vision_tower

QUESTION = "USER: <image>\nWhich emotion? ASSISTANT:"
# Reads a question and folders from argv; writes logits and answers beside each model, or why it is refused.
CLEAN = """
import sys
sys.modules["tinyemo_data"] = None
import torch
from pathlib import Path
from PIL import Image
from safetensors.torch import save_file
from transformers import AutoModelForImageTextToText, AutoProcessor
torch.set_num_threads(1)
for folder in map(Path, sys.argv[2:]):
    try:
        model = AutoModelForImageTextToText.from_pretrained(folder).eval()
    except ValueError as exc:
        (folder / "refused.txt").write_text(str(exc))
        continue
    processor = AutoProcessor.from_pretrained(folder)
    pictures = [Image.open(folder.parent / name) for name in ("a.png", "b.png")]
    questions = [sys.argv[1], sys.argv[1].replace("Which", "Tell me which")]
    inputs = processor(images=pictures, text=questions, padding=True, return_tensors="pt")
    answer = model.generate(**inputs, max_new_tokens=3, do_sample=False)
    messages = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "Why?"}]}]
    (folder / "prompt.txt").write_text(processor.apply_chat_template(messages, add_generation_prompt=True))
    with torch.no_grad():
        save_file({"logits": model(**inputs).logits, "answer": answer.contiguous()}, folder / "found.safetensors")
assert not any(name.startswith("tinyemo_data.") for name in sys.modules)
"""


@pytest.fixture(scope="module")
def models(
    tower_folder: Path, backbone_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[MMLLM, Path]]:
    """Every family, saved, and read by one clean process."""
    folder = tmp_path_factory.mktemp("saved")
    tower, tokenizer = load_vision_tower(str(tower_folder)), load_tokenizer(str(backbone_folder))
    for name, colour in (("a.png", (90, 10, 10)), ("b.png", (10, 200, 90))):
        Image.new("RGB", (40, 30), colour).save(folder / name)
    made: dict[str, tuple[MMLLM, Path]] = {}
    for family, config in FAMILIES.items():
        whole = compose(tower, random_backbone(config(len(tokenizer)), tokenizer))
        whole.model.save_pretrained(folder / family)
        whole.processor.save_pretrained(folder / family)
        made[family] = (whole, folder / family)
    places = [str(place) for _, place in made.values()]
    subprocess.run([sys.executable, "-c", CLEAN, QUESTION, *places], check=True, cwd=folder, timeout=200)
    return made


def asked(whole: MMLLM, folder: Path) -> Any:
    pictures = [Image.open(folder.parent / name) for name in ("a.png", "b.png")]
    questions = [QUESTION, QUESTION.replace("Which", "Tell me which")]
    return whole.processor(images=pictures, text=questions, padding=True, return_tensors="pt")


@pytest.mark.parametrize("family", [name for name in FAMILIES if name != "phi-2"])
def test_native_backbone_gives_the_same_logits_without_this_project(
    family: str, models: dict[str, tuple[MMLLM, Path]]
) -> None:
    whole, folder = models[family]
    inputs = asked(whole, folder)
    assert inputs["attention_mask"][0, 0] == 0  # padded at the left: the shorter question begins later
    with torch.no_grad():
        expected = whole.model(**inputs).logits
    found = load_file(folder / "found.safetensors")
    torch.testing.assert_close(found["logits"], expected, rtol=1e-5, atol=1e-5)
    answer = whole.model.generate(**inputs, max_new_tokens=3, do_sample=False)
    assert torch.equal(found["answer"], answer)
    assert (folder / "prompt.txt").read_text() == "<s>USER: <image>\nWhy? ASSISTANT:"


def test_backbone_of_our_own_is_refused_rather_than_loaded_without_its_bias(
    models: dict[str, tuple[MMLLM, Path]],
) -> None:
    assert "tinyemo_llava_head_bias" in (models["phi-2"][1] / "refused.txt").read_text()


def test_saved_folder_names_no_path_of_this_machine(models: dict[str, tuple[MMLLM, Path]]) -> None:
    for _, folder in models.values():
        for path in folder.glob("*.json"):
            assert str(folder.parent.parent) not in path.read_text(), path
