import pytest

from tests.synthesis.gates.judged import GOOD, candidate, reason_of, verdicts
from tinyemo_data.synthesis.export.trainer import ENDS


@pytest.mark.parametrize(
    "mark",
    [
        *ENDS,
        "ASSISTANT: ",
        "USER: ",
        "<s>",
        "<|im_start|>",
        "<|user|>",
        "[INST]",
        "<<SYS>>",
        "<start_of_turn>",
        "<pad>",
    ],
)
def test_trainer_marks_are_found_in_every_turn(mark: str) -> None:
    assert reason_of(f"{GOOD} {mark} and so on") == "trainer_marks/special_token"
    assert reason_of(human=f"Describe {mark} this.") == "trainer_marks/special_token"
    assert reason_of(rejected=f"{GOOD} {mark}") == "trainer_marks/special_token"


@pytest.mark.parametrize("text", ["3 < 4 and 5 > 2", "a [sign] on the wall", "an assistant: a user waits", "### 4"])
def test_what_only_looks_like_a_mark_passes(text: str) -> None:
    assert reason_of(f"{GOOD} {text}") is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("write to jane.doe+x@mail.example.co.uk now", "email_address"),
        ("see https://example.org/a?b=c", "web_address"),
        ("see www.pictures.example", "web_address"),
        ("a watermark says stockphotos.com", "web_address"),
        ("sk-ant-api03-abcdefghijklmnop", "key"),
        ("AKIAIOSFODNN7EXAMPLE", "key"),
        ("f" * 40, "key"),
    ],
)
def test_private_strings_are_found_and_not_repeated_in_the_detail(text: str, reason: str) -> None:
    ((gate, found, detail),) = verdicts([candidate(f"{GOOD} {text}")])
    assert (gate, found) == ("private_strings", reason)
    assert not any(word in str(detail) for word in text.split() if len(word) > 6)


def test_a_long_sentence_without_blanks_around_its_dots_is_no_address() -> None:
    assert reason_of(f"{GOOD} It is bright.The wall is low, e.g. two feet.") is None
