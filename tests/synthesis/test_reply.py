import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyemo_data.synthesis.reply import Answer, read_reply


def message(**changes: object) -> bytes:
    body = {"type": "message", "content": [{"type": "text", "text": "hello"}], "stop_reason": "end_turn"}
    return orjson.dumps(body | changes)


def completion(**changes: object) -> bytes:
    return orjson.dumps({"choices": [{"message": {"content": "hello"}, "finish_reason": "stop"} | changes]})


def test_text_is_picked_by_type_when_a_thinking_block_comes_first() -> None:
    blocks = [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "hello"}]
    assert read_reply(message(content=blocks)) == Answer("hello", "complete")


def test_a_refusal_keeps_its_category() -> None:
    raw = message(stop_reason="refusal", stop_details={"type": "refusal", "category": "bio"}, content=[])
    assert read_reply(raw) == Answer("", "refused", "bio")


@pytest.mark.parametrize(
    ("raw", "stop"),
    [
        (message(stop_reason="max_tokens"), "cut_off"),
        (message(content=[]), "unreadable"),
        (completion(), "complete"),
        (completion(finish_reason="length"), "cut_off"),
        (completion(finish_reason="content_filter"), "refused"),
        (completion(message={"content": None}), "unreadable"),
        (completion(message={"content": "", "refusal": "no"}), "refused"),
        (b'{"rules": "1", "text": "{}"}', "complete"),
        (b"[1]", "unreadable"),
        (b"{", "unreadable"),
    ],
)
def test_each_way_to_stop_is_told_apart(raw: bytes, stop: str) -> None:
    assert read_reply(raw).stop == stop


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["content", "choices", "message", "text", "type", "rules", "stop_reason", "stop_details"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.binary(max_size=40) | json_values.map(orjson.dumps))
def test_any_bytes_are_an_answer_or_say_why_not(raw: bytes) -> None:
    answer = read_reply(raw)
    assert answer.stop != "unreadable" or answer.detail
