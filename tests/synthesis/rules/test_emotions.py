"""The lexicon and all wording: complete for every taxonomy, and silent about every label."""

import random
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tinyemo_data import taxonomy
from tinyemo_data.errors import UnknownLabelError
from tinyemo_data.synthesis.backends.rules import lexicon
from tinyemo_data.synthesis.backends.rules.colour_names import COLOURS, families
from tinyemo_data.synthesis.backends.rules.emotion_words import names_emotion
from tinyemo_data.synthesis.backends.rules.evidence import Cue, draw_cues
from tinyemo_data.synthesis.backends.rules.grammar import Phrase
from tinyemo_data.synthesis.backends.rules.kinds import read_table
from tinyemo_data.synthesis.backends.rules.measures import MEASURES
from tinyemo_data.synthesis.backends.rules.slots import FACTS
from tinyemo_data.synthesis.backends.rules.wording import pools
from tinyemo_data.synthesis.gates.label_words import label_of_words
from tinyemo_data.synthesis.tasks import notes

LABELS = sorted({label for name in taxonomy.names() for label in taxonomy.get(name).labels})
EMOTIONS = yaml.safe_load(lexicon.EMOTIONS.read_text(encoding="utf-8"))
# Slots besides those of facts, and the files whose patterns may use them.
OTHERS = {
    "reasons": {"subject", "subject_b", "effect", "effect_b", "it", "counter", "feeling"},
    "sqa": {"subject", "effect", "label", "counter"},
    "triggers": {"subject", "effect", "label", "it"},
    "preferences": {"label", "invented", "effect"},
    "dialogue": {"label", "subject"},
    "statements": {"label", "leading", "fact", "right", "wrong"},
    "vqa": {"asked", "family", "shade", "others_than_asked"},
}


def texts(value: Any) -> Iterator[str]:
    """Yield all texts of a YAML value, keys aside."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from texts(item)
    elif isinstance(value, str):
        yield value


@pytest.mark.parametrize("label", LABELS)
def test_every_label_of_every_taxonomy_has_cues_of_light_colours_and_things(label: str) -> None:
    found = lexicon.emotion(label)
    assert {kind for kind, _ in found.effects} == set(lexicon.KINDS)
    assert len(found.feelings) >= 3 and label in found.named[0].text
    assert all(found.effects.values())


def test_emotion_names_the_nearest_when_a_label_is_unknown() -> None:
    with pytest.raises(UnknownLabelError, match="Did you mean 'sadness'"):
        lexicon.emotion("sadnes")


def test_cues_of_a_likeness_are_taken_over_but_those_that_are_replaced() -> None:
    love, affection = lexicon.emotion("love").effects, lexicon.emotion("affection").effects
    assert affection["hue", "pink"] == love["hue", "pink"]
    assert affection["thing", "companion"] != love["thing", "companion"]
    assert set(love) <= set(affection)


def test_every_cue_is_of_a_kind_that_pictures_can_have() -> None:
    people, hues = read_table("people"), {*families(), "warm", "cool", "neutral"}
    known = {
        "light": {"dark", "medium", "bright"}, "colour": {"muted", "medium", "vivid"}, "hue": hues,
        "place": set(read_table("places")), "thing": set(read_table("things")["kinds"]),
        "pose": set(people["poses"]), "face": set(people["faces"]),
    }  # fmt: skip
    for label, entry in EMOTIONS.items():
        for kind in set(entry) - {"like", "named", "feeling"}:
            assert set(entry[kind]) <= known[kind], (label, kind)


def test_no_text_of_the_lexicon_or_the_wording_names_an_emotion() -> None:
    tables = [MEASURES, COLOURS]
    said = [
        text
        for entry in EMOTIONS.values()
        for key in entry
        if key not in ("like", "named")
        for text in texts(entry[key])
    ]
    said += [pattern.source for pool in pools() for pattern in pool.patterns]
    said += [*read_table("things")["absent"], *read_table("people")["felt_as"].values()]
    said += [kind["sample"] for kind in read_table("places").values() if kind["sample"]]
    said += [text for path in tables for text in texts(yaml.safe_load(path.read_text(encoding="utf-8")))]
    assert [text for text in said if names_emotion(text)] == []


@pytest.mark.parametrize("word", ["dim", "dark", "bright", *families()])
def test_no_effect_holds_a_word_for_brightness_or_a_colour(word: str) -> None:
    effects = [text for entry in EMOTIONS.values() for kind in lexicon.KINDS for text in texts(entry.get(kind, {}))]
    assert [text for text in effects if f" {word} " in f" {text} "] == []


def test_every_pattern_names_slots_that_there_are() -> None:
    for pool in pools():
        file = pool.where.split(".yaml")[0].rsplit("/", 1)[1]
        known = {*FACTS, *OTHERS.get(file, set())}
        assert [pattern.source for pattern in pool.patterns if not pattern.slots <= known] == []


@pytest.mark.parametrize("word", sorted(label_of_words()))
def test_names_emotion_finds_every_word_that_a_gate_takes_for_a_label(word: str) -> None:
    assert names_emotion(f"some {word}, it seems")


def test_names_emotion_finds_labels_spellings_and_synonyms_of_every_taxonomy() -> None:
    for name in taxonomy.names():
        known = taxonomy.get(name)
        synonyms = {word for label in known.labels for word in taxonomy.synonyms(label)} - {"good", "bad", "mixed"}
        for word in [*known.labels, *known.aliases, *(synonyms if name != "sentiment" else ())]:
            assert names_emotion(word.upper()), word


@pytest.mark.parametrize("text", ["funeral", "a fire", "a lake", "a pleasant day", "glass", ["grateful", "dead"][1]])
def test_names_emotion_lets_other_words_be(text: str) -> None:
    assert not names_emotion(text)
    assert not notes.names_emotion(text)


@pytest.mark.parametrize("name", ["ekman6", "mikels8", "parrott25", "unbiasedemo6", "sentiment"])
def test_contrary_labels_are_of_the_other_polarity(name: str) -> None:
    polarity = dict(zip(("positive", "negative"), ("positive", "negative"), strict=True))
    if name != "sentiment":
        polarity = dict(taxonomy.get_map(f"{name}_to_sentiment").pairs)
    for label in taxonomy.get(name).labels:
        others = lexicon.contrary_labels(label, name)
        assert others and label not in others
        if polarity.get(label, "ambiguous") != "ambiguous":
            assert {polarity[other] for other in others} == {"positive", "negative"} - {polarity[label]}


def test_contrary_labels_are_none_without_a_taxonomy() -> None:
    assert lexicon.contrary_labels("joy", None) == ()


def test_draw_cues_gives_effects_that_sound_differently_and_concrete_cues_more_often() -> None:
    thing = Cue("thing", (Phrase("a bench"),), (Phrase("make the whole feel old"),))
    light = Cue(
        "light", (Phrase("dim tones", plural=True),), (Phrase("make the whole feel cold"), Phrase("press on it"))
    )
    drawn = [draw_cues([light, thing], 2, random.Random(seed)) for seed in range(300)]
    assert all(len({cue.effects[0].text[:14] for cue in cues}) == len(cues) for cues in drawn)
    assert 150 < sum(cues[0].kind == "thing" for cues in drawn) < 250
