import pickle
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tinyemo_data import taxonomy
from tinyemo_data.errors import SettingsError, UnknownLabelError
from tinyemo_data.taxonomy import TAXONOMIES, LabelMap, Taxonomy, read_taxonomies

ALL = [taxonomy.get(name) for name in taxonomy.names()]
SIZES = {"ekman6": 6, "mikels8": 8, "parrott25": 25, "sentiment": 3, "unbiasedemo6": 6}


def _ids(named: Any) -> str:
    return str(named.name)


def test_names_are_the_taxonomies_with_their_published_sizes() -> None:
    assert {name: len(taxonomy.get(name).labels) for name in taxonomy.names()} == SIZES


@pytest.mark.parametrize("found", ALL, ids=_ids)
def test_taxonomy_has_sorted_unique_labels_and_a_source(found: Taxonomy) -> None:
    assert list(found.labels) == sorted(set(found.labels))
    assert found.source and found.title


@pytest.mark.parametrize(
    ("name", "spelling", "label"),
    [
        ("mikels8", "'Content'", "contentment"),
        ("mikels8", "sad", "sadness"),
        ("mikels8", "  Amusement\t", "amusement"),
        ("parrott25", "cheerfullness", "cheerfulness"),
        ("parrott25", "irritabilty", "irritability"),
        ("ekman6", '"JOY"', "joy"),
    ],
)
def test_canonical_accepts_the_spellings_of_real_datasets(name: str, spelling: str, label: str) -> None:
    assert taxonomy.get(name).canonical(spelling, "row 1") == label


@given(
    st.sampled_from([(found, label) for found in ALL for label in found.labels]),
    st.text(" \t'\"\n", max_size=4),
    st.booleans(),
)
def test_canonical_ignores_case_blanks_and_quotes(pair: tuple[Taxonomy, str], wrapping: str, upper: bool) -> None:
    found, label = pair
    spelling = wrapping + (label.upper() if upper else label) + wrapping
    assert found.canonical(spelling, "row 1") == label
    assert found.canonical(found.canonical(spelling, "row 1"), "row 1") == label


@given(st.sampled_from(ALL), st.text())
def test_canonical_gives_a_known_label_or_unknown_label_error_for_any_text(found: Taxonomy, text: str) -> None:
    try:
        assert found.canonical(text, "row 1") in found.labels
    except UnknownLabelError as exc:
        assert "row 1" in str(exc)


def test_canonical_error_names_the_place_the_label_the_nearest_all_known_and_the_mend() -> None:
    with pytest.raises(UnknownLabelError) as caught:
        taxonomy.get("ekman6").canonical("sadnes", "ground_truth.txt, row 7")
    message = str(caught.value)
    for part in (
        "ground_truth.txt, row 7",
        "'sadnes'",
        "Did you mean 'sadness'?",
        "aliases of ekman6",
        "surprise",
    ):
        assert part in message


def test_a_label_of_another_taxonomy_is_unknown() -> None:
    with pytest.raises(UnknownLabelError, match="love"):
        taxonomy.get("ekman6").canonical("love", "row 1")


def test_get_names_the_nearest_taxonomy_when_unknown() -> None:
    with pytest.raises(SettingsError, match="Did you mean 'mikels8'"):
        taxonomy.get("mikel8")
    with pytest.raises(SettingsError, match="Did you mean 'mikels8_to_ekman6'"):
        taxonomy.get_map("mikels8_to_ekman")


@pytest.mark.parametrize("found", taxonomy.maps(), ids=_ids)
def test_map_says_something_of_every_label_and_stays_inside_its_target(found: LabelMap) -> None:
    labels = taxonomy.get(found.source_taxonomy).labels
    assert sorted([*found.pairs, *found.unmapped]) == list(labels)
    assert set(found.pairs.values()) <= set(taxonomy.get(found.target_taxonomy).labels)
    assert found.source
    assert taxonomy.get_map(found.name) == found


