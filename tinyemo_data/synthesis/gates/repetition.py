"""Repetition: texts that go round in circles, as models do that lost their thread.

After the Gopher rules (Rae et al. 2021, "Scaling Language Models", table A1), with shares of words for shares of
characters. Gopher filters documents of 50 words or more; in shorter texts a repeated 5-gram alone is looked at.
"""

import numpy as np
import numpy.typing as npt
import polars as pl

from tinyemo_data.synthesis.gates.gate import Findings, say_if
from tinyemo_data.synthesis.gates.limits import Limits
from tinyemo_data.synthesis.gates.words import Words

Counts = npt.NDArray[np.int64]
TEXT_BITS = np.uint64(24)  # of a key that tell texts apart; the others tell their grams apart


def measure_repetition(words: Words) -> pl.DataFrame:
    """Return, a row a text: `words`; `in_a_row`, how often one word follows itself at most; shares of words (0–1).

    `repeated_5_grams`: words that lie in a run of five which came before in the text. `most_frequent_3_gram`: words in
    the occurrences of the commonest run of three, where it comes twice or more.
    """
    total = np.maximum(words.counts, 1)
    most = _count_commonest(words.grams(3))
    return pl.DataFrame(
        {
            "words": words.counts,
            "in_a_row": _longest_runs(words),
            "repeated_5_grams": _count_repeated(words.grams(5)) / total,
            "most_frequent_3_gram": np.minimum(np.where(most > 1, most * 3, 0) / total, 1.0),
        }
    )


def _runs(grams: Words) -> tuple[Counts, Counts]:
    """Return the text and the number of occurrences of each different gram of each text, sorted by text."""
    keys = np.sort((grams.texts().astype(np.uint64) << (np.uint64(64) - TEXT_BITS)) | (grams.hashes >> TEXT_BITS))
    first = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]])) if len(keys) else np.empty(0, np.int64)
    return (keys[first] >> (np.uint64(64) - TEXT_BITS)).astype(np.int64), np.diff(np.append(first, len(keys)))


def _count_commonest(grams: Words) -> Counts:
    """Return how often the commonest gram of each text occurs."""
    most = np.zeros(len(grams.starts) - 1, np.int64)
    np.maximum.at(most, *_runs(grams))
    return most


def _count_repeated(grams: Words, size: int = 5) -> Counts:
    """Return how many words of each text lie in a gram of `size` words that came before in it."""
    covered = np.zeros(len(grams.starts) - 1, np.int64)
    texts, occurrences = _runs(grams)
    for text in np.unique(texts[occurrences > 1]):
        covered[text] = _count_covered(grams.hashes[grams.starts[text] : grams.starts[text + 1]].tolist(), size)
    return covered


def _count_covered(grams: list[int], size: int) -> int:
    seen: set[int] = set()
    covered = end = 0
    for place, gram in enumerate(grams):
        if gram in seen:
            covered += place + size - max(place, end)
            end = place + size
        seen.add(gram)
    return covered


def _longest_runs(words: Words) -> Counts:
    """Return how often one word follows itself at most in each text."""
    n = len(words.starts) - 1
    longest = np.minimum(words.counts, 1)
    if not len(words.hashes):
        return longest
    texts = words.texts()
    new = (words.hashes[1:] != words.hashes[:-1]) | (texts[1:] != texts[:-1])
    first = np.flatnonzero(np.concatenate([[True], new]))
    runs = np.diff(np.append(first, len(words.hashes)))
    several = runs > 1
    found = np.zeros(n, np.int64)
    np.maximum.at(found, texts[first[several]], runs[several])
    return np.maximum(longest, found)


def find_repetition(limits: Limits) -> Findings:
    """One word again and again, or the same runs of words."""
    words, five, three = pl.col("words"), pl.col("repeated_5_grams"), pl.col("most_frequent_3_gram")
    in_a_row = pl.col("in_a_row")
    return {
        "word_repeated": say_if(in_a_row >= limits.same_word_in_a_row, "one word {} times in a row", in_a_row),
        "phrases_repeated": say_if(
            five > limits.repeated_5_grams, "{} of the words repeat runs of five", five.round(2)
        ),
        "phrase_too_frequent": say_if(
            (words >= limits.repetition_words) & (three > limits.most_frequent_3_gram),
            "{} of the words are one run of three", three.round(2),
        ),
    }  # fmt: skip
