"""The thresholds of all gates, each with its source."""

from collections.abc import Mapping
from dataclasses import dataclass, field

Range = tuple[int, int]  # least and most

# Words of an answer, by prompt; wide around what the prompts ask for, so that only failures lie outside.
ANSWER_WORDS: Mapping[str, Range] = {
    "pretrain/caption": (8, 160),
    "pretrain/vqa": (1, 100),
    "pretrain/sqa": (3, 120),
    "finetune/reasoning": (20, 260),
    "hq/reasoning": (50, 400),
    "dialogue/emotion": (12, 500),
    "statements/pair": (1, 80),
    "triggers/detail": (8, 200),
    "preferences/pair": (8, 260),
}
ANY_WORDS: Range = (1, 600)  # prompts that have none above


@dataclass(frozen=True)
class Limits:
    """Where gates draw their lines. The defaults are this project's own where no source is named."""

    answer_words: Mapping[str, Range] = field(default_factory=lambda: dict(ANSWER_WORDS))
    question_words: Range = (2, 80)  # of a question that a model wrote; a statement to be judged counts as one
    # The trainer keeps 2,048 tokens, 256 of them the picture's; English has 3.5 bytes a token on the careful side.
    conversation_bytes: int = 6_000

    # Shares of words, where Gopher (Rae et al. 2021, table A1; datatrove's GopherRepetitionFilter) has characters.
    repeated_5_grams: float = 0.15
    most_frequent_3_gram: float = 0.18
    repetition_words: int = 50  # texts under Gopher's shortest document say little by a share
    same_word_in_a_row: int = 4

    foreign_letters: float = 0.05  # share of characters: a sign may be quoted, a sentence may not
    # Gopher asks for two of eight function words in 50 words or more; here of more of them, in shorter texts.
    function_words: int = 2
    function_words_from: int = 20  # words

    # Jaccard similarity of 3-word shingles: Lee et al. 2022, "Deduplicating Training Data", take 0.8 (of 5-grams).
    near_duplicate: float = 0.8
    near_duplicate_words: int = 20  # two short answers may well be the same

    # Mean luma (0-1) and Hasler & Süsstrunk's M3 from which on a claim about the whole picture is plainly wrong.
    not_dark_from: float = 0.7
    not_bright_to: float = 0.2
    not_grey_from: float = 45.0  # "averagely colourful" in their table 2
    not_colourful_to: float = 5.0  # 0 is grey, 15 "slightly colourful"


DEFAULT = Limits()
