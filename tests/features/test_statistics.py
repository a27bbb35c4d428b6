"""Picture statistics against their definitions, computed pixel by pixel."""

import colorsys
import math

import numpy as np
import pytest

from tinyemo_data.features.statistics import colourfulness, dominant_colours, picture_statistics


def plain(colour: tuple[int, int, int], size: tuple[int, int] = (40, 30)) -> np.ndarray:
    return np.full((*size, 3), colour, dtype=np.uint8)


@pytest.mark.parametrize(
    ("colour", "brightness"),
    [((0, 0, 0), 0.0), ((255, 255, 255), 1.0), ((255, 0, 0), 0.299), ((0, 255, 0), 0.587), ((0, 0, 255), 0.114)],
    ids=["black", "white", "red", "green", "blue"],
)
def test_brightness_is_the_mean_luma(colour: tuple[int, int, int], brightness: float) -> None:
    assert picture_statistics(plain(colour)).brightness == pytest.approx(brightness, abs=1e-6)


def test_colourfulness_follows_hasler_and_suesstrunk_pixel_by_pixel() -> None:
    values = np.random.default_rng(0).integers(0, 256, (500, 3))
    rg = [float(r - g) for r, g, _ in values]
    yb = [0.5 * float(r + g) - float(b) for r, g, b in values]

    def mean(numbers: list[float]) -> float:
        return sum(numbers) / len(numbers)

    def deviation(numbers: list[float]) -> float:
        return math.sqrt(sum((number - mean(numbers)) ** 2 for number in numbers) / len(numbers))

    spread = math.hypot(deviation(rg), deviation(yb))
    expected = spread + 0.3 * math.hypot(mean(rg), mean(yb))
    assert colourfulness(values.astype(np.float32)) == pytest.approx(expected, rel=1e-5)


def test_colourfulness_ranks_grey_pastel_and_vivid_pictures() -> None:
    hues = np.linspace(0, 1, 48, endpoint=False)

    def wheel(saturation: float) -> float:
        row = [[int(255 * value) for value in colorsys.hsv_to_rgb(hue, saturation, 0.9)] for hue in hues]
        return picture_statistics(np.array([row] * 10, dtype=np.uint8)).colourfulness

    assert wheel(0.0) == pytest.approx(0, abs=1e-4)
    assert wheel(0.0) < wheel(0.3) < wheel(1.0)


def test_dominant_colours_gives_colours_with_their_shares() -> None:
    parts = [plain((200, 10, 10), (60, 10)), plain((10, 10, 200), (30, 10)), plain((0, 0, 0), (10, 10))]
    colours, shares = zip(*picture_statistics(np.concatenate(parts)).dominant_colours, strict=True)
    assert colours == ("#c80a0a", "#0a0ac8", "#000000")
    assert shares == pytest.approx((0.6, 0.3, 0.1))


def test_dominant_colours_sum_to_at_most_one_and_come_most_frequent_first() -> None:
    colours = np.random.default_rng(1).integers(0, 256, (3000, 3), dtype=np.uint8)
    shares = [share for _, share in dominant_colours(colours)]
    assert shares == sorted(shares, reverse=True) and len(shares) == 5 and sum(shares) <= 1


def test_grid_is_close_to_all_pixels() -> None:
    random = np.random.default_rng(2)
    field = np.kron(random.integers(0, 256, (12, 16, 3)), np.ones((64, 64, 1))) + random.normal(0, 6, (768, 1024, 3))
    pixels = np.clip(field, 0, 255).astype(np.uint8)
    found = picture_statistics(pixels)
    luma = pixels.reshape(-1, 3).mean(axis=0) @ np.array([0.299, 0.587, 0.114]) / 255
    assert found.brightness == pytest.approx(luma, abs=0.005)
    assert found.colourfulness == pytest.approx(colourfulness(pixels.reshape(-1, 3).astype(np.float32)), rel=0.01)


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (5000, 1), (3, 2)], ids=str)
def test_statistics_of_odd_sizes_are_finite(size: tuple[int, int]) -> None:
    found = picture_statistics(plain((10, 20, 30), size))
    assert math.isfinite(found.brightness) and math.isfinite(found.colourfulness)
    assert found.dominant_colours == [("#0a141e", 1.0)]
