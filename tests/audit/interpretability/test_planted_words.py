"""The tokens nearest to an emotion's pictures are the planted ones, against random tokens and shuffled labels."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import polars as pl

from tests.audit.interpretability.conftest import PLANTED, Planted, pictures_of
from tinyemo_data.audit.interpretability.control import draw_words
from tinyemo_data.audit.interpretability.groups import emotion_groups, slice_groups, slices_of
from tinyemo_data.audit.interpretability.options import Options
from tinyemo_data.audit.interpretability.token_rows import control_share, group_rows, nearest_of_pictures, picture_rows

OPTIONS = Options(words=4, words_a_picture=3, controls=200, shuffles=39, least=10)


def emotion_rows(planted: Planted, seed: int = 0) -> pl.DataFrame:
    control = draw_words(planted.space, OPTIONS.controls, seed)
    own, _ = nearest_of_pictures(planted.pictures, planted.space, OPTIONS.words_a_picture)
    return group_rows(emotion_groups(planted.pictures), planted.pictures, planted.space, control, own, OPTIONS)


def test_nearest_words_of_each_emotion_are_the_planted_ones(planted: Callable[..., Planted]) -> None:
    rows = emotion_rows(planted())
    for emotion, words in PLANTED.items():
        apart = rows.filter((pl.col("name") == emotion) & (pl.col("ranked_by") == "lift"))
        assert set(apart["word"]) == {emotion, *words}
        assert apart["p_shuffled"].max() == 1 / (1 + OPTIONS.shuffles)
        assert apart["share"].to_numpy().mean() > 3 * apart["share_elsewhere"].to_numpy().mean()
    near = rows.filter((pl.col("ranked_by") == "cosine") & (pl.col("rank") == 1))
    assert near["word"].to_list() == near["name"].to_list()


def test_planted_words_are_nearer_than_every_random_word(planted: Callable[..., Planted]) -> None:
    given = planted()
    words = given.space.words.words
    labels = np.array([not word.startswith("zq") for word in words])  # so that no planted word is drawn
    given = Planted(replace(given.space, labels=labels), given.pictures)
    control = draw_words(given.space, OPTIONS.controls, seed=0)
    assert len(control.numbers) == OPTIONS.controls
    rows = emotion_rows(given)
    for emotion, own in PLANTED.items():
        found = rows.filter((pl.col("name") == emotion) & pl.col("word").is_in([emotion, *own]))
        assert found["ranked_by"].to_list() == ["cosine"] * 4 + ["lift"] * 4
        assert found["p_control"].max() == round(1 / (1 + OPTIONS.controls), 5)
    numbers, _ = nearest_of_pictures(given.pictures, given.space, OPTIONS.words_a_picture)
    for members in emotion_groups(given.pictures).members:
        assert control_share(members, numbers, control) < 0.01 < rows["share"].to_numpy().mean()


def test_no_word_is_set_apart_when_emotions_are_drawn_by_lot(planted: Callable[..., Planted]) -> None:
    found = []
    for seed in range(8):
        rows = emotion_rows(planted(seed, labelled=False))
        found += rows.filter((pl.col("ranked_by") == "lift") & (pl.col("rank") == 1))["p_shuffled"].to_list()
    # 48 emotions at a level of 0.05: 2.4 expected, 7 or more in one of 100 trials.
    assert sum(p <= 0.05 for p in found) <= 6
    assert 0.3 < np.mean(found) < 0.7


def test_random_words_alone_would_call_emotions_drawn_by_lot_explained(planted: Callable[..., Planted]) -> None:
    # Why labels are shuffled: the nearest of many words is nearer than most random words, whatever the labels.
    rows = emotion_rows(planted(labelled=False)).filter((pl.col("ranked_by") == "lift") & (pl.col("rank") == 1))
    assert rows["p_control"].to_numpy().max() < 0.05 < np.median(rows["p_shuffled"].to_numpy())


def test_words_that_set_a_slice_apart_are_those_its_pictures_share_beyond_their_emotion(
    planted: Callable[..., Planted],
) -> None:
    given = planted()
    words = given.space.words.words
    rng = np.random.default_rng(5)
    member = rng.random(len(given.pictures)) < 0.3
    towards = given.space.points([words.index("picnic")])[0]
    points = given.pictures.points + 0.4 * member[:, None] * towards
    pictures = pictures_of(points.astype(np.float32), given.pictures.emotions)
    attributes = pl.DataFrame({"sample_id": pictures.sample_ids, "meadow": member, "few": [True] * 3 + [None] * 177})
    groups = slice_groups(pictures, slices_of(attributes, pictures.sample_ids), OPTIONS.least)
    assert groups.names == ("meadow",)
    control = draw_words(given.space, OPTIONS.controls, 0)
    own, _ = nearest_of_pictures(pictures, given.space, OPTIONS.words_a_picture)
    rows = group_rows(groups, pictures, given.space, control, own, OPTIONS)
    first = rows.filter((pl.col("ranked_by") == "lift") & (pl.col("rank") == 1))
    assert first["word"].to_list() == ["picnic"]
    assert first["p_shuffled"].item() <= 0.05


def test_a_difference_between_datasets_is_no_difference_between_emotions(planted: Callable[..., Planted]) -> None:
    given = planted(labelled=False)
    # All of one dataset's pictures lie elsewhere, and one emotion is in that dataset alone.
    emotions = given.pictures.emotions
    datasets = np.where(emotions == "joy", "drawings", "photographs")
    moved = given.pictures.points + (datasets == "drawings")[:, None] * given.space.points([0])
    pictures = pictures_of(moved.astype(np.float32), emotions, datasets)
    rows = emotion_rows(Planted(given.space, pictures)).filter((pl.col("name") == "joy") & (pl.col("rank") == 1))
    assert rows.filter(pl.col("ranked_by") == "lift")["lift"].item() < 1e-4
    assert rows.filter(pl.col("ranked_by") == "cosine")["word"].item() == given.space.words.words[0]


def test_picture_rows_hold_each_pictures_own_words_in_order(planted: Callable[..., Planted]) -> None:
    given = planted()
    control = draw_words(given.space, OPTIONS.controls, 0)
    numbers, cosines = nearest_of_pictures(given.pictures, given.space, OPTIONS.words_a_picture)
    rows = picture_rows(given.pictures, given.space, control, numbers, cosines)
    assert rows["name"].unique(maintain_order=True).to_list() == list(given.pictures.sample_ids)
    of_first = rows.filter(pl.col("name") == "set/0")
    assert of_first["rank"].to_list() == [1, 2, 3]
    every = given.space.points(range(len(given.space))) @ given.pictures.points[0]
    best = np.argsort(-every)[:3]
    assert of_first["word"].to_list() == [given.space.words.words[number] for number in best]
    as_near = 1 + int((control.scores(given.pictures.points[:1]) >= of_first["cosine"][2]).sum())
    assert of_first["p_control"][2] == round(as_near / 201, 5)