def test_the_two_public_parrott_maps_disagree_as_published() -> None:
    original = taxonomy.get_map("parrott25_to_ekman6_original").pairs
    tree = taxonomy.get_map("parrott25_to_unbiasedemo6_tree").pairs
    for label, theirs, others in [
        ("disgust", "disgust", "anger"),
        ("gratitude", "joy", "love"),
        ("enthrallment", "surprise", "joy"),
    ]:
        assert (original[label], tree[label]) == (theirs, others)
    assert original["sympathy"] == tree["sympathy"] == "sadness"


def test_every_emotion_has_a_polarity() -> None:
    mapped = {found.source_taxonomy for found in taxonomy.maps() if found.target_taxonomy == "sentiment"}
    assert mapped == set(taxonomy.names()) - {"sentiment"}


@pytest.mark.parametrize("found", ALL, ids=_ids)
def test_synonyms_are_three_words_that_are_no_label(found: Taxonomy) -> None:
    labels = {label for other in ALL for label in other.labels}
    for label in found.labels:
        words = taxonomy.synonyms(label)
        assert len(set(words)) == 3
        assert not set(words) & labels


def test_synonyms_reports_the_nearest_label_when_unknown() -> None:
    with pytest.raises(UnknownLabelError, match="Did you mean 'cheerfulness'"):
        taxonomy.synonyms("cheerfullness")


def test_taxonomy_survives_pickling_between_processes() -> None:
    for found in ALL:
        assert pickle.loads(pickle.dumps(found)) == found


def _broken(path: Path, keys: tuple[str, ...], value: object) -> Path:
    content = yaml.safe_load(TAXONOMIES.read_text(encoding="utf-8"))
    at = content
    for key in keys[:-1]:
        at = at[key]
    at[keys[-1]] = value
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("keys", "value", "entry"),
    [
        (("taxonomies", "ekman6", "labels"), ["joy", "anger"], "taxonomies.ekman6.labels"),
        (("taxonomies", "ekman6", "aliases"), {"glad": "gladness"}, "taxonomies.ekman6.aliases"),
        (("taxonomies", "ekman6", "aliases"), {"joy": "anger"}, "taxonomies.ekman6.aliases"),
        (("taxonomies", "ekman6", "aliases"), {"Joyful": "joy"}, "taxonomies.ekman6"),
        (("taxonomies", "ekman6", "source"), "", "taxonomies.ekman6.source"),
        (("taxonomies", "ekman6", "lables"), [], "taxonomies.ekman6.lables"),
        (("maps", "mikels8_to_ekman6", "pairs", "awe"), "wonder", "maps.mikels8_to_ekman6.pairs"),
        (("maps", "mikels8_to_ekman6", "pairs", "boredom"), "joy", "maps.mikels8_to_ekman6.pairs"),
        (("maps", "mikels8_to_ekman6", "to"), "ekman7", "maps.mikels8_to_ekman6"),
        (("synonyms", "labels", "joy"), ["happiness", "delight"], "synonyms.labels.joy"),
        (("synonyms", "labels", "joy"), ["happiness", "delight", "love"], "synonyms.labels.joy"),
        (("synonyms", "labels", "boredom"), ["ennui", "tedium", "dullness"], "synonyms.labels"),
    ],
)
def test_reading_names_the_entry_that_is_wrong(
    tmp_path: Path, keys: tuple[str, ...], value: object, entry: str
) -> None:
    path = _broken(tmp_path / "taxonomies.yaml", keys, value)
    with pytest.raises(SettingsError) as caught:
        read_taxonomies(path)
    assert entry in str(caught.value) and str(path) in str(caught.value)


def test_a_map_that_forgets_a_label_is_refused(tmp_path: Path) -> None:
    pairs = dict(taxonomy.get_map("mikels8_to_ekman6").pairs)
    del pairs["awe"]
    path = _broken(tmp_path / "taxonomies.yaml", ("maps", "mikels8_to_ekman6", "pairs"), pairs)
    with pytest.raises(SettingsError, match="awe"):
        read_taxonomies(path)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"a: [", b"", b"- 1"], ids=["binary", "yaml", "empty", "list"])
def test_reading_a_file_that_is_no_taxonomies_raises_settings_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "taxonomies.yaml"
    path.write_bytes(content)
    with pytest.raises(SettingsError, match=r"taxonomies\.yaml"):
        read_taxonomies(path)
