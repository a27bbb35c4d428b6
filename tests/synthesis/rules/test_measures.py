import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.synthesis.rules.claims import WORDS, nearest_words
from tinyemo_data.synthesis.backends.rules.measures import classes, classify, ratio_of, shape_of


@given(st.floats(0, 250))
def test_colourfulness_gets_the_published_word_that_it_lies_nearest_to(value: float) -> None:
    found = classify("colourfulness", value)
    assert found is not None and found.name in nearest_words(value, slack=1e-6)


@pytest.mark.parametrize(("word", "value"), WORDS.items())
def test_published_values_get_their_own_word(word: str, value: float) -> None:
    found = classify("colourfulness", value)
    assert found is not None and found.name == word


@pytest.mark.parametrize(
    ("luma", "name"),
    [(0, "very dark"), (0.139, "very dark"), (0.14, "dark"), (0.26, "dim"), (0.399, "dim"), (0.4, "medium"),
     (0.6, "bright"), (0.78, "very bright"), (1, "very bright")],
)  # fmt: skip
def test_brightness_classes_begin_at_their_bounds(luma: float, name: str) -> None:
    found = classify("brightness", luma)
    assert found is not None and found.name == name


@pytest.mark.parametrize("measure", ["brightness", "colourfulness"])
def test_every_class_has_its_own_words(measure: str) -> None:
    said = [{p.text for p in (*one.adjectives, *one.predicates, *one.nouns)} for one in classes(measure)]
    assert sum(map(len, said)) == len(set().union(*said))
    for one in classes(measure):
        assert all(phrase.text.startswith(("a ", "an ")) for phrase in one.with_article)


@given(st.integers(1, 20_000), st.integers(1, 20_000))
def test_ratio_of_is_right_to_two_percent_and_exact_without_about(width: int, height: int) -> None:
    text = ratio_of(width, height)
    longer, shorter = (Fraction(part) for part in text.removeprefix("about ").split(" to "))
    true = Fraction(max(width, height), min(width, height))
    assert math.isclose(longer / shorter, true, rel_tol=0.021)
    assert text.startswith("about") or longer / shorter == true


@given(st.integers(1, 20_000), st.integers(1, 20_000))
def test_shape_of_never_says_what_the_sides_belie(width: int, height: int) -> None:
    found = shape_of(width, height)
    assert found is not None
    assert {"wide": width > height, "tall": height > width, "even": 0.95 < width / height < 1.06}[found.name]


@pytest.mark.parametrize("size", [(None, 5), (5, None), (None, None)])
def test_shape_of_says_nothing_without_a_size(size: tuple[int | None, int | None]) -> None:
    assert shape_of(*size) is None
