"""The demo's tower sees what the demo's encoder sees."""

import numpy as np
import torch
from PIL import Image

from tinyemo_data.features.encoder import Encoder
from tinyemo_data.mm_llm.small_vision_tower import WEIGHTS
from tinyemo_data.mm_llm.vision_tower import load_vision_tower
from tinyemo_data.sample_corpus.drawing import draw
from tinyemo_data.settings import EncoderSettings


def test_pooled_states_equal_the_encoders_features() -> None:
    encoder = Encoder(EncoderSettings(model=WEIGHTS[0], pretrained=WEIGHTS[1], device="cpu"))
    tower = load_vision_tower(None)
    pictures = [draw(emotion, "tower/0").image for emotion in ("awe", "fear")]
    crops = [encoder.preprocessing.crop(np.array(picture)) for picture in pictures]
    pixels = tower.processor(images=[crop_of(crop) for crop in crops], return_tensors="pt")["pixel_values"]
    with torch.no_grad():
        pooled = tower.model(pixels).pooler_output
    assert torch.allclose(pooled.half().float(), encoder.encode(crops).float(), atol=5e-3)


def crop_of(crop: torch.Tensor) -> Image.Image:
    return Image.fromarray(crop.permute(1, 2, 0).contiguous().numpy())
