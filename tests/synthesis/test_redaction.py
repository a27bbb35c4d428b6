import pytest

from tinyemo_data.synthesis.redaction import redacted


def test_redacted_names_the_key_in_the_place_of_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-0123456789")
    assert redacted("invalid x-api-key: sk-ant-0123456789!") == "invalid x-api-key: <ANTHROPIC_API_KEY>!"


def test_redacted_leaves_words_alone_when_a_key_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "any")
    assert redacted("any word") == "any word"
