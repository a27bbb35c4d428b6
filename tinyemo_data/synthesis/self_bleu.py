"""Self-BLEU: how much texts resemble one another (Zhu et al. 2018, "Texygen"); BLEU after Papineni et al. 2002."""

import math
from collections import Counter
from collections.abc import Sequence

ORDER = 4
EPSILON = 0.1  # matches of an order that has none: Chen and Cherry 2014, smoothing method 1, as Texygen takes it

Gram = tuple[str, ...]


def self_bleu(texts: Sequence[Sequence[str]]) -> float:
    """Return the mean BLEU-4 of each text (a sequence of words) with all the others as references, 0–1.

    0 for fewer than two texts. Takes time linear in the words: a text's clipped counts need, of each n-gram, the
    highest count among the others, which is the highest of all or the second highest.
    """
    filled = [words for words in texts if words]
    if len(filled) < 2:
        return 0.0
    counts = [[Counter(_grams(words, n)) for n in range(1, ORDER + 1)] for words in filled]
    highest = [_two_highest([of_text[n] for of_text in counts]) for n in range(ORDER)]
    lengths = sorted(len(words) for words in filled)
    scores = [
        _bleu(len(words), [_matches(of_text[n], highest[n]) for n in range(ORDER)], lengths)
        for words, of_text in zip(filled, counts, strict=True)
    ]
    return math.fsum(scores) / len(scores)


def _grams(words: Sequence[str], n: int) -> list[Gram]:
    return [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]


def _two_highest(counts: Sequence[Counter[Gram]]) -> dict[Gram, tuple[int, int]]:
    """Return of each n-gram the highest and the second highest count in a text."""
    highest: dict[Gram, tuple[int, int]] = {}
    for of_text in counts:
        for gram, count in of_text.items():
            first, second = highest.get(gram, (0, 0))
            highest[gram] = (count, first) if count > first else (first, max(second, count))
    return highest


def _matches(own: Counter[Gram], highest: dict[Gram, tuple[int, int]]) -> tuple[int, int]:
    """Return the clipped matches with the other texts, and how many n-grams there are."""
    matches = 0
    for gram, count in own.items():
        first, second = highest[gram]
        matches += min(count, second if count == first else first)
    return matches, own.total()


def _bleu(length: int, matches: Sequence[tuple[int, int]], lengths: Sequence[int]) -> float:
    """Return BLEU of a text from its matches by order; `lengths` are those of all texts, its own among them, sorted."""
    precisions = [(found or EPSILON) / max(total, 1) for found, total in matches]
    return _brevity_penalty(length, lengths) * math.exp(math.fsum(math.log(one) for one in precisions) / ORDER)


def _brevity_penalty(length: int, lengths: Sequence[int]) -> float:
    """Return the penalty against the closest of the other lengths, the shorter one of two equally close."""
    others = list(lengths)
    others.remove(length)
    closest = min(others, key=lambda other: (abs(other - length), other))
    return 1.0 if length >= closest else math.exp(1 - closest / length)
