import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from tests.test_sample import sample_table
from tinyemo_data import charts

CURVES = {"train_loss": [2.0, 1.0], "validation_loss": [2.1, 1.2]}


@pytest.mark.parametrize(
    "draw",
    [
        lambda: charts.class_balance(sample_table()),
        lambda: charts.training_curves(CURVES, chosen_epoch=2),
        lambda: charts.similarity_map(["joy", "fear"], np.eye(2, dtype=np.float32)),
    ],
    ids=["class-balance", "curves", "similarity"],
)
def test_chart_is_a_small_picture_and_the_same_for_the_same_input(draw: Callable[[], bytes]) -> None:
    first, second = draw(), draw()
    assert first == second
    assert len(first) < 100_000
    with Image.open(io.BytesIO(first)) as picture:
        assert picture.format == "PNG"
        # Something was drawn: not one colour alone.
        assert len(picture.convert("RGB").getcolors(1 << 24) or []) > 10
