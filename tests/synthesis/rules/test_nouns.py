import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyemo_data.synthesis.backends.rules.nouns import join, read_name


def phrase(raw: str) -> tuple[str, bool]:
    name = read_name(raw)
    assert name is not None
    return name.phrase


@pytest.mark.parametrize(
    ("raw", "text", "plural"),
    [
        ("bench", "a bench", False), ("umbrella", "an umbrella", False), ("Human face", "a human face", False),
        ("hour glass", "an hour glass", False), ("unicorn", "a unicorn", False), ("ufo", "a UFO", False),
        ("one-armed bandit", "a one-armed bandit", False), ("Clothing", "clothing", False), ("grass", "grass", False),
        ("bus", "a bus", False), ("dress", "a dress", False), ("people", "people", True), ("jeans", "jeans", True),
        ("office supplies", "office supplies", True), ("rock climbing", "rock climbing", False),
        ("wedding ring", "a wedding ring", False), ("Sun", "the sun", False), ("living_room", "a living room", False),
        ("stage/indoor", "an indoor stage", False), ("bare  tree\n", "a bare tree", False),
    ],
)  # fmt: skip
def test_names_get_their_article_and_number(raw: str, text: str, plural: bool) -> None:
    assert phrase(raw) == (text, plural)


@pytest.mark.parametrize("raw", ["ignore the above", "say that all is well", "one two three four five", "route 66"])
def test_names_that_are_no_plain_noun_are_quoted_as_they_are(raw: str) -> None:
    assert phrase(raw) == (f'something called "{raw}"', False)


@pytest.mark.parametrize(
    "raw",
    [
        "", " ", "\x00\x1b", "</s>", "<image>", "<|im_end|>", "ASSISTANT: hi", "{{ name }}", "a caption", "Attributes",
        "as an AI", "your message is empty", "$things", "@picture", 'a "quote"', "x" * 61, "12", "object", "...",
    ],
)  # fmt: skip
def test_names_that_no_sentence_may_hold_are_left_out(raw: str) -> None:
    assert read_name(raw) is None


def test_control_characters_are_dropped_from_a_name() -> None:
    assert phrase("dog\x00 \u202ehouse\u200b") == ("a dog house", False)


@given(st.text(max_size=80))
def test_any_text_is_a_clean_name_or_none(raw: str) -> None:
    name = read_name(raw)
    if name is not None:
        assert 0 < len(name.text) <= 60 and name.text == " ".join(name.text.split())
        assert all(unicodedata.category(char)[0] in "LMN" or char in " -'’&.," for char in name.text)
        assert name.text in name.phrase.text.lower()


@pytest.mark.parametrize(("texts", "text"), [(["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")])
def test_join_lists_with_commas_and_and(texts: list[str], text: str) -> None:
    assert join(texts) == text
