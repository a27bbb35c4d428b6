"""Mentions that are not annotated: what is found in a text, and that the rules' own sentences have none."""

import numpy as np
import pytest

from tests.evaluation.reasoning.pictures import KNOWN, picture, said
from tinyemo_data.evaluation.reasoning.grounding import count_mentions, datasets_with_lists, measure_grounding
from tinyemo_data.evaluation.reasoning.mentions import known_names, vocabulary_of
from tinyemo_data.evaluation.reasoning.rule_texts import references_of, statements_of
from tinyemo_data.evaluation.reasoning.word_forms import canonical
from tinyemo_data.synthesis.subject import Facts

OTHERS = (
    Facts(objects=("balloon", "snake", "sailing boat"), scene="stage/indoor", human_action="running"),
    Facts(objects=("house", "church"), scene="mountain_snowy", facial_expression="smiling"),
)
VOCABULARY = vocabulary_of([KNOWN, *OTHERS])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Two cats, and a cloud above them.", {"cat", "cloud"}),
        ("A bare tree stands in a meadow.", {"tree", "meadow"}),
        ("The boats pass a church; women wait.", {"boat", "church", "person"}),
        ("An indoor stage. Someone is running.", {"indoor stage", "running"}),
        ("A smile.\nPredicted Label: balloon", {"smiling"}),
        ("The light may recall a balloon and a snake, and so does a cat.", {"cat"}),
        ("It is like a house.", set()),
        ("A person looking at it might feel small.", set()),
        ("A catalogue of clouded thoughts.", set()),
        ("Reasoning: snowy mountains", set()),
        ("", set()),
    ],
)
def test_mentions_are_found_in_any_form_and_comparisons_passed_over(text: str, expected: set[str]) -> None:
    assert VOCABULARY.find(text) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Cats", "cat"), ("city", "city"), ("berries", "berry"), ("boxes", "box"), ("glass", "glass"), ("bus", "bus"),
     ("children", "person"), ("sailing_boat", "boat"), ("stage/indoor", "indoor stage"), ("", "")],
)  # fmt: skip
def test_name_is_brought_to_one_form(name: str, expected: str) -> None:
    assert canonical(name) == expected


def test_kinds_of_a_thing_are_the_thing_and_an_action_implies_a_person() -> None:
    assert known_names(Facts(objects=("hot air balloon",))) == {"hot air balloon", "balloon"}
    assert "person" in known_names(OTHERS[0])
    assert "person" not in known_names(KNOWN)


def test_rates_are_hallucinated_over_mentioned() -> None:
    pictures = [picture(number) for number in range(3)]
    answers = [said("A cat and a snake."), said("A house."), said("Nothing of the kind.")]
    counted = count_mentions(pictures, answers, VOCABULARY, {"emoset"})
    assert (counted.said.tolist(), counted.hallucinated.tolist()) == ([2.0, 1.0, 0.0], [1.0, 1.0, 0.0])
    found = measure_grounding(counted, pictures, 200, 0)
    assert (found.n, found.mentions, found.hallucinated) == (3, 3, 2)
    assert found.rate == pytest.approx(2 / 3, abs=1e-6)
    assert found.texts_with_hallucination == pytest.approx(2 / 3, abs=1e-6)
    assert found.covered == pytest.approx(1 / 12, abs=1e-6)  # of cat, tree, cloud and meadow in each of three
    assert found.ci95 is not None
    assert found.ci95[0] <= 2 / 3 <= found.ci95[1]


def test_pictures_whose_annotators_list_nothing_are_left_out() -> None:
    single = picture(1, dataset="unbiasedemo", facts=Facts(objects=("dog",)))
    pictures = [picture(0), single, picture(2, facts=Facts())]
    assert datasets_with_lists(pictures) == {"emoset"}
    assert count_mentions(pictures, [said("A cat.")] * 3, VOCABULARY, {"emoset"}).rows == [0]
    nothing = measure_grounding(count_mentions(pictures, [said("")] * 3, VOCABULARY, set()), pictures, 100, 0)
    assert (nothing.n, nothing.rate, nothing.ci95, nothing.covered) == (0, None, None, None)


def test_rules_say_nothing_that_is_not_known() -> None:
    facts = [KNOWN, *OTHERS]
    pictures = [
        picture(number, emotion, facts=facts[number % 3]) for number, emotion in enumerate(["awe", "fear"] * 12)
    ]
    answers = [said(references_of(one, 0)[0]) for one in pictures]
    counted = count_mentions(pictures, answers, VOCABULARY, {"emoset"})
    assert counted.hallucinated.sum() == 0
    assert counted.said.sum() > len(pictures) / 2


def test_rules_give_several_references_and_two_statements_that_differ() -> None:
    references = references_of(picture(0), 0)
    assert len(references) == len(set(references)) > 1
    assert references == references_of(picture(0), 0) != references_of(picture(0), 1)
    statements = statements_of(picture(0), 0)
    assert statements is not None
    assert statements[0] != statements[1]
    assert references_of(picture(0, facts=Facts()), 0) == []


def test_counts_are_floats_that_resampling_takes() -> None:
    counted = count_mentions([picture(0)], [said("A cat.")], VOCABULARY, {"emoset"})
    assert counted.said.dtype == counted.hallucinated.dtype == np.float64
