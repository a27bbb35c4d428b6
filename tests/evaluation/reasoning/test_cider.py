"""CIDEr-D against values by hand, and against the formula written out with loops over all n-grams."""

import math
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyemo_data.evaluation.reasoning.cider import CiderD

REFERENCES = [["a cat sits"], ["a dog runs"]]
WORDS = st.lists(st.sampled_from("abcd"), max_size=7).map(" ".join)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # 1- to 3-grams have cosine 1 ("a" weighs nothing: both pictures have it); there is no 4-gram.
        ("a cat sits", 10 * 3 / 4),
        ("A cat sits.", 10 * 3 / 4),
        # cos("cat", "cat sits") = 1 / √2, lengths 1 and 3.
        ("cat", 10 / 4 / math.sqrt(2) * math.exp(-4 / 72)),
        # "cat" twice counts once: 1 / (2 √2), lengths 2 and 3.
        ("cat cat", 10 / 4 / (2 * math.sqrt(2)) * math.exp(-1 / 72)),
        ("a dog runs", 0.0),
        ("", 0.0),
    ],
)
def test_score_is_that_by_hand(text: str, expected: float) -> None:
    assert CiderD(REFERENCES).scores([text, ""])[0] == pytest.approx(expected)


def test_references_are_averaged_and_a_picture_without_any_gets_nothing() -> None:
    both = CiderD([["a cat sits", "a bird sings"], ["a dog runs"], []]).scores(["a cat sits", "", "a cat sits"])
    alone = CiderD([["a cat sits"], ["a dog runs"]]).scores(["a cat sits", ""])
    assert both[0] == pytest.approx(alone[0] / 2)
    assert both[2] == 0.0


@given(st.lists(st.tuples(WORDS, st.lists(WORDS, min_size=1, max_size=3)), min_size=1, max_size=5))
@settings(deadline=None)
def test_scores_are_those_of_the_formula_written_out(rows: list[tuple[str, list[str]]]) -> None:
    texts, references = [text for text, _ in rows], [theirs for _, theirs in rows]
    expected = [written_out(text, theirs, references) for text, theirs in rows]
    assert CiderD(references).scores(texts) == pytest.approx(expected)


def written_out(text: str, theirs: list[str], references: list[list[str]]) -> float:
    """Equation 4 of the paper, over the union of n-grams."""
    total = 0.0
    for reference in theirs:
        for n in range(1, 5):
            one, other = weigh(text, n, references), weigh(reference, n, references)
            dot = sum(min(one.get(gram, 0.0), other.get(gram, 0.0)) * other.get(gram, 0.0) for gram in {*one, *other})
            norm = math.dist(list(one.values()), [0.0] * len(one)) * math.dist(list(other.values()), [0.0] * len(other))
            apart = len(text.split()) - len(reference.split())
            total += (dot / norm if norm else 0.0) * math.exp(-(apart**2) / 72) / 4
    return 10 * total / len(theirs)


def weigh(text: str, n: int, references: list[list[str]]) -> dict[str, float]:
    counts = Counter(grams(text, n))
    found = {}
    for gram, count in counts.items():
        frequency = sum(any(gram in grams(reference, n) for reference in theirs) for theirs in references)
        found[gram] = count * (math.log(len(references)) - math.log(max(frequency, 1)))
    return found


def grams(text: str, n: int) -> list[str]:
    words = text.split()
    return [" ".join(words[place : place + n]) for place in range(len(words) - n + 1)]
