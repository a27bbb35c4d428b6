"""Where candidates come from: annotations, statistics, captions, clusters; and the pictures shown for a pair."""

from typing import Any

import numpy as np
import polars as pl
import pytest

from tests.audit.bias.conftest import pictures
from tinyemo_data.audit.bias.annotated import annotated_attributes, colour_name
from tinyemo_data.audit.bias.caption_words import NOTABLE, log_odds_z, propose_words, word_table
from tinyemo_data.audit.bias.evidence import gather_evidence
from tinyemo_data.audit.bias.latent_slices import find_latent_slices
from tinyemo_data.features.statistics_table import SCHEMA
from tinyemo_data.sample import Sample


def samples(rows: list[dict[str, Any]]) -> pl.DataFrame:
    filled = [{"sample_id": f"emoset/{n}", "attributes": None, "object": None, **row} for n, row in enumerate(rows)]
    schema = Sample.create_empty().schema
    return pl.DataFrame(filled, schema={name: schema[name] for name in ("sample_id", "attributes", "object")})


def annotation(**values: Any) -> dict[str, Any]:
    names = ("brightness", "colorfulness", "scene", "object", "facial_expression", "human_action")
    return {"attributes": {**dict.fromkeys(names), **values}}


def test_every_annotated_value_becomes_a_column_that_is_null_where_nobody_looked() -> None:
    frame = annotated_attributes(
        samples([annotation(scene="beach", object=["dog", "sea"]), annotation(scene="street", object=[]), {}]), least=1
    )
    assert frame["scene: beach"].to_list() == [True, False, None]
    assert frame["object: dog"].to_list() == [True, False, None]
    assert frame["sample_id"].to_list() == ["emoset/0", "emoset/1", "emoset/2"]
    assert "face: " not in "".join(frame.columns)


def test_values_of_too_few_pictures_are_no_attribute() -> None:
    rows = [annotation(scene="beach")] * 3 + [annotation(scene="street")]
    assert [name for name in annotated_attributes(samples(rows), least=2).columns if "scene" in name] == [
        "scene: beach"
    ]


def test_numbers_become_their_lowest_and_highest_quarter() -> None:
    rows = [annotation(brightness=level / 10) for level in range(10)] + [{}]
    frame = annotated_attributes(samples(rows), least=1)
    assert frame["dark"].to_list() == [True] * 3 + [False] * 7 + [None]
    assert frame["bright"].to_list() == [False] * 7 + [True] * 3 + [None]


def test_a_level_that_most_pictures_share_is_not_both_dark_and_bright() -> None:
    rows = [annotation(brightness=level) for level in (0.5, 0.5, 0.5, 0.5, 0.5, 0.1, 0.9)]
    frame = annotated_attributes(samples(rows), least=1)
    assert not (frame["dark"] & frame["bright"]).any()
    assert not frame["dark"].all()


def test_unbiasedemos_folder_and_measured_statistics_are_attributes_too() -> None:
    rows = [{"object": "cat"}, {"object": "street"}, {"object": "cat"}, {"object": "cat"}]
    statistics = pl.DataFrame(
        {
            "sha256": ["0", "1", "2"],
            "brightness": [0.1, 0.5, 0.9],
            "colourfulness": [5.0, 20.0, 80.0],
            "dominant_colours": [[{"colour": colour, "share": 0.6}] for colour in ("#d01010", "#1010d0", "#c81414")],
        },
        schema=SCHEMA,
    ).with_columns(sample_id=pl.Series([f"emoset/{n}" for n in range(3)]))
    frame = annotated_attributes(samples(rows), statistics, least=1)
    assert frame["folder: cat"].to_list() == [True, False, True, True]
    assert frame["colour: red"].to_list() == [True, False, True, None]
    assert frame["dark pixels"].to_list() == [True, False, False, None]


@pytest.mark.parametrize(
    ("colour", "name"),
    [("#000000", "black"), ("#ffffff", "white"), ("#808080", "grey"), ("#ff0000", "red"), ("#ff0010", "red"),
     ("#ff8000", "orange"), ("#ffff00", "yellow"), ("#00c000", "green"), ("#0000ff", "blue"), ("#8000c0", "purple"),
     ("#ff40a0", "pink")],
)  # fmt: skip
def test_colour_name(colour: str, name: str) -> None:
    assert colour_name(colour) == name


