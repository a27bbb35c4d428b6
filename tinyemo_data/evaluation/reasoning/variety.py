"""Diversity of one row's texts: do they say different things of different pictures?"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tinyemo_data.evaluation.reasoning.resampling import rounded
from tinyemo_data.synthesis.diversity import SELF_BLEU_SAMPLE, WORD, distinct_n
from tinyemo_data.synthesis.self_bleu import self_bleu


@dataclass(frozen=True)
class Variety:
    """Figures of all texts of a row, which are as many in every row."""

    distinct_2: float  # different bigrams over all bigrams, 0–1
    self_bleu: float  # mean BLEU-4 of a text against the others, 0–1, of the first 200
    words: float  # of a text, mean
    modal_share: float  # of texts that are the commonest text, 0–1


def measure_variety(texts: Sequence[str]) -> Variety:
    """Return the variety of texts, of which there is at least one."""
    words = [WORD.findall(text.lower()) for text in texts]
    commonest = max(Counter(map(tuple, words)).values())
    return Variety(
        rounded(distinct_n(words, 2)),
        rounded(self_bleu(words[:SELF_BLEU_SAMPLE])),
        rounded(sum(map(len, words)) / len(words)),
        rounded(commonest / len(words)),
    )
