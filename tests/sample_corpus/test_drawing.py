"""Drawn pictures: the same for the same seed, true to their facts, and learnable without being trivial."""

import dataclasses
import math
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tinyemo_data import taxonomy
from tinyemo_data.errors import UnknownLabelError
from tinyemo_data.sample_corpus.abstraction import draw_abstract
from tinyemo_data.sample_corpus.drawing import Drawing, draw, paint
from tinyemo_data.sample_corpus.finish import brightness, colourfulness
from tinyemo_data.sample_corpus.objects import THINGS
from tinyemo_data.sample_corpus.objects.people import FACES, POSES
from tinyemo_data.sample_corpus.plan import make_plan
from tinyemo_data.sample_corpus.style import load_styles

EMOTIONS = sorted(load_styles().emotions)
DRAWN_TAXONOMIES = ("ekman6", "mikels8", "parrott25", "unbiasedemo6")


@pytest.mark.parametrize("name", DRAWN_TAXONOMIES)
def test_every_label_of_a_taxonomy_has_a_style(name: str) -> None:
    assert set(taxonomy.get(name).labels) <= set(EMOTIONS)


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_style_names_only_what_can_be_drawn(emotion: str) -> None:
    styles, style = load_styles(), load_styles().emotion(emotion)
    assert set(style.lights) <= set(styles.lights)
    assert set(style.scenes) <= set(styles.scenes)
    assert set(style.compositions) <= set(styles.compositions)
    assert set(style.weathers) <= set(styles.weathers)
    assert set(style.objects) | set(styles.distractors) <= set(THINGS)
    assert set(style.poses) <= set(POSES)
    assert style.face in FACES


def test_draw_names_the_closest_emotion_when_there_is_no_style() -> None:
    with pytest.raises(UnknownLabelError, match=r"'sadnes'.*Did you mean 'sadness'"):
        draw("sadnes", 0)


@pytest.mark.parametrize("artist", [draw, draw_abstract], ids=["scene", "abstract"])
def test_equal_arguments_give_equal_pixels_and_other_seeds_do_not(artist: Callable[[str, int], Drawing]) -> None:
    first, again, other = artist("awe", 7), artist("awe", 7), artist("awe", 8)
    assert first.image.tobytes() == again.image.tobytes()
    assert first.facts == again.facts
    assert first.image.tobytes() != other.image.tobytes()


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(EMOTIONS), st.integers(0, 2**40), st.integers(32, 200))
def test_size_is_between_its_bounds_for_any_seed(emotion: str, seed: int, size: int) -> None:
    drawing = draw(emotion, seed, size)
    short, long = sorted(drawing.image.size)
    assert size <= short <= math.ceil(size * 1.25)
    assert long <= math.ceil(size * 1.25 * 4 / 3)
    assert 0 <= drawing.facts.brightness <= 1
    assert 0 <= drawing.facts.colourfulness <= 1


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(EMOTIONS), st.integers(0, 2**40), st.sampled_from(sorted(THINGS)))
def test_subject_is_in_the_picture_for_any_seed(emotion: str, seed: int, subject: str) -> None:
    assert subject in draw(emotion, seed, 48, subject=subject).facts.objects


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_each_object_of_the_facts_changes_pixels_of_the_picture(emotion: str) -> None:
    for seed in ("a", "b", "c"):
        plan = make_plan(emotion, seed, 96)
        whole = np.asarray(paint(plan), dtype=int)
        for item in plan.items:
            rest = dataclasses.replace(plan, items=tuple(other for other in plan.items if other is not item))
            changed = np.abs(whole - np.asarray(paint(rest), dtype=int)).max(axis=2) > 10
            assert changed.sum() >= 12, f"{item} can't be seen"


