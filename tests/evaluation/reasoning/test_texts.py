"""Figures of texts: likeness to references, diversity, and the parts of an answer."""

import numpy as np
import pytest

from tinyemo_data.evaluation.reasoning.similarity import Scorer, measure_similarity
from tinyemo_data.evaluation.reasoning.texts import argument_of
from tinyemo_data.evaluation.reasoning.variety import measure_variety

SENTENCES = ["A cat sits by the old gate in the rain.", "Two dogs run over a meadow full of flowers."]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Reasoning: dark trees.\nPredicted Label: fear", "dark trees."),
        ("dark trees. predicted label = fear. Reasoning: more", "dark trees."),
        ("Dark trees.", "Dark trees."),
        ("Predicted Label: awe", ""),
    ],
)
def test_argument_is_the_answer_without_heading_and_label(text: str, expected: str) -> None:
    assert argument_of(text) == expected


def test_metrics_are_highest_for_a_reference_itself_and_nothing_for_other_words() -> None:
    scorer = Scorer([[SENTENCES[0], "Something else stands here."], [SENTENCES[1]]])
    same, other = scorer.scores(SENTENCES), scorer.scores(["xyz", "xyz"])
    assert same["rouge_l"].tolist() == [1.0, 1.0]
    assert same["chrf"] == pytest.approx([100.0, 100.0])
    assert same["cider_d"][1] == pytest.approx(10.0)
    assert other["rouge_l"].tolist() == other["cider_d"].tolist() == [0.0, 0.0]
    swapped = scorer.scores(SENTENCES[::-1])
    assert all((same[name] > swapped[name]).all() for name in same)


def test_rouge_l_is_that_by_hand() -> None:
    # The longest common subsequence of 5 and 3 words has 3: P = 3/5, R = 1.
    found = Scorer([["a cat sits"]]).scores(["a black cat always sits"])
    assert found["rouge_l"][0] == pytest.approx(2 * 0.6 / 1.6)


def test_mean_lies_within_its_interval() -> None:
    found = measure_similarity({"chrf": np.array([10.0, 20.0, 60.0])}, 200, 0)["chrf"]
    assert found.mean == 30.0
    assert found.ci95[0] < 30.0 < found.ci95[1]


def test_equal_texts_have_no_variety_and_different_ones_all() -> None:
    equal, different = measure_variety([SENTENCES[0]] * 4), measure_variety(SENTENCES)
    assert (equal.modal_share, different.modal_share) == (1.0, 0.5)
    assert equal.self_bleu == pytest.approx(1.0)
    assert equal.distinct_2 < different.distinct_2 == 1.0
    assert equal.words == 10.0
