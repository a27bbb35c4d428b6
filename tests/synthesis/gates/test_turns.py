import pytest

from tests.synthesis.gates.judged import GOOD, reason_of

HUMAN, GPT = ("human", "<image>\nWhat is this?"), ("gpt", GOOD)


def test_a_sound_record_passes_every_gate() -> None:
    assert reason_of() is None


@pytest.mark.parametrize(
    "turns",
    [[], [HUMAN], [GPT, HUMAN], [HUMAN, GPT, HUMAN], [HUMAN, HUMAN, GPT, GPT], [("user", HUMAN[1]), GPT]],
    ids=["none", "one", "swapped", "odd", "twice in a row", "another sender"],
)
def test_roles_do_not_alternate(turns: list[tuple[str, str]]) -> None:
    assert reason_of(turns=turns) == "roles/roles_do_not_alternate"


@pytest.mark.parametrize(
    ("turns", "reason"),
    [
        ([("human", "What is this?"), GPT], "image_token_missing"),
        ([("human", "<image>\n<image>\nWhat is this?"), GPT], "image_token_repeated"),
        ([HUMAN, ("gpt", f"<image> {GOOD}")], "image_token_misplaced"),
        ([HUMAN, GPT, ("human", "<image>\nAnd this?"), GPT], "image_token_misplaced"),
    ],
    ids=["missing", "repeated", "in an answer", "in a later question"],
)
def test_image_token_stands_once_in_the_first_turn(turns: list[tuple[str, str]], reason: str) -> None:
    assert reason_of(turns=turns) == f"image_token/{reason}"


def test_image_token_in_a_rejected_answer_is_misplaced() -> None:
    assert reason_of(rejected=f"{GOOD} <image>") == "image_token/image_token_misplaced"


@pytest.mark.parametrize("value", ["", "  \n", "…!", "<image>"], ids=["nothing", "blanks", "marks", "token alone"])
def test_empty_turn_is_found_on_either_side(value: str) -> None:
    assert reason_of(turns=[("human", "<image>\n" + value.replace("<image>", "")), GPT]) == "empty/empty_turn"
    if value != "<image>":
        assert reason_of(value) == "empty/empty_turn"


def test_empty_rejected_answer_is_found() -> None:
    assert reason_of(rejected=" ") == "empty/empty_rejected"
