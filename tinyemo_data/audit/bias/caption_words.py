"""Candidates from captions: words that are commoner where the model errs towards an emotion than where it is right.

Log odds with an informative Dirichlet prior (Monroe, Colaresi & Quinn 2008, eqs. 16, 19 and 22): the words' frequency
in all captions, which counts as a tenth as many words as the smaller side has. It proposes; what it proposes is tested
on other pictures.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from tinyemo_data.audit.bias.attributes import ABSENT, PRESENT, UNKNOWN, AttributeTable, Flags, Floats, Integers

Captions = Sequence[frozenset[str] | None]
NOTABLE = 1.96  # z of a word that is proposed
# Of the smaller side's words. A prior of all captions' own size would hide a word that is twice as common in errors.
PRIOR_WEIGHT = 0.1


def propose_words(
    captions: Captions, labels: Integers, predicted: Integers, classes: int, count: int, least: int
) -> tuple[str, ...]:
    """Return the words, sorted, of up to `count` a predicted emotion; each is in `least` captions or more.

    Compared are pictures wrongly predicted to be e with all that are rightly predicted.
    """
    told = [row for row, caption in enumerate(captions) if caption is not None]
    frequency = Counter(word for row in told for word in captions[row] or ())
    words = sorted(word for word, times in frequency.items() if least <= times <= len(told) - least)
    if not words:
        return ()
    right = labels == predicted
    proposed: set[str] = set()
    for e in range(classes):
        wrong = (predicted == e) & ~right
        z = log_odds_z(_counts(captions, words, wrong), _counts(captions, words, right))
        best = np.argsort(-z, kind="stable")[:count]
        proposed.update(words[column] for column in best if z[column] > NOTABLE)
    return tuple(sorted(proposed))


def log_odds_z(first: Floats, second: Floats) -> Floats:
    """Return the z scores of words by their counts (W,) in two sets of captions; positive: commoner in the first."""
    both = first + second
    total = PRIOR_WEIGHT * min(first.sum(), second.sum())
    prior = both * (total / max(both.sum(), 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        odds = [
            np.log((counts + prior) / (counts.sum() + total - counts - prior)) for counts in (first, second)
        ]  # fmt: skip
        z: Floats = (odds[0] - odds[1]) / np.sqrt(1 / (first + prior) + 1 / (second + prior))
    return np.nan_to_num(z)


def word_table(captions: Captions, words: Sequence[str]) -> AttributeTable:
    """Return which caption holds which word; unknown where there is no caption."""
    values = np.full((len(captions), len(words)), UNKNOWN, dtype=np.int8)
    for row, caption in enumerate(captions):
        if caption is not None:
            values[row] = [PRESENT if word in caption else ABSENT for word in words]
    return AttributeTable(tuple(f"caption: {word}" for word in words), ("caption",) * len(words), values)


def _counts(captions: Captions, words: Sequence[str], chosen: Flags) -> Floats:
    found = Counter(word for row in np.flatnonzero(chosen).tolist() for word in captions[row] or ())
    return np.array([found[word] for word in words], dtype=np.float64)
