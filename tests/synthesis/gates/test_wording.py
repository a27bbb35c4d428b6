import pytest

from tests.synthesis.gates.judged import GOOD, candidate, reason_of, verdicts


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("I'm sorry, but I cannot view the picture.", "refusal"),
        ("I’m unable to view what is shown.", "refusal"),
        ("I can't identify people in it.", "refusal"),
        ("I cannot see the image.", "refusal"),
        ("Your message is empty.", "nothing_seen"),
        ("Your message seems to be blank.", "nothing_seen"),
        ("No image was provided.", "nothing_seen"),
        ("Please upload the photo.", "nothing_seen"),
        ("As an AI, there is nothing to add.", "assistant_talk"),
        ("As a large language model there is nothing to add.", "assistant_talk"),
        ("Let me know if there is more.", "assistant_talk"),
        ("Here is the caption you want.", "assistant_talk"),
    ],
)
def test_boilerplate_is_found(text: str, reason: str) -> None:
    assert reason_of(f"{text} {GOOD}") == f"boilerplate/{reason}"


@pytest.mark.parametrize(
    "text",
    [
        "As the caption says, it is a boat.",
        "The attributes point to a beach.",
        "The notes say that it is bright.",
        "According to the notes it is bright.",
        "The label given fits the scene.",
        "The given label fits the scene.",
        "The provided emotion label fits.",
        "It was annotated as a beach.",
        "I was told what it is.",
        "As the prompt asks, it is a boat.",
    ],
)
def test_source_talk_is_found(text: str) -> None:
    assert reason_of(f"{GOOD} {text}") == "source_talk/source_mentioned"


@pytest.mark.parametrize(
    "text",
    [
        "A woman notes down the time.",
        "Sheets of music with notes lie about.",
        "A luggage label hangs from the bag.",
        "One cannot see the far shore.",
        "I can't see who holds the rope; we cannot see a face.",
        "A viewer attributes the calm to the light.",
        "A captain stands at the wheel.",
        "Here is the sea, and there is the land.",
    ],
)
def test_wording_passes_what_only_sounds_alike(text: str) -> None:
    assert reason_of(f"{GOOD} {text}") is None


def test_wording_looks_at_questions_only_where_a_model_wrote_them() -> None:
    asked = "Which caption fits this picture?"
    assert reason_of(human=asked) is None
    assert reason_of(human=asked, question=None) == "source_talk/source_mentioned"


def test_wording_looks_at_rejected_answers() -> None:
    assert reason_of(rejected=f"As an AI, I say: {GOOD}") == "boilerplate/assistant_talk"


def test_detail_quotes_what_was_found() -> None:
    ((_, _, detail),) = verdicts([candidate(f"{GOOD} No image was provided.")])
    assert detail == "'no image was provided'"


def test_a_question_may_say_that_its_asker_cannot_see_the_picture() -> None:
    asked = "I cannot see the picture; what is in it?"
    assert reason_of(human=asked, question=None, prompt="pretrain/vqa") is None