def captioned(seed: int = 0) -> tuple[list[frozenset[str] | None], np.ndarray, np.ndarray]:
    """Captions in which "grave" stands where fear is wrongly predicted to be sadness."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, 1_200)
    grave = rng.random(1_200) < 0.15
    predicted = np.where(grave & (labels == 1) & (rng.random(1_200) < 0.9), 2, labels)
    words = [frozenset(f"w{n}" for n in rng.choice(30, 6, replace=False)) for _ in range(1_200)]
    return [told | {"grave"} if has else told for told, has in zip(words, grave, strict=True)], labels, predicted


def test_propose_words_finds_the_noun_that_goes_with_the_error() -> None:
    captions, labels, predicted = captioned()
    proposed = propose_words(captions, labels, predicted, 3, count=3, least=30)
    assert "grave" in proposed
    assert len(proposed) <= 3


def test_words_of_too_few_captions_are_not_proposed() -> None:
    captions, labels, predicted = captioned()
    assert "grave" not in propose_words(captions, labels, predicted, 3, count=3, least=400)
    assert propose_words([None] * 1_200, labels, predicted, 3, 3, 30) == ()


def test_log_odds_are_symmetric_and_zero_for_equal_use() -> None:
    first, second = np.array([30.0, 10.0, 5.0]), np.array([10.0, 30.0, 5.0])
    assert log_odds_z(first, second) == pytest.approx(-log_odds_z(second, first))
    assert log_odds_z(first, second)[2] == pytest.approx(0)
    assert log_odds_z(first, second)[0] > 2


def test_a_word_twice_as_common_in_few_errors_is_notable_beside_many_right_predictions() -> None:
    background = np.full(100, 150.0)
    right, wrong = np.r_[400.0, background * 10], np.r_[40.0, background * 0.5]
    assert log_odds_z(wrong, right)[0] > NOTABLE
    assert np.abs(log_odds_z(wrong, right)[1:]).max() < 1


def test_log_odds_of_no_errors_at_all_propose_nothing() -> None:
    assert log_odds_z(np.zeros(3), np.array([5.0, 6.0, 7.0])).tolist() == [0.0, 0.0, 0.0]


def test_word_table_knows_a_missing_caption_from_a_missing_word() -> None:
    table = word_table([frozenset({"dog"}), None, frozenset()], ["dog"])
    assert table.names == ("caption: dog",)
    assert table.values.tolist() == [[1], [-1], [0]]


def clustered(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Features with a cluster in which emotion 0 is taken for 1."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, 1_500)
    odd = rng.random(1_500) < 0.2
    features = rng.normal(size=(1_500, 12)) + 2.5 * np.eye(12)[labels] + 6 * odd[:, None] * np.eye(12)[8]
    return features.astype(np.float16), labels, np.where(odd & (labels == 0), 1, labels), odd


def test_latent_slices_find_the_cluster_of_errors_by_features_alone() -> None:
    features, labels, predicted, odd = clustered()
    slices = find_latent_slices(features, labels, predicted, 3, slices=6, seed=0)
    fresh, fresh_labels, _, fresh_odd = clustered(seed=1)
    table = slices.table(fresh)
    wrong = fresh_odd & (fresh_labels == 0)
    best = max(np.corrcoef(table.values[:, column], wrong)[0, 1] for column in range(table.values.shape[1]))
    assert best > 0.8
    assert table.tiers == ("latent",) * 6
    again = find_latent_slices(features, labels, predicted, 3, slices=6, seed=0).table(fresh)
    assert np.array_equal(table.values, again.values)
    assert odd.any()


def test_evidence_shows_the_worst_errors_and_like_pictures_without_the_attribute() -> None:
    rng = np.random.default_rng(0)
    values = (np.arange(200) % 2).astype(np.int8)[:, None]
    labels = np.arange(200) // 2 % 2
    made = pictures(values, labels)
    features = rng.normal(size=(200, 6)).astype(np.float16)
    shown = type(made)(made.sample_ids, labels, made.groups, made.attributes, features)
    margin, predicted = rng.normal(size=(2, 200)), np.ones(200, np.int64)
    found = gather_evidence("id", 0, 1, shown, margin, predicted)
    rows = [int(name.removeprefix("set/")) for name in found.examples]
    assert len(rows) == 12
    assert all(values[row, 0] == 1 and labels[row] == 0 for row in rows)
    assert [margin[1, row] for row in rows] == sorted((margin[1, row] for row in rows), reverse=True)
    controls = [int(name.removeprefix("set/")) for name in found.controls]
    assert len(set(controls)) == 6
    assert all(values[row, 0] == 0 and labels[row] == 0 for row in controls)
    assert gather_evidence("id", 0, 1, made, margin, predicted).controls == []
