from collections import Counter

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.synthesis.gates.judged import GOOD, reason_of
from tinyemo_data.synthesis.gates.repetition import measure_repetition
from tinyemo_data.synthesis.gates.words import find_words

WORD = st.sampled_from("a b c d".split())  # noqa: SIM905


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"{GOOD} It is very very very very far.", "word_repeated"),
        (f"{GOOD} {GOOD}", "phrases_repeated"),
        (" ".join(f"on the left stands {letter * 2}," for letter in "abcdefghijklmnopq"), "phrase_too_frequent"),
    ],
)
def test_repetition_is_found(text: str, reason: str) -> None:
    assert reason_of(text) == f"repetition/{reason}"


def test_repetition_passes_what_is_said_twice_in_other_words() -> None:
    assert reason_of(f"{GOOD} Above the boat and the wall, the light of noon fills the sky.") is None


@given(st.lists(st.lists(WORD, max_size=30), min_size=1, max_size=6))
def test_measures_are_those_of_a_slow_obvious_count(texts: list[list[str]]) -> None:
    found = measure_repetition(find_words(pl.Series([" ".join(words) for words in texts])))
    for row, words in zip(found.iter_rows(named=True), texts, strict=True):
        total = max(len(words), 1)
        assert row["words"] == len(words)
        assert row["in_a_row"] == longest_run(words)
        assert row["repeated_5_grams"] == pytest.approx(len(repeated_places(words, 5)) / total)
        most = max(Counter(tuple(words[i : i + 3]) for i in range(len(words) - 2)).values(), default=0)
        assert row["most_frequent_3_gram"] == pytest.approx(min((most * 3 if most > 1 else 0) / total, 1))


def longest_run(words: list[str]) -> int:
    longest = run = 0
    for place, word in enumerate(words):
        run = run + 1 if place and words[place - 1] == word else 1
        longest = max(longest, run)
    return longest


def repeated_places(words: list[str], size: int) -> set[int]:
    starts = range(len(words) - size + 1)
    again = [i for i in starts if any(words[j : j + size] == words[i : i + size] for j in range(i))]
    return {place for start in again for place in range(start, start + size)}
