"""Length: answers that are too short to teach anything, or too long for the trainer."""

import polars as pl

from tinyemo_data.synthesis.gates.gate import Findings, say_if
from tinyemo_data.synthesis.gates.limits import ANY_WORDS, Limits

WORD = r"\S+"


def find_wrong_length(limits: Limits) -> Findings:
    """Answers outside the range of their prompt, questions outside theirs, conversations that would be cut off."""
    least, most = (
        pl.col("prompt").replace_strict(
            {prompt: words[end] for prompt, words in limits.answer_words.items()},
            default=ANY_WORDS[end], return_dtype=pl.Int64,
        )
        for end in (0, 1)
    )  # fmt: skip
    answer, size = pl.col("words"), pl.col("everything").str.len_bytes()
    worse = pl.col("rejected").str.count_matches(WORD)
    asked = pl.when(pl.col("question").is_null()).then(pl.col("human")).str.count_matches(WORD)
    shortest, longest = limits.question_words
    return {
        "answer_too_short": say_if(answer < least, "{} words, at least {}", answer, least),
        "answer_too_long": say_if(answer > most, "{} words, at most {}", answer, most),
        "rejected_too_short": say_if(worse < least, "{} words, at least {}", worse, least),
        "rejected_too_long": say_if(worse > most, "{} words, at most {}", worse, most),
        "question_too_short": say_if(asked < shortest, f"{{}} words, at least {shortest}", asked),
        "question_too_long": say_if(asked > longest, f"{{}} words, at most {longest}", asked),
        "conversation_too_long": say_if(
            size > limits.conversation_bytes, f"{{}} bytes, at most {limits.conversation_bytes}", size
        ),
    }
