import pytest

from tests.synthesis.gates.judged import GOOD, reason_of
from tinyemo_data import taxonomy
from tinyemo_data.synthesis.gates.label_words import label_of_words

OPTIONS = ["fear", "awe", "joy"]
LONG = f"{GOOD} The sea behind is wide, and the sky above it has no end, so that a viewer grows small and quiet."
REASONING = {"prompt": "finetune/reasoning", "options": OPTIONS, "stated": "awe"}


def reasoning(human: str, **changes: object) -> str | None:
    """Judge a reasoning record with this question."""
    return reason_of(f"Reasoning: {LONG}\nPredicted Label: awe", human=human, **(REASONING | changes))


def test_every_label_of_every_taxonomy_has_its_words() -> None:
    labels = {label for name in taxonomy.names() if name != "sentiment" for label in taxonomy.get(name).labels}
    assert set(label_of_words().values()) == labels
    assert all(label_of_words()[label] == label for label in labels)


def test_label_contradicted_when_the_stated_one_is_not_the_drafts() -> None:
    assert reasoning("Which: fear, awe, joy?", stated="fear") == "label_agreement/label_contradicted"
    assert reasoning("Which: fear, awe, joy?", stated=" Awe ") is None


def test_label_not_offered_when_it_is_none_of_the_options() -> None:
    assert reasoning("Which: fear or joy?", options=["fear", "joy"]) == "label_agreement/label_not_offered"


@pytest.mark.parametrize("prompt", ["pretrain/sqa", "dialogue/emotion", "preferences/pair"])
def test_label_not_named_when_no_answer_says_what_it_is_about(prompt: str) -> None:
    asked = {"prompt": prompt, "human": "What does it do to a viewer?", "question": None}
    assert reason_of(LONG, **asked) == "label_agreement/label_not_named"
    assert reason_of(f"It leaves a viewer awed. {LONG}", **asked) is None


@pytest.mark.parametrize("prompt", ["pretrain/caption", "pretrain/vqa"])
@pytest.mark.parametrize("word", ["awe", "joyful", "Sadness", "angrily"])
def test_label_named_when_a_blind_record_says_any(prompt: str, word: str) -> None:
    assert reason_of(f"{GOOD} {word} is in it.", prompt=prompt) == "label_leak/label_named"
    assert reason_of(human=f"Why {word} here?", prompt=prompt) == "label_leak/label_named"


@pytest.mark.parametrize(
    "text",
    ["an amusement park", "a bas-relief of horses", "lemon zest on a plate", "the content of a box", "a lovely shelf"],
)
def test_label_leak_passes_what_only_looks_like_one(text: str) -> None:
    assert reason_of(f"{GOOD} Beside it is {text}.") is None


def test_label_in_question_when_sqa_names_its_own_label() -> None:
    asked = {"prompt": "pretrain/sqa", "question": None}
    answer = f"It evokes awe. {LONG}"
    assert reason_of(answer, human="Why does it leave us awestruck?", **asked) == "label_leak/label_in_question"
    assert reason_of(answer, human="Is there more than fear in it?", **asked) is None


def test_label_in_question_when_a_dialogue_begins_with_it() -> None:
    exchange = [("human", "<image>\nWhy the awe?"), ("gpt", f"It evokes awe. {LONG}")]
    later = [("human", "And what else brings awe?"), ("gpt", "The sky, wide and still, and the far shore.")]
    asked = {"prompt": "dialogue/emotion", "question": None}
    assert reason_of(turns=exchange + later, **asked) == "label_leak/label_in_question"
    open_one = [("human", "<image>\nWhat is there to see?"), exchange[1]]
    assert reason_of(turns=open_one + later, **asked) is None


@pytest.mark.parametrize(
    ("question", "leaks"),
    [
        ("Which of these fits: fear, awe, joy? Give reasons.", False),
        ("It leaves us awed. Which of these fits: fear, awe, joy?", True),
        ("Awe or not? Which of these fits: fear, awe, joy?", True),
        ("It looks joyful. Which of these fits: fear, awe, joy?", False),
    ],
)
def test_label_not_withheld_when_named_outside_of_the_options(question: str, leaks: bool) -> None:
    assert reasoning(question, variant="withheld") == ("label_leak/label_not_withheld" if leaks else None)
    assert reasoning(question, variant="given") is None
