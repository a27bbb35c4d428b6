import io

import numpy as np
import polars as pl
import pytest
from PIL import Image

from tinyemo_data.audit.interpretability.map_plot import PANELS, render_map


def coordinates(emotions: int, each: int = 12) -> pl.DataFrame:
    """Pictures about one place an emotion, and a star there."""
    rng = np.random.default_rng(0)
    rows = []
    for number in range(emotions):
        place = rng.normal(size=2)
        for kind, count in (("picture", each), ("prototype", 1)):
            dots = place + 0.1 * rng.normal(size=(count, 2))
            rows += [{"kind": kind, "emotion": f"emotion{number:02d}", "x": x, "y": y} for x, y in dots.tolist()]
    return pl.DataFrame(rows)


@pytest.mark.parametrize("emotions", [1, 14])
def test_map_is_a_small_picture_800_pixels_wide_and_the_same_for_the_same_input(emotions: int) -> None:
    table = coordinates(emotions)
    words = {name: ["tears", "grave"] for name in table["emotion"].unique()}
    first, second = (render_map(table, words, (0.4, 0.2), drawn=True) for _ in range(2))
    assert first == second
    assert len(first) < 100_000
    with Image.open(io.BytesIO(first)) as picture:
        panels = -(-min(emotions, PANELS) // 4)
        assert picture.size[0] == 800
        assert picture.size[1] == pytest.approx(510 + 225 * panels, abs=2)


def test_map_is_drawn_when_no_emotion_has_words() -> None:
    with Image.open(io.BytesIO(render_map(coordinates(2), {}, (0.0, 0.0), drawn=False))) as picture:
        assert len(picture.convert("RGB").getcolors(1 << 24) or []) > 10
