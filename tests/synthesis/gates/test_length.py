import dataclasses

import pytest

from tests.synthesis.gates.judged import candidate, reason_of, verdicts
from tinyemo_data.synthesis.gates.limits import ANSWER_WORDS, DEFAULT
from tinyemo_data.synthesis.prompt import prompt_ids

WORDS = [f"the {chr(97 + n // 26 % 26)}{chr(97 + n % 26)}x" for n in range(400)]


def text(count: int) -> str:
    """Return so many words, few of them twice."""
    return " ".join(WORDS[: -(-count // 2)]).rsplit(" ", count % 2)[0]


def test_every_prompt_has_a_range_of_its_own() -> None:
    assert set(ANSWER_WORDS) == set(prompt_ids())


@pytest.mark.parametrize("prompt", ["pretrain/caption", "hq/reasoning", "triggers/detail"])
def test_answers_pass_at_the_ends_of_their_range_and_not_beyond(prompt: str) -> None:
    least, most = ANSWER_WORDS[prompt]
    found = verdicts([candidate(text(n), prompt=prompt) for n in (least - 1, least, most, most + 1)])
    assert [reason for _, reason, _ in found] == ["answer_too_short", None, None, "answer_too_long"]


def test_rejected_answers_are_measured_as_well() -> None:
    given = {"prompt": "preferences/pair", "gpt": "It evokes awe. " + text(10)}
    assert reason_of(**given, rejected="The sea.") == "length/rejected_too_short"
    assert reason_of(**given, rejected=text(300)) == "length/rejected_too_long"


def test_questions_are_measured_where_a_model_wrote_them() -> None:
    asked = {"prompt": "pretrain/vqa", "question": None}
    assert reason_of(human="What?", **asked) == "length/question_too_short"
    assert reason_of(human=text(81), **asked) == "length/question_too_long"
    assert reason_of(human="What?") is None


def test_a_conversation_that_the_trainer_would_cut_is_too_long() -> None:
    limits = dataclasses.replace(DEFAULT, conversation_bytes=150)
    ((gate, reason, detail),) = verdicts([candidate(text(40))], limits)
    assert (gate, reason) == ("length", "conversation_too_long")
    assert detail == "190 bytes, at most 150"
