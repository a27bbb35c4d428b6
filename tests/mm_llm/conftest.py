"""A tiny planted world: pictures of one colour each, an emotion a colour, and small random parts to compose."""

import gc
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from PIL import Image

from tinyemo_data import settings as settings_module
from tinyemo_data.mm_llm import small_language_model
from tinyemo_data.mm_llm.conversation import Conversation, as_conversation
from tinyemo_data.settings import MMLLMSettings, Settings
from tinyemo_data.store import Store
from tinyemo_data.synthesis.record_file import RECORD, RecordFile
from tinyemo_data.synthesis.records import records_key

EMOTIONS = ("amusement", "anger", "awe", "contentment", "disgust", "excitement", "fear", "sadness")
COLOURS = (
    (250, 220, 40), (200, 20, 20), (60, 20, 150), (60, 180, 90), (120, 130, 20), (250, 120, 20), (10, 10, 30),
    (110, 130, 160),
)  # fmt: skip
SIDE = 24


@pytest.fixture(autouse=True, scope="session")
def libraries_left_alone_by_the_collector() -> Iterable[None]:
    """Each run of a trainer collects garbage: without this it looks through all of the libraries' objects again."""
    import tinyemo_data.mm_llm.trainer  # noqa: F401

    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
def one_thread() -> Iterable[None]:
    """Tiny matrices: a second thread only waits for the first."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def row(number: int, question: str | None = None, answer: str | None = None, **changed: Any) -> dict[str, Any]:
    """Return a record of the planted world: picture `number`, whose colour tells its emotion."""
    emotion = EMOTIONS[number % len(EMOTIONS)]
    turns = [
        {"from": "human", "value": question or f"<image>\nWhich of these emotions is it: {', '.join(EMOTIONS)}?"},
        {"from": "gpt", "value": answer or f"Reasoning: see the colour.\nPredicted Label: {emotion}"},
    ]
    made = {
        "record_id": f"emoset/p{number}#reasoning", "sample_id": f"emoset/p{number}", "dataset": "emoset",
        "image": f"emoset/p{number}.png", "picture_sha256": "0" * 64, "task": "finetune/reasoning",
        "variant": "withheld", "conversations": turns, "rejected": None, "emotion": emotion, "taxonomy": "mikels8",
        "options": list(EMOTIONS), "label_origin": "annotators", "recipe": "finetune", "prompt_digest": "p",
        "generator": "rules", "model": "rules-1", "request_digest": "r", "input_tokens": 0, "output_tokens": 0,
        "usd": 0.0, "gates": [],
    }  # fmt: skip
    return {**made, **changed}


def write_set(store: Store, name: str, rows: Iterable[dict[str, Any]]) -> None:
    """Write rows as an instruct set of the store."""
    with store.writing(records_key(name)) as path, RecordFile(path, RECORD) as file:
        made = list(rows)
        empty = pl.DataFrame(pl.from_arrow(RECORD.empty_table()))
        file.add(pl.DataFrame(made, infer_schema_length=None) if made else empty)


def draw_pictures(root: Path, count: int) -> None:
    """Draw the planted pictures: one colour and some noise."""
    (root / "emoset").mkdir(parents=True, exist_ok=True)
    for number in range(count):
        noise = np.random.default_rng(number).normal(0, 12, (SIDE, SIDE, 3))
        pixels = np.clip(np.array(COLOURS[number % len(COLOURS)]) + noise, 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(root / "emoset" / f"p{number}.png")


@pytest.fixture(scope="session")
def tower_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a tiny random CLIP tower and its processor, as the hub has them."""
    from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModel

    folder = tmp_path_factory.mktemp("tower")
    torch.manual_seed(1)
    config = CLIPVisionConfig(
        hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2, image_size=SIDE, patch_size=8
    )
    CLIPVisionModel(config).save_pretrained(folder)
    size = {"height": SIDE, "width": SIDE}
    CLIPImageProcessor(size=size, crop_size=size, do_center_crop=False).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def backbone_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a tiny untaught Llama and a tokenizer of the planted world's words."""
    folder = tmp_path_factory.mktemp("backbone")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"WIDTH": 48, "INNER": 96, "LAYERS": 2, "HEADS": 2}.items():
            patch.setattr(small_language_model, name, value)
        turns = [turn for number in range(16) for turn in as_conversation(row(number)).turns]
        tokenizer = small_language_model.train_tokenizer(text for turn in turns for text in turn)
        torch.manual_seed(2)
        small_language_model.save(small_language_model.build(tokenizer), tokenizer, folder)
    return folder


@pytest.fixture
def conversations() -> list[Conversation]:
    """Sixteen conversations of the planted world."""
    return [as_conversation(row(number)) for number in range(16)]


@pytest.fixture
def planted(tmp_path: Path, store: Store, tower_folder: Path, backbone_folder: Path) -> Settings:
    """Settings of a profile whose store and raw folder hold the planted world: 32 pictures, both sets."""
    draw_pictures(tmp_path / "raw", 32)
    write_set(store, "finetune", (row(number) for number in range(32)))
    write_set(store, "pretrain", (row(number, answer=f"It is {EMOTIONS[number % 8]}.") for number in range(32)))
    chosen = {
        "vision_tower": str(tower_folder), "language_model": str(backbone_folder), "device": "cpu",
        "validation_fraction": 0.2, "evaluations": 2, "max_new_tokens": 24,
        "pretrain": {"epochs": 1, "batch_size": 4}, "finetune": {"epochs": 2, "batch_size": 4, "learning_rate": 1e-3},
    }  # fmt: skip
    return planted_settings(tmp_path / "raw", store, chosen)


def planted_settings(raw: Path, store: Store, chosen: dict[str, Any]) -> Settings:
    """Return the demo profile at other places, with other settings of the MM-LLM."""
    loaded = settings_module.load("demo")
    changed = {"raw": str(raw), "store": store.url, "language_model": None, "mm_llm": MMLLMSettings(**chosen)}
    return loaded.model_copy(update=changed)


def changed(settings: Settings, **values: Any) -> Settings:
    """Return settings with other values of the MM-LLM; a dict changes a stage's own values."""
    current = settings.mm_llm.model_dump()
    merged = {
        key: {**current[key], **value} if isinstance(value, dict) and isinstance(current[key], dict) else value
        for key, value in values.items()
    }
    return settings.model_copy(update={"mm_llm": MMLLMSettings(**{**current, **merged})})
