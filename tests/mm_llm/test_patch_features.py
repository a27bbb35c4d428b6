"""Patch features computed once stand in for pixels: the same logits, the same steps, one file for both stages."""

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.mm_llm.conftest import changed
from tests.mm_llm.test_stage import losses, run
from tinyemo_data.errors import MMLLMError
from tinyemo_data.mm_llm.composition import MMLLM
from tinyemo_data.mm_llm.materialize import compose_parts
from tinyemo_data.mm_llm.patch_features import compute_features, features_in_place_of_pixels, selected_states
from tinyemo_data.mm_llm.pictures import read_pixels
from tinyemo_data.settings import Settings
from tinyemo_data.store import Store


@pytest.fixture
def whole(store: Store, planted: Settings) -> MMLLM:
    return compose_parts(planted)


def asked(whole: MMLLM, count: int) -> dict[str, Any]:
    image = whole.model.config.image_token_id
    ids = torch.tensor([[1] + [image] * 9 + [5 + number, 6, 7] for number in range(count)])
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}


@torch.no_grad()
def test_states_in_place_of_pixels_give_the_very_same_logits(whole: MMLLM) -> None:
    pixels = torch.randn(3, 3, 24, 24)
    expected = whole.model(**asked(whole, 3), pixel_values=pixels).logits
    states = selected_states(whole.model, pixels)
    with features_in_place_of_pixels(whole.model):
        assert torch.equal(whole.model(**asked(whole, 3), pixel_values=states).logits, expected)
    assert torch.equal(whole.model(**asked(whole, 3), pixel_values=pixels).logits, expected)  # the tower is back


@torch.no_grad()
def test_states_as_encoder_outputs_give_the_very_same_logits(whole: MMLLM) -> None:
    # Llava's own way to pass precomputed pictures (transformers 5.23): what ours is held against.
    from transformers.modeling_outputs import BaseModelOutputWithPooling

    pixels = torch.randn(2, 3, 24, 24)
    expected = whole.model(**asked(whole, 2), pixel_values=pixels).logits
    projected = whole.model.model.multi_modal_projector(selected_states(whole.model, pixels))
    patches: Any = list(projected)
    given = {"image": BaseModelOutputWithPooling(pooler_output=patches)}
    assert torch.equal(whole.model(**asked(whole, 2), mm_encoder_outputs=given).logits, expected)


def test_stored_features_are_the_tower_s_states_in_float16(whole: MMLLM, planted: Settings, tmp_path: Path) -> None:
    paths = [Path(planted.raw) / "emoset" / f"p{number}.png" for number in range(5)]
    processor = whole.processor.image_processor
    features = compute_features(whole.model, processor, paths, tmp_path, torch.device("cpu"))
    states = selected_states(whole.model, read_pixels(paths, processor))
    assert torch.equal(features([4, 0]), states[[4, 0]].half().float())
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == [features.path.name]


def test_cached_features_make_the_same_steps(store: Store, planted: Settings, tmp_path: Path) -> None:
    _, course = run(store, planted, "pretrain", tmp_path / "a" / "run")
    whole, again = run(store, planted, "pretrain", tmp_path / "b" / "run", cached_features=True)
    assert losses(course) == pytest.approx(losses(again), rel=1e-3)
    assert type(whole.model.model.vision_tower).__name__ == "CLIPVisionModel"
    assert whole.model.config.vision_feature_select_strategy == "default"
    written = list((tmp_path / "b").glob("*.f16"))
    assert [path.stat().st_size for path in written] == [32 * 9 * 32 * 2]
    before = written[0].stat().st_mtime_ns
    run(store, planted, "finetune", tmp_path / "b" / "second", cached_features=True)
    assert written[0].stat().st_mtime_ns == before  # the same pictures: both stages share them


def test_picture_that_changed_is_computed_anew(whole: MMLLM, planted: Settings, tmp_path: Path) -> None:
    paths = [Path(planted.raw) / "emoset" / f"p{number}.png" for number in range(2)]
    first = compute_features(whole.model, whole.processor.image_processor, paths, tmp_path, torch.device("cpu"))
    paths[0].write_bytes(paths[1].read_bytes())
    second = compute_features(whole.model, whole.processor.image_processor, paths, tmp_path, torch.device("cpu"))
    assert first.path != second.path
    assert torch.equal(second([0]), second([1]))


def test_picture_that_can_t_be_decoded_stops_before_training(store: Store, planted: Settings, tmp_path: Path) -> None:
    (Path(planted.raw) / "emoset" / "p7.png").write_bytes(b"no picture")
    with pytest.raises(MMLLMError, match=r"p7\.png can't be decoded"):
        run(store, changed(planted, cached_features=True), "pretrain", tmp_path / "work")
    assert not list(tmp_path.glob("*.f16"))
