"""Which tokens of a vocabulary are whole words: what can be shown to a person as a word.

Tokenizers mark in three ways where a word begins: byte-level BPE (GPT-2, Llama 3, Qwen) writes its space as `Ġ`,
SentencePiece (Llama 2, Gemma, T5) as `▁`, and WordPiece (BERT) marks with `##` what continues a word. A token with
such a beginning may still be only the first part of a longer word (`Ġrepro`): the vocabulary alone can't tell.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from tokenizers import decoders

from tinyemo_data.errors import LanguageModelError

BYTE_LEVEL, SENTENCEPIECE, WORDPIECE = "Ġ", "▁", "##"
LETTERS = 3  # shorter words (of, an) say nothing

_bytes = decoders.ByteLevel()


@dataclass(frozen=True)
class WholeWords:
    """Whole words in the order of their token ids, one for all spellings that differ in case alone."""

    words: tuple[str, ...]
    token_ids: tuple[int, ...]
    mark: str  # of the vocabulary: BYTE_LEVEL, SENTENCEPIECE or WORDPIECE

    def __len__(self) -> int:
        return len(self.words)


def whole_words(vocabulary: Mapping[str, int], origin: str = "the tokenizer") -> WholeWords:
    """Return the whole words of a vocabulary (token to id).

    Of spellings that differ in case alone the lower-case one is kept, else that of the lowest id. Raises
    LanguageModelError, naming `origin`, for a vocabulary that marks no beginnings of words or has no whole word.
    """
    mark = word_mark(vocabulary)
    kept: dict[str, tuple[bool, int, str]] = {}
    for token, number in vocabulary.items():
        word = word_of(token, mark) if mark else None
        if word is not None:
            key, found = word.casefold(), (word != word.lower(), number, word)
            kept[key] = min(kept.get(key, found), found)
    if mark is None or not kept:
        raise LanguageModelError(
            f"{origin}: none of its {len(vocabulary)} tokens is marked as a whole word (looked for {BYTE_LEVEL}word, "
            f"{SENTENCEPIECE}word, or pieces {WORDPIECE}ing beside words). Use a language model with such a tokenizer."
        )
    ordered = sorted((number, word) for _, number, word in kept.values())
    return WholeWords(tuple(word for _, word in ordered), tuple(number for number, _ in ordered), mark)


def word_mark(vocabulary: Mapping[str, int]) -> str | None:
    """Return the mark that most tokens begin with, with something after it; None where none does."""
    counts = {
        mark: sum(token.startswith(mark) and len(token) > len(mark) for token in vocabulary)
        for mark in (BYTE_LEVEL, SENTENCEPIECE, WORDPIECE)
    }
    mark = max(counts, key=lambda one: counts[one])
    return mark if counts[mark] else None


def word_of(token: str, mark: str) -> str | None:
    """Return the word that a token is; None where it is a piece, shorter than LETTERS, or not of letters alone."""
    if mark == WORDPIECE:
        word = "" if token.startswith(WORDPIECE) else token
    elif not token.startswith(mark):
        return None
    else:
        # Bytes that are no whole character decode to U+FFFD, which is no letter.
        word = _bytes.decode([token])[1:] if mark == BYTE_LEVEL else token[len(mark) :]
    return word if len(word) >= LETTERS and word.isalpha() else None
