"""Script: text that is no English in Latin letters, and characters that nobody can see."""

import polars as pl

from tinyemo_data.synthesis.gates.gate import Findings, say_if
from tinyemo_data.synthesis.gates.limits import Limits

# Control characters but line breaks and tabs, zero-width ones, direction marks, and what replaces undecodable bytes.
UNSEEN = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u{200b}-\u{200f}\u{202a}-\u{202e}\u{2060}-\u{2069}\u{feff}\u{fffd}]"
OTHER_LETTER = r"[\p{L}&&[^\p{Latin}\p{Common}]]"
FUNCTION_WORD = r"\b(?:the|a|an|of|and|in|is|are|it|its|to|with|that|on|this|from|as|by|at|there|what)\b"


def find_unseen_characters(_limits: Limits) -> Findings:
    """Control, zero-width and direction characters."""
    code = pl.col("everything").str.extract(f"({UNSEEN})", 1).str.encode("hex")
    return {"unseen_character": pl.format("the bytes {} of UTF-8", code)}


def find_other_languages(limits: Limits) -> Findings:
    """Sentences in another script than Latin, or with hardly any English function word."""
    text = pl.col("said")
    others, length = text.str.count_matches(OTHER_LETTER), text.str.len_chars()
    # A pattern that ends with the last word that is asked for: texts are not read to their end.
    english = pl.col("gpt").str.contains(rf"(?s)(?:{FUNCTION_WORD}.*?){{{limits.function_words}}}")
    words = pl.col("words")
    return {
        "other_script": say_if(others > limits.foreign_letters * length, "{} of {} characters", others, length),
        "not_english": say_if(
            (words >= limits.function_words_from) & ~english,
            f"fewer than {limits.function_words} function words of English in {{}} words", words,
        ),
    }  # fmt: skip