@pytest.mark.parametrize("scene", sorted(load_styles().scenes))
@pytest.mark.parametrize("horizon", [0.3, 0.8])
@pytest.mark.parametrize("slope", [-0.5, 0.5])
def test_paint_finishes_when_the_ground_leaves_the_picture(scene: str, horizon: float, slope: float) -> None:
    plan = dataclasses.replace(make_plan("awe", "steep", 48), scene=scene, horizon=horizon, slope=slope)
    assert paint(plan).size == (plan.width, plan.height)


def test_facts_name_the_items_once_the_largest_first() -> None:
    drawing = next(d for d in map(draw_joy, range(50)) if len(d.plan.items) > len(d.facts.objects))
    heights = {
        name: max(item.height for item in drawing.plan.items if item.name == name) for name in drawing.facts.objects
    }
    assert list(heights.values()) == sorted(heights.values(), reverse=True)
    assert set(heights) == {item.name for item in drawing.plan.items}


def draw_joy(seed: int) -> Drawing:
    return draw("joy", seed)


@pytest.mark.parametrize("emotion", ["anger", "contentment"])
def test_people_have_an_action_and_nobody_has_none(emotion: str) -> None:
    drawings = [draw(emotion, seed, 48) for seed in range(40)]
    style = load_styles().emotion(emotion)
    for drawing in drawings:
        facts, has_people = drawing.facts, "person" in drawing.facts.objects
        assert facts.human_action is None or (has_people and facts.human_action in style.poses)
        assert facts.human_action is not None or not has_people or facts.composition == "portrait"
        assert facts.facial_expression in ((None, style.face) if has_people else (None,))


def test_face_is_a_fact_in_portraits() -> None:
    portraits = [d for d in (draw("sadness", seed) for seed in range(120)) if d.facts.composition == "portrait"]
    assert portraits
    assert {d.facts.facial_expression for d in portraits} == {"crying"}


@settings(max_examples=15, deadline=None)
@given(st.binary(min_size=12 * 3, max_size=12 * 3))
def test_brightness_and_colourfulness_equal_loops_over_pixels(values: bytes) -> None:
    image = Image.frombytes("RGB", (4, 3), values)
    pixels = [(values[i], values[i + 1], values[i + 2]) for i in range(0, len(values), 3)]
    lumas = [(299 * r + 587 * g + 114 * b) / 1000 for r, g, b in pixels]
    assert brightness(image) == pytest.approx(sum(lumas) / len(lumas) / 255, abs=0.5 / 255 + 1e-6)
    opponents: list[list[float]] = [[r - g for r, g, _ in pixels], [(r + g) / 2 - b for r, g, b in pixels]]
    means = [sum(axis) / len(axis) for axis in opponents]
    variances = [sum((v - m) ** 2 for v in axis) / len(axis) for axis, m in zip(opponents, means, strict=True)]
    expected = math.sqrt(sum(variances)) + 0.3 * math.hypot(*means)
    assert colourfulness(image) == pytest.approx(min(expected / 109, 1), abs=1e-4)


@cache
def probe_data() -> tuple[np.ndarray, np.ndarray]:
    """Thumbnails (180, 8, 8, 3) of six emotions, and their labels."""
    labels = taxonomy.get("ekman6").labels
    pictures = [draw(label, f"probe{seed}").image for label in labels for seed in range(30)]
    small = [np.asarray(picture.resize((8, 8), Image.Resampling.BOX)) / 255 for picture in pictures]
    return np.stack(small), np.repeat(np.arange(len(labels)), 30)


def probe(features: np.ndarray, labels: np.ndarray) -> float:
    """Return the cross-validated accuracy of a logistic regression."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.05, max_iter=300))
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    return float(cross_val_score(model, features, labels, cv=folds).mean())


def test_pixels_tell_the_emotion_better_than_mean_colour_and_not_always() -> None:
    thumbnails, labels = probe_data()
    pixels = probe(thumbnails.reshape(len(labels), -1), labels)
    colour = probe(thumbnails.mean(axis=(1, 2)), labels)
    assert 0.65 < pixels < 0.95
    assert 0.3 < colour < pixels - 0.1
