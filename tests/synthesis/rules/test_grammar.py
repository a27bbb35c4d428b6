import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyemo_data.errors import PromptError
from tinyemo_data.synthesis.backends.rules.filling import conjugate, fill, finish
from tinyemo_data.synthesis.backends.rules.grammar import Phrase, parse_pattern

SHARED = {"picture": "picture|image", "this_picture": "this @picture", "loop": "a|@loop"}
SLOTS = {"thing": (Phrase("a bench"),), "tones": (Phrase("dim tones", plural=True),), "name": (Phrase('"dog"'),)}


def sentences(source: str) -> set[str]:
    pattern = parse_pattern(source, SHARED, "here")
    return {fill(pattern, SLOTS, random.Random(seed)) for seed in range(60)}


def test_fill_gives_every_alternative_and_no_other() -> None:
    assert sentences("(in|on (the|a) edge of) @this_picture") == {
        f"{place} this {noun}." for place in ("In", "On the edge of", "On a edge of") for noun in ("picture", "image")
    }


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("$thing $thing~tend to stay", "A bench tends to stay."),
        ("$tones $tones~tend to stay", "Dim tones tend to stay."),
        ("there $tones~be $tones", "There are dim tones."),
        ("there $thing~be $thing", "There is a bench."),
        ("$thing, and again $thing", "A bench, and again a bench."),
        ("is there $thing?", "Is there a bench?"),
        ("the theme is $name", 'The theme is "dog".'),
        ("describe it.", "Describe it."),
    ],
)
def test_fill_agrees_in_number_and_ends_as_it_should(source: str, sentence: str) -> None:
    assert sentences(source) == {sentence}


def test_fill_says_the_same_phrase_where_a_slot_comes_twice() -> None:
    pattern = parse_pattern("$a or $a", {}, "here")
    slots = {"a": (Phrase("x"), Phrase("y"), Phrase("z"))}
    assert {fill(pattern, slots, random.Random(seed)) for seed in range(40)} == {"X or x.", "Y or y.", "Z or z."}


@pytest.mark.parametrize(
    ("verb", "one", "many"),
    [
        ("be", "is", "are"), ("have", "has", "have"), ("say", "says", "say"), ("carry", "carries", "carry"),
        ("go", "goes", "go"), ("pass", "passes", "pass"), ("reach", "reaches", "reach"), ("tend", "tends", "tend"),
    ],
)  # fmt: skip
def test_conjugate_gives_the_third_person(verb: str, one: str, many: str) -> None:
    assert (conjugate(verb, plural=False), conjugate(verb, plural=True)) == (one, many)


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("(a|b", "bracket is not closed"), ("a)", "stands outside"), ("a|b", "stands outside"),
        ("@pictur", "no '@pictur'"), ("$ 5", "expected"), ("@loop", "circle"),
    ],
)  # fmt: skip
def test_parse_pattern_names_place_and_fault(source: str, fault: str) -> None:
    with pytest.raises(PromptError, match=rf"^here: .*{fault}"):
        parse_pattern(source, SHARED, "here")


@given(st.text("ab$@(|)~ ", max_size=30))
def test_parse_pattern_gives_a_pattern_or_one_error_for_any_text(source: str) -> None:
    try:
        pattern = parse_pattern(source, {"a": "x|y"}, "here")
    except PromptError as exc:
        assert str(exc).startswith("here")
    else:
        text = fill(pattern, dict.fromkeys(pattern.slots, (Phrase("word"),)), random.Random(0))
        assert not set("$@(|)") & set(text)


@given(st.text(max_size=20))
def test_finish_ends_every_sentence_once(text: str) -> None:
    assert finish(finish(text)) == finish(text)
