"""Interpretability of a projector on the real Emotion6 features, to a language model with planted embeddings."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from tests.audit.interpretability.conftest import PLANTED, World, write_language_model
from tinyemo_data.audit.interpretability import report as places
from tinyemo_data.audit.interpretability.materialize import Explained, materialize_interpretability
from tinyemo_data.audit.interpretability.options import Options
from tinyemo_data.audit.interpretability.report import read_report, word_table
from tinyemo_data.errors import CheckpointError, LanguageModelError, SettingsError, StoreError
from tinyemo_data.store import Store

KEYS = (places.REPORT_KEY, places.TOKENS_KEY, places.MAP_KEY, places.PICTURE_KEY)
OPTIONS = Options(shuffles=39, controls=300)


@pytest.fixture(scope="module")
def explained(world: World) -> Explained:
    return materialize_interpretability(world.store, world.settings, world.slug, OPTIONS)


def test_words_nearest_to_real_pictures_of_an_emotion_are_the_planted_ones(explained: Explained) -> None:
    groups = {group.name: group for group in explained.report.judged}
    assert set(groups) == set(PLANTED)
    for emotion, words in PLANTED.items():
        group = groups[emotion]
        assert group.own_word is not None
        assert group.own_word.rank <= 2
        assert {emotion, *words} <= set(group.words_by_cosine)
        assert {emotion, *words} <= set(group.words_by_lift[:6])
        assert group.own_word_is_near
        assert group.beats_control
        assert group.share > 10 * group.control_share


def test_emotions_that_the_projector_was_not_taught_have_no_group(explained: Explained) -> None:
    assert {group.name for group in explained.report.groups} == set(PLANTED)
    assert explained.report.context["looked_at"] == [
        {"dataset": "emotion6", "split": "validation", "pictures": 292, "of": 292}
    ]


def test_tables_hold_every_picture_and_the_map_every_prototype(explained: Explained, world: World) -> None:
    tokens = world.store.read_table(places.TOKENS_KEY)
    assert tokens.equals(explained.tokens)
    assert tokens.filter(pl.col("kind") == "picture").group_by("name").len()["len"].to_list() == [5] * 292
    coordinates = world.store.read_table(places.MAP_KEY)
    assert coordinates.group_by("kind").len().sort("kind")["len"].to_list() == [292, 6]
    # Most pictures lie nearer to their own star than to the opposite one.
    stars = {row["emotion"]: (row["x"], row["y"]) for row in coordinates.filter(kind="prototype").to_dicts()}
    joy = coordinates.filter(kind="picture", emotion="joy")
    away = [((joy["x"] - x) ** 2 + (joy["y"] - y) ** 2).mean() for x, y in (stars["joy"], stars["sadness"])]
    assert away[0] < away[1]


def test_second_run_gives_byte_identical_files(explained: Explained, world: World) -> None:
    before = {key: world.store.digest(key) for key in KEYS}
    materialize_interpretability(world.store, world.settings, world.slug, OPTIONS)
    assert {key: world.store.digest(key) for key in KEYS} == before


def test_read_report_gives_what_was_written(explained: Explained, world: World) -> None:
    found = read_report(world.store)
    assert found == explained.report
    assert word_table(found.judged)["emotion"].to_list() == sorted(PLANTED)


def test_fewer_pictures_are_looked_at_when_a_dataset_is_large_and_the_report_says_so(
    world: World, explained: Explained
) -> None:
    made = materialize_interpretability(world.store, world.settings, world.slug, replace(OPTIONS, pictures=60))
    assert "emotion6: 60 of 292 pictures were looked at." in made.report.notes
    assert made.tokens.filter(pl.col("kind") == "picture")["name"].n_unique() == 60


def test_materialize_interpretability_refuses_a_store_without_a_projector(world: World, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="Materialize projector/prototypes again"):
        materialize_interpretability(Store(tmp_path / "empty"), world.settings, world.slug)


def test_materialize_interpretability_refuses_another_language_model(world: World, tmp_path: Path) -> None:
    other = world.settings.model_copy(
        update={"language_model": str(write_language_model(tmp_path / "other-lm", dict(PLANTED), seed=5))}
    )
    with pytest.raises(LanguageModelError, match="prototypes are of planted-lm; the embeddings of other-lm do not"):
        materialize_interpretability(world.store, other, world.slug)


def test_read_report_refuses_what_another_version_wrote(store: Store) -> None:
    store.write_json(places.REPORT_KEY, {"groups": [{"name": "joy"}], "context": {}, "notes": []})
    with pytest.raises(StoreError, match="not as this version writes it"):
        read_report(store)


@pytest.mark.parametrize("name", ["words", "controls", "shuffles", "least", "pictures"])
def test_options_refuse_a_count_that_no_report_can_be_made_with(name: str) -> None:
    with pytest.raises(SettingsError, match=rf"interpretability\.{name}: expected at least"):
        Options(**{name: 0})
