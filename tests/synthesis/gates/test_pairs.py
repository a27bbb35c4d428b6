import pytest

from tests.synthesis.gates.judged import GOOD, candidate, reason_of, verdicts

TRIGGER = {"prompt": "triggers/detail", "human": "Which detail evokes it?"}


def test_rejected_is_chosen_when_both_answers_are_the_same() -> None:
    answer = f"It evokes awe. {GOOD}"
    found = reason_of(answer, prompt="preferences/pair", human="What is felt?", rejected=answer.upper())
    assert found == "pair/rejected_is_chosen"


def statement(text: str, draft: str) -> dict[str, object]:
    turns = [("human", f"<image>\nTrue or false: {text}"), ("gpt", "True.")]
    return candidate(turns=turns, prompt="statements/pair", question=None, draft_id=draft)


def test_statements_are_equal_when_both_of_a_draft_are() -> None:
    rows = [statement("A boat lies there.", "a"), statement("a boat lies there.", "a"),
            statement("A boat lies there.", "b"), statement("A car stands there.", "b")]  # fmt: skip
    assert [reason for _, reason, _ in verdicts(rows)] == ["statements_are_equal"] * 2 + [None] * 2


@pytest.mark.parametrize(
    ("detail", "named"),
    [("the wooden boat on the sand", True), ("Wooden Boat", True), ("the red umbrella", False), ("a dog", False)],
)
def test_detail_not_named_when_the_answer_has_few_of_its_words(detail: str, named: bool) -> None:
    expected = None if named else "detail/detail_not_named"
    assert reason_of(named_detail=detail, **TRIGGER) == (None if detail == "a dog" else expected)
    assert reason_of(named_detail=detail) is None
