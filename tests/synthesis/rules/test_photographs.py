"""Real photographs: what the rules say of them is measured once more, by Pillow and a rough eye for hues."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import polars as pl
import pytest
from PIL import Image

from tests.ingested import ingest
from tests.synthesis.rules import claims
from tinyemo_data import sources
from tinyemo_data.features.decode import decode_picture
from tinyemo_data.features.statistics import picture_statistics
from tinyemo_data.settings import DatasetSettings
from tinyemo_data.synthesis.backends.rules import answer
from tinyemo_data.synthesis.backends.rules.emotion_words import names_emotion
from tinyemo_data.synthesis.tasks.notes import names_emotion as names_emotion_to_tasks

TELLINGS = 4  # of each photograph and task, with other seeds
SLACK_LUMA, SLACK_M3 = 0.02, 3.0  # between a grid of pixels and all of them, and two decoders
SEEN = 0.04  # share of pixels that must look like a named colour (named from 0.08 on, by boxes of the colour cube)
# What a rough eye may call each family: hue bins and light lie close together at their borders.
LOOKS_LIKE = {
    "black": {"black", "grey", "dark"}, "white": {"white", "grey", "pale"},
    "grey": {"grey", "white", "black", "greyish"},
    "red": {"red", "orange", "pink"}, "orange": {"orange", "red", "yellow"},
    "brown": {"orange", "red", "yellow", "black", "grey", "greyish", "dark", "pale"},
    "yellow": {"yellow", "orange", "green", "pale"}, "green": {"green", "yellow", "teal", "greyish", "dark"},
    "teal": {"teal", "blue", "green", "greyish", "dark"},
    "blue": {"blue", "teal", "purple", "greyish", "dark", "pale"},
    "purple": {"purple", "blue", "pink", "red", "greyish", "dark", "pale"},
    "pink": {"pink", "red", "orange", "purple", "pale"},
}  # fmt: skip

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Seen:
    """What an independent look at a photograph gives."""

    luma: float
    m3: float
    width: int
    height: int
    looks: Mapping[str, float]  # share of pixels by what a rough eye calls them; one pixel may be called two things
    warm: float
    cool: float


@cache
def look(path: Path) -> Seen:
    """Measure a photograph with Pillow and HSV bins."""
    with Image.open(path) as picture:
        rgb = picture.convert("RGB")
        grey = np.asarray(picture.convert("L"), dtype=np.float64)
        hsv = np.asarray(rgb.convert("HSV"))[::2, ::2].reshape(-1, 3).astype(np.float64)
        red, green, blue = np.asarray(rgb, dtype=np.float64).reshape(-1, 3).T
    rg, yb = red - green, (red + green) / 2 - blue
    m3 = np.sqrt(rg.var() + yb.var()) + 0.3 * np.sqrt(rg.mean() ** 2 + yb.mean() ** 2)
    looks, warm, cool = bins(hsv[:, 0] * 360 / 256, hsv[:, 1] / 255, hsv[:, 2] / 255)
    return Seen(float(grey.mean() / 255), float(m3), rgb.width, rgb.height, looks, warm, cool)


def bins(hue: Values, saturation: Values, value: Values) -> tuple[dict[str, float], float, float]:
    """Return the shares of rough names, of warm and of cool pixels."""
    bounds = {"orange": (15, 45), "yellow": (45, 70), "green": (70, 160), "teal": (160, 200), "blue": (200, 255),
              "purple": (255, 300), "pink": (300, 340)}  # fmt: skip
    coloured = (saturation >= 0.12) & (value >= 0.12)
    masks = {name: coloured & (hue >= low) & (hue < high) for name, (low, high) in bounds.items()}
    masks["red"] = coloured & ((hue < 15) | (hue >= 340))
    masks |= {
        "black": value < 0.2, "dark": value < 0.35, "white": (value > 0.85) & (saturation < 0.15),
        "pale": (value > 0.75) & (saturation < 0.3), "grey": saturation < 0.16, "greyish": saturation < 0.35,
    }  # fmt: skip
    seen = (saturation >= 0.15) & (value >= 0.15)
    warm, cool = seen & ((hue < 70) | (hue >= 320)), seen & (hue >= 160) & (hue < 260)
    return {name: float(mask.mean()) for name, mask in masks.items()}, float(warm.mean()), float(cool.mean())


@dataclass(frozen=True)
class Photograph:
    """One photograph: where it lies and what the library knows of it."""

    path: Path
    facts: dict[str, Any]


@pytest.fixture(scope="module")
def photographs(shared_data: Path) -> list[Photograph]:
    """The shared photographs with their facts, as the library measures them."""
    tables = ingest(sources.get("oasis"), shared_data / "oasis", DatasetSettings())
    found = []
    for row in tables.samples.iter_rows(named=True):
        path = tables.root / row["image_path"]
        measured = picture_statistics(decode_picture(path.read_bytes()))
        theme = None if names_emotion_to_tasks(row["keyword"]) else row["keyword"]
        facts = {**vars(measured), "width": row["width"], "height": row["height"], "theme": theme,
                 "valence": row["valence"], "arousal": row["arousal"]}  # fmt: skip
        found.append(Photograph(path, facts))
    return found


def tell(photograph: Photograph, task: str) -> list[tuple[str, str]]:
    """Return what the rules say of a photograph: question (empty of captions) and answer."""
    told = []
    for seed in range(TELLINGS):
        body = claims.request(task, photograph.facts, seed=seed)
        body["picture"] = {"sha256": photograph.path.name, "side": None}
        fields = orjson.loads(orjson.loads(answer(body))["text"])
        told.append((fields.get("question", ""), fields.get("caption") or fields["answer"]))
    return told


@pytest.fixture(scope="module")
def told(photographs: list[Photograph]) -> list[tuple[Photograph, str, str]]:
    """All captions and answers, with their photograph."""
    return [
        (photograph, asked, said)
        for photograph in photographs
        for task in ("pretrain/caption", "pretrain/vqa")
        for asked, said in tell(photograph, task)
    ]


def test_there_are_274_photographs_and_something_to_say_of_each(told: list[tuple[Photograph, str, str]]) -> None:
    assert len(told) == 274 * 2 * TELLINGS
    assert len({said for _, _, said in told}) > 0.9 * len(told)


def test_brightness_is_that_of_pillows_grey_picture(told: list[tuple[Photograph, str, str]]) -> None:
    checked = 0
    for photograph, _, said in told:
        luma = look(photograph.path).luma
        allowed = {"dark"} if luma < 0.4 + SLACK_LUMA else set()
        allowed |= {"medium"} if 0.4 - SLACK_LUMA <= luma < 0.6 + SLACK_LUMA else set()
        allowed |= {"bright"} if luma >= 0.6 - SLACK_LUMA else set()
        found = claims.levels(said, claims.BRIGHTNESS)
        assert found <= allowed, (photograph.path.name, luma, said)
        assert all(abs(share - luma) < SLACK_LUMA for share in claims.percentages(said)), (luma, said)
        checked += bool(found)
    assert checked > 600


def test_colourfulness_is_the_published_word_for_its_own_m3(told: list[tuple[Photograph, str, str]]) -> None:
    checked = 0
    for photograph, _, said in told:
        found, m3 = claims.levels(said, claims.COLOURFULNESS), look(photograph.path).m3
        assert found <= claims.nearest_words(m3, 2 * SLACK_M3), (photograph.path.name, m3, said)
        checked += bool(found)
    assert checked > 400


def test_every_colour_that_is_named_can_be_seen(told: list[tuple[Photograph, str, str]]) -> None:
    checked = 0
    for photograph, _, said in told:
        if re.match(r"(No|Not|Less)\b", said):
            continue
        looks = look(photograph.path).looks
        for family in claims.colour_words(said):
            seen = max(looks[name] for name in LOOKS_LIKE[family])
            assert sum(looks[name] for name in LOOKS_LIKE[family]) >= SEEN and seen >= SEEN / 2, (
                photograph.path.name, family, looks, said,
            )  # fmt: skip
            checked += 1
    assert checked > 1000


def test_shares_of_a_colour_are_no_larger_than_what_looks_like_it(told: list[tuple[Photograph, str, str]]) -> None:
    checked = 0
    for photograph, _, said in told:
        looks = look(photograph.path).looks
        for share, family in claims.shares(said):
            seen = min(1.0, sum(looks[name] for name in LOOKS_LIKE[family]))
            assert seen >= share - 0.05, (photograph.path.name, share, family, looks, said)
            checked += 1
    assert checked > 100


def test_colours_lean_to_the_side_on_which_more_pixels_lie(told: list[tuple[Photograph, str, str]]) -> None:
    checked = 0
    for photograph, _, said in told:
        seen = look(photograph.path)
        for side in claims.leaning(said):
            assert (seen.warm > seen.cool) == (side == "warm"), (photograph.path.name, seen.warm, seen.cool, said)
            checked += 1
    assert checked > 100


def test_shape_is_that_of_the_files_sides(told: list[tuple[Photograph, str, str]]) -> None:
    assert {(look(one.path).width, look(one.path).height) for one, _, _ in told} == {(500, 400)}
    found = [shape for _, _, said in told for shape in claims.shapes(said)]
    assert set(found) == {"wide"} and len(found) > 350
    ratios = [ratio for _, _, said in told for ratio in re.findall(r"[\d.]+ to \d+(?:\.\d+)?", said)]
    assert set(ratios) == {"5 to 4"}


def test_the_theme_is_the_tables_own_and_never_one_that_names_a_feeling(
    told: list[tuple[Photograph, str, str]], shared_data: Path
) -> None:
    table = pl.read_csv(shared_data / "oasis" / "oasis.csv")
    themes = dict(zip(table["file"], table["theme"], strict=True))
    found = [(themes[one.path.name], theme) for one, _, said in told for theme in re.findall(r'"([^"]*)"', said)]
    assert len(found) > 400
    assert all(theirs.casefold() == ours for theirs, ours in found)
    assert not any(names_emotion(f"{asked} {said}") for _, asked, said in told)
    assert not any(re.search(r"pleasant|valence|arousal", said) for _, _, said in told)
