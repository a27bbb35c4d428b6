import pytest

from tests.synthesis.gates.judged import GOOD, reason_of
from tinyemo_data.synthesis.subject import Facts

BEACH = Facts(
    brightness=0.8, colourfulness=60.0, scene="beach", objects=("Dog", "traffic_light"), human_action="running"
)
NIGHT = Facts(brightness=0.1, colourfulness=2.0, scene="church/indoor")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("The picture is rather dark.", "not_dark"),
        ("It is a dimly lit photo.", "not_dark"),
        ("The photograph is in black and white.", "not_grey"),
        ("This is a monochrome image.", "not_grey"),
        ("The scene is set indoors.", "not_indoors"),
        ("It shows an indoor setting.", "not_indoors"),
        ("There are no people.", "people_denied"),
        ("The sand is devoid of people.", "people_denied"),
        ("There is no dog.", "object_denied"),
        ("There are no dogs around.", "object_denied"),
        ("A lone figure stands by the wall.", "other_posture"),
        ("The only person is sitting.", "other_posture"),
    ],
)
def test_claims_that_facts_contradict_are_found(text: str, reason: str) -> None:
    assert reason_of(f"{GOOD} {text}", facts=BEACH) == f"grounding/{reason}"
    assert reason_of(f"{GOOD} {text}") is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("The image is bright.", "not_bright"),
        ("It is a brightly lit picture.", "not_bright"),
        ("The picture is very colourful.", "not_colourful"),
        ("The photo was taken outdoors.", "not_outdoors"),
    ],
)
def test_claims_about_a_dark_grey_room_are_found(text: str, reason: str) -> None:
    assert reason_of(f"{GOOD} {text}", facts=NIGHT) == f"grounding/{reason}"
    assert reason_of(f"{GOOD} {text}", facts=BEACH) is None


@pytest.mark.parametrize(
    "text",
    [
        "A dark picture frame leans on the wall.",
        "The picture is not dark.",
        "The shadows are dark, and a coat is black and white.",
        "A cat, a tree and a kite are there as well.",
        "It looks as if it were indoors.",
        "There is no one else.",
        "There are no people other than a runner.",
        "There is no boat but one.",
        "A lone figure runs along the water, and others stand and watch.",
        "A single boat is standing on the sand.",
        "No one looks up.",
    ],
)
def test_grounding_passes_what_may_be_true(text: str) -> None:
    assert reason_of(f"{GOOD} {text}", facts=BEACH) is None


def test_grounding_does_not_look_at_what_is_meant_to_be_false() -> None:
    turns = [("human", "<image>\nTrue or false: There is no dog."), ("gpt", "False. A dog runs along the water.")]
    assert reason_of(turns=turns, prompt="statements/pair", question=None, facts=BEACH) is None
    true = [turns[0], ("gpt", "True.")]
    assert reason_of(turns=true, prompt="statements/pair", question=None, facts=BEACH) == "grounding/object_denied"
    chosen = f"It evokes awe. {GOOD}"
    found = reason_of(chosen, prompt="preferences/pair", rejected=f"{GOOD} There is no dog.", facts=BEACH)
    assert found is None
