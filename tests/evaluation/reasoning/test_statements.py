"""Paired statements: verdicts are read from the first word that gives one, and only wholly right pairs count."""

from collections.abc import Callable, Sequence

import pytest

from tests.evaluation.reasoning.pictures import picture
from tinyemo_data.evaluation.reasoning.statements import draw_pairs, judge_pairs, measure_verdicts, verdict_of
from tinyemo_data.mm_llm.question import Question
from tinyemo_data.mm_llm.reasoning import Answer
from tinyemo_data.progress import Report
from tinyemo_data.synthesis.subject import Facts


class Speaker:
    """Answers each question by a function of its text."""

    def __init__(self, speak: Callable[[str], str]) -> None:
        self.speak = speak

    def answer(self, questions: Sequence[Question], report: Report | None = None) -> list[Answer]:
        """Return an answer a question."""
        del report
        return [Answer(self.speak(one.text), None, 1, False) for one in questions]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("True.", True),
        ("False. The light is true to life.", False),
        ("Yes, it is", True),
        ("no", False),
        ("Reasoning: untrue words", None),
        ("", None),
    ],
)
def test_verdict_is_the_first_word_that_gives_one(text: str, expected: bool | None) -> None:
    assert verdict_of(text) is expected


def test_model_that_knows_gets_all_pairs_and_one_that_says_yes_gets_none() -> None:
    pairs = draw_pairs([picture(number) for number in range(20)], 0)
    right = {f"True or false: {pair.true}" for pair in pairs}
    knows = measure_verdicts(judge_pairs(Speaker(lambda text: "True." if text in right else "False."), pairs), 200, 0)
    agrees = measure_verdicts(judge_pairs(Speaker(lambda _: "True."), pairs), 200, 0)
    mumbles = measure_verdicts(judge_pairs(Speaker(lambda _: "A cat."), pairs), 200, 0)
    assert knows and agrees and mumbles
    assert (knows.n, knows.both_right, knows.yes_rate, knows.unclear) == (20, 1.0, 0.5, 0.0)
    assert (agrees.both_right, agrees.yes_rate, agrees.yes_rate_ci95) == (0.0, 1.0, (1.0, 1.0))
    assert (mumbles.both_right, mumbles.yes_rate, mumbles.unclear) == (0.0, 0.0, 1.0)


def test_pictures_of_which_nothing_is_known_have_no_pair() -> None:
    assert draw_pairs([picture(0, facts=Facts())], 0) == []
    assert measure_verdicts([], 100, 0) is None
