import random

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyemo_data.synthesis.gates.near_duplicates import KeptTexts
from tinyemo_data.synthesis.gates.sketches import Sketches, make_sketches
from tinyemo_data.synthesis.gates.words import find_words

VOCABULARY = [f"w{number}" for number in range(400)]
PICTURE = "ab" * 32


def draw(seed: int, length: int = 60) -> list[str]:
    chance = random.Random(seed)
    return [chance.choice(VOCABULARY) for _ in range(length)]


def change(words: list[str], count: int) -> list[str]:
    """Return the words with `count` of them, far from each other, replaced."""
    changed = list(words)
    for number in range(count):
        changed[number * len(words) // count] = f"new{number}"
    return changed


def jaccard(first: list[str], second: list[str]) -> float:
    sets = [{tuple(words[i : i + 3]) for i in range(len(words) - 2)} for words in (first, second)]
    return len(sets[0] & sets[1]) / len(sets[0] | sets[1])


def sketches(texts: list[str], pictures: list[str] | None = None) -> Sketches:
    return make_sketches(
        find_words(pl.Series(texts, dtype=pl.String)), pl.Series(pictures or [PICTURE] * len(texts)), 20
    )


def twins(
    texts: list[str], drafts: list[str] | None = None, sizes: list[int] | None = None, pictures: list[str] | None = None
) -> list[str | None]:
    """Return the twin of each text, taken in batches of these sizes."""
    kept, names = KeptTexts(0.8), drafts or [f"d{number}" for number in range(len(texts))]
    made, found, start = sketches(texts, pictures), list[str | None](), 0
    for size in sizes or [len(texts)]:
        stop = min(start + size, len(texts))
        rows = np.zeros(len(texts), np.bool_)
        rows[start:stop] = True
        batch = kept.open(made.of(rows), names[start:stop])
        for row in range(stop - start):
            twin = batch.twin_of(row)
            if twin is None:
                batch.keep(row)
            found.append(twin)
        batch.close()
        start = stop
    return found


def test_the_first_of_two_near_duplicates_stays() -> None:
    words = draw(0)
    near, other = change(words, 1), change(words, 12)
    assert jaccard(words, near) > 0.85
    assert jaccard(words, other) < 0.5
    assert twins([" ".join(one) for one in (words, near, other, words)]) == [None, "d0", None, "d0"]


def test_estimates_are_close_to_the_similarity_of_shingles() -> None:
    pairs = [(draw(seed), change(draw(seed), count)) for seed in range(40) for count in (1, 2, 4, 8, 16)]
    both = [sketches([" ".join(words) for words in side]).signatures for side in zip(*pairs, strict=True)]
    errors = (both[0] == both[1]).mean(axis=1) - [jaccard(*pair) for pair in pairs]
    assert abs(errors.mean()) < 0.02
    assert errors.std() < 0.08  # of 64 permutations: 0.0625 at most


def test_most_near_duplicates_meet_in_a_bucket() -> None:
    pairs = [(draw(seed, 100), change(draw(seed, 100), 3)) for seed in range(200)]
    assert all(0.82 < jaccard(*pair) < 0.9 for pair in pairs)
    found = [twins([" ".join(words) for words in pair])[1] for pair in pairs]
    assert found.count("d0") > 150  # the estimate itself falls short of 0.8 at times


def test_records_of_one_draft_are_no_twins() -> None:
    text = " ".join(draw(0))
    assert twins([text, text, text], drafts=["a", "a", "b"]) == [None, None, "a"]


def test_short_texts_are_twins_only_about_the_same_picture() -> None:
    texts, pictures = ["a red boat"] * 3 + ["a boat red"], ["ab" * 32, "cd" * 32, "ab" * 32, "ab" * 32]
    assert twins(texts, pictures=pictures) == [None, None, "d0", None]


def test_a_crowded_bucket_still_finds_equal_texts() -> None:
    frame = draw(0, 40)
    texts = [" ".join(frame + draw(seed, 30)) for seed in range(50)]  # formulaic: they share much, and are no twins
    assert twins(texts) == [None] * 50
    assert twins(texts + texts[40:])[50:] == [f"d{number}" for number in range(40, 50)]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 5)), min_size=1, max_size=40), st.lists(st.integers(1, 9)))
def test_twins_do_not_depend_on_the_size_of_batches(drawn: list[tuple[int, int]], sizes: list[int]) -> None:
    texts = [" ".join(change(draw(seed, 30), count) if count else draw(seed, 30)) for seed, count in drawn]
    assert twins(texts, sizes=[*sizes, len(texts)]) == twins(texts)


@pytest.mark.parametrize("texts", [[], [""], ["one two"]], ids=["none", "an empty one", "a short one"])
def test_sketches_exist_of_any_text(texts: list[str]) -> None:
    assert sketches(texts).signatures.shape == (len(texts), 64)
