import math
import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyemo_data.synthesis.diversity import Sampler, distinct_n, evenness, measure_diversity, modal_opening
from tinyemo_data.synthesis.self_bleu import EPSILON, self_bleu

TEXT = st.lists(st.sampled_from(list("abcd")), max_size=9)


def slow_bleu(text: list[str], references: list[list[str]]) -> float:
    """Return BLEU-4 as Papineni et al. write it down, with Chen and Cherry's first smoothing."""
    logs = []
    for n in range(1, 5):
        counts = Counter(tuple(text[i : i + n]) for i in range(len(text) - n + 1))
        theirs = [Counter(tuple(one[i : i + n]) for i in range(len(one) - n + 1)) for one in references]
        clipped = sum(min(count, max(of_one[gram] for of_one in theirs)) for gram, count in counts.items())
        logs.append(math.log((clipped or EPSILON) / max(sum(counts.values()), 1)))
    closest = min((len(one) for one in references), key=lambda length: (abs(length - len(text)), length))
    return (1 if len(text) >= closest else math.exp(1 - closest / len(text))) * math.exp(sum(logs) / 4)


@settings(deadline=None)
@given(st.lists(TEXT, max_size=8))
def test_self_bleu_is_that_of_a_slow_obvious_count(texts: list[list[str]]) -> None:
    filled = [text for text in texts if text]
    scores = [slow_bleu(text, filled[:i] + filled[i + 1 :]) for i, text in enumerate(filled)] if len(filled) > 1 else []
    assert self_bleu(texts) == pytest.approx(sum(scores) / len(scores) if scores else 0.0)


def test_self_bleu_is_one_of_equal_texts_and_low_of_different_ones() -> None:
    assert self_bleu([["a", "red", "boat", "lies", "there"]] * 3) == pytest.approx(1.0)
    assert self_bleu([[f"{text}{word}" for word in range(9)] for text in "abc"]) < 0.05


def test_distinct_n_is_the_share_of_different_runs() -> None:
    assert distinct_n([["a", "b", "a", "b"], ["a", "b"]], 2) == 2 / 4
    assert distinct_n([["a"], []], 2) == 1.0


def test_modal_opening_is_the_commonest_first_three_words() -> None:
    texts = [["the", "red", "boat", "lies"], ["the", "red", "boat", "sails"], ["a"], []]
    assert modal_opening(texts) == ("the red boat", 0.5)
    assert modal_opening([["b"], ["a"]]) == ("a", 0.5)
    assert modal_opening([]) == ("", 0.0)


@pytest.mark.parametrize(
    ("counts", "expected"), [([5, 5, 5], 1.0), ([7], 1.0), ([], 1.0), ([9, 0], 1.0), ([3, 1], 0.811278)]
)
def test_evenness_is_entropy_over_its_maximum(counts: list[int], expected: float) -> None:
    assert evenness(counts) == pytest.approx(expected, abs=1e-6)


def test_sample_is_the_same_whatever_the_order_and_the_parts() -> None:
    names = [f"r{number}" for number in range(500)]
    whole, parts = Sampler(size=20), Sampler(size=20)
    whole.add("t", names, names)
    mixed = names.copy()
    random.Random(0).shuffle(mixed)
    for start in range(0, 500, 7):
        parts.add("t", mixed[start : start + 7], mixed[start : start + 7])
    assert parts.texts("t") == whole.texts("t")
    assert len(whole.texts("t")) == 20
    other = Sampler(seed=1, size=20)
    other.add("t", names, names)
    assert other.texts("t") != whole.texts("t")


def test_diversity_is_told_by_task_with_its_classes() -> None:
    sampler = Sampler()
    sampler.add("s/a", ["1", "2", "3"], ["The red boat lies there.", "The red boat lies there!", "A cat."])
    found = measure_diversity(sampler, {("awe", "s/a"): 2, ("fear", "s/a"): 1, ("awe", "s/b"): 4})
    assert list(found) == ["s/a"]
    one = found["s/a"]
    assert (one.texts, one.sampled, one.smallest_class) == (3, 3, 0.5)
    assert (one.modal_opening, one.modal_opening_share) == ("the red boat", 2 / 3)
    assert one.distinct_2 == 5 / 9
    assert one.evenness == pytest.approx(0.918296, abs=1e-6)
