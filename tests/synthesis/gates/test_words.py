import re

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from tinyemo_data.synthesis.gates.words import LONGEST, find_words

MASK = (1 << 64) - 1
RUN = re.compile(rb"[0-9A-Za-z\x80-\xff]+(?:'[0-9A-Za-z\x80-\xff]+)*")
TEXTS = st.lists(st.text(st.characters(codec="utf-8"), max_size=40) | st.text("ab' .", max_size=30), min_size=1)


def number_of(word: bytes) -> int:
    """Return FNV-1a and splitmix64's last steps as their authors write them down."""
    value = 0xCBF29CE484222325
    for byte in word[:LONGEST]:
        value = (value ^ byte) * 0x100000001B3 & MASK
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9 & MASK
    value = (value ^ value >> 27) * 0x94D049BB133111EB & MASK
    return value ^ value >> 31


@given(TEXTS)
def test_words_are_runs_of_letters_with_their_own_numbers(texts: list[str]) -> None:
    words = find_words(pl.Series(texts, dtype=pl.String))
    for number, text in enumerate(texts):
        expected = [number_of(word) for word in RUN.findall(text.encode())]
        assert words.hashes[words.starts[number] : words.starts[number + 1]].tolist() == expected


@given(TEXTS, st.integers(1, 4))
def test_grams_and_whole_depend_on_their_own_text_alone(texts: list[str], size: int) -> None:
    together = find_words(pl.Series(texts, dtype=pl.String))
    grams, whole = together.grams(size), together.whole()
    for number, text in enumerate(texts):
        alone = find_words(pl.Series([text]))
        assert (
            grams.hashes[grams.starts[number] : grams.starts[number + 1]].tolist() == alone.grams(size).hashes.tolist()
        )
        assert whole[number] == alone.whole()[0]


def test_whole_knows_the_order_of_words() -> None:
    first, second, third = find_words(pl.Series(["a red boat", "a boat red", "A red, boat!".lower()])).whole()
    assert first == third != second


def test_a_slice_of_a_longer_column_has_its_own_words() -> None:
    texts = pl.Series(["one two", "three", "four five six"])
    assert find_words(texts[1:]).counts.tolist() == [1, 3]


def test_a_word_of_a_million_bytes_takes_no_million_steps() -> None:
    assert find_words(pl.Series(["x" * 1_000_000, "x" * 1_000_001])).hashes.tolist() == [number_of(b"x" * LONGEST)] * 2
