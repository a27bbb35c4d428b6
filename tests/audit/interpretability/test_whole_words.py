import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, pre_tokenizers

from tinyemo_data.audit.interpretability.whole_words import (
    BYTE_LEVEL,
    SENTENCEPIECE,
    WORDPIECE,
    whole_words,
    word_mark,
    word_of,
)
from tinyemo_data.errors import LanguageModelError
from tinyemo_data.projector import tiny_language_model
from tinyemo_data.store import Store

LETTERS = st.text(st.characters(categories=["Lu", "Ll", "Lo"]), max_size=12)
ANY = st.text(max_size=8)


def byte_token(text: str) -> str:
    """The text as one token of a byte-level vocabulary, as the tokenizer itself would write it."""
    pieces = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False).pre_tokenize_str(text)
    return "".join(piece for piece, _ in pieces)


@given(word=LETTERS)
def test_word_of_gives_the_word_back_in_each_convention_when_it_has_three_letters(word: str) -> None:
    expected = word if len(word) >= 3 and word.isalpha() else None
    assert word_of(byte_token(" " + word), BYTE_LEVEL) == expected
    assert word_of(SENTENCEPIECE + word, SENTENCEPIECE) == expected
    assert word_of(word, WORDPIECE) == expected


@given(token=ANY, mark=st.sampled_from([BYTE_LEVEL, SENTENCEPIECE, WORDPIECE]))
def test_word_of_takes_any_token_and_gives_letters_or_nothing(token: str, mark: str) -> None:
    word = word_of(token, mark)
    assert word is None or (word.isalpha() and len(word) >= 3)


@pytest.mark.parametrize(
    ("token", "mark"),
    [
        ("ing", BYTE_LEVEL),
        ("ĠÃ", BYTE_LEVEL),
        ("Ġan", BYTE_LEVEL),
        ("Ġ42nd", BYTE_LEVEL),
        ("Ġdon't", BYTE_LEVEL),
        ("Ċ", BYTE_LEVEL),
        ("ing", SENTENCEPIECE),
        ("<0x0A>", SENTENCEPIECE),
        ("▁▁▁▁", SENTENCEPIECE),
        ("##ing", WORDPIECE),
        ("[CLS]", WORDPIECE),
        ("[unused0]", WORDPIECE),
    ],
)
def test_word_of_refuses_pieces_numbers_and_specials(token: str, mark: str) -> None:
    assert word_of(token, mark) is None


@pytest.mark.parametrize(
    ("tokens", "mark"),
    [
        (["Ġsad", "Ġjoy", "ness", "▁"], BYTE_LEVEL),
        (["▁sad", "▁joy", "ness", "Ġ"], SENTENCEPIECE),
        (["sad", "joy", "##ness"], WORDPIECE),
        (["sad", "joy"], None),
    ],
)
def test_word_mark_is_the_one_that_tokens_begin_with(tokens: list[str], mark: str | None) -> None:
    assert word_mark({token: number for number, token in enumerate(tokens)}) == mark


def test_whole_words_keeps_one_spelling_the_lower_case_one_or_else_the_first() -> None:
    vocabulary = {"ĠSad": 0, "Ġsad": 5, "ĠSAD": 2, "ĠParis": 4, "ĠPARIS": 3, "Ġof": 6, "ness": 7}
    found = whole_words(vocabulary)
    assert found.words == ("PARIS", "sad")
    assert found.token_ids == (3, 5)


@given(words=st.lists(LETTERS, min_size=1, max_size=20, unique=True))
def test_whole_words_does_not_depend_on_the_order_of_the_vocabulary(words: list[str]) -> None:
    vocabulary = {SENTENCEPIECE + word: number for number, word in enumerate([*words, "always"])}
    found = whole_words(vocabulary)
    assert whole_words(dict(reversed(vocabulary.items()))) == found
    assert len({word.casefold() for word in found.words}) == len(found)


def test_whole_words_refuses_a_vocabulary_without_marks_and_names_it() -> None:
    with pytest.raises(LanguageModelError, match=r"my/model: none of its 2 tokens is marked as a whole word"):
        whole_words({"sad": 0, "joy": 1}, "my/model")


def test_whole_words_of_the_small_language_model_are_words_of_its_text(store: Store) -> None:
    tiny_language_model.make(store)
    tokenizer = Tokenizer.from_str(store.read_bytes(f"{tiny_language_model.FOLDER}/tokenizer.json").decode())
    found = whole_words(tokenizer.get_vocab(with_added_tokens=False))
    text = tiny_language_model.TEXT.read_text(encoding="utf-8").casefold()
    assert len(found) > 200
    assert {"sadness", "joy", "fear"} <= set(found.words)
    assert all(word.casefold() in text for word in found.words)
