"""CIDEr-D: how much a text says what several references agree on (Vedantam, Zitnick and Parikh, CVPR 2015, section 4).

Equations 2 and 4 of the paper: TF-IDF vectors of 1- to 4-grams, cosines in which no n-gram counts more often than in
the reference, a Gaussian penalty on the difference of lengths (σ = 6), times 10, averaged over n and references. As the
authors' code has it: term frequencies are counts, and an n-gram that no reference has is taken to be in one.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tinyemo_data.synthesis.diversity import WORD

ORDER = 4
SIGMA = 6.0  # words
SCALE = 10.0

Gram = tuple[str, ...]
Vector = dict[Gram, float]


@dataclass(frozen=True)
class _Text:
    """One text as vectors, one an order, with their norms."""

    words: int
    vectors: list[Vector]
    norms: list[float]


class CiderD:
    """Scores texts against the references of some pictures, whose vectors are made once.

    The document frequency of an n-gram is the number of pictures that have it in a reference. Texts are cut into words
    in small letters, without punctuation.
    """

    def __init__(self, references: Sequence[Sequence[str]]) -> None:
        """Take the references of each picture."""
        cut = [[_grams(text) for text in of_picture] for of_picture in references]
        self._frequency = Counter(gram for one in cut for gram in {gram for grams, _ in one for gram in grams})
        self._pictures = math.log(max(sum(map(bool, cut)), 1))
        self._references = [[self._as_text(*grams) for grams in of_picture] for of_picture in cut]

    def scores(self, texts: Sequence[str]) -> list[float]:
        """Return the score of one text a picture against its own references, 0–10; 0 for a picture without any."""
        rows = zip(texts, self._references, strict=True)
        return [_score(self._as_text(*_grams(text)), of_picture) for text, of_picture in rows]

    def _as_text(self, counts: Counter[Gram], words: int) -> _Text:
        vectors: list[Vector] = [{} for _ in range(ORDER)]
        for gram, count in counts.items():
            vectors[len(gram) - 1][gram] = count * (self._pictures - math.log(max(self._frequency[gram], 1)))
        return _Text(words, vectors, [math.sqrt(math.fsum(w * w for w in vector.values())) for vector in vectors])


def _score(text: _Text, references: Sequence[_Text]) -> float:
    if not references:
        return 0.0
    return SCALE * math.fsum(_similarity(text, reference) for reference in references) / len(references)


def _similarity(text: _Text, reference: _Text) -> float:
    """Return CIDEr-D of one reference before scaling: the mean over n of the clipped cosine, less for other lengths."""
    cosines = [_cosine(text, reference, n) for n in range(ORDER)]
    return math.fsum(cosines) / ORDER * math.exp(-((text.words - reference.words) ** 2) / (2 * SIGMA**2))


def _cosine(text: _Text, reference: _Text, n: int) -> float:
    norm = text.norms[n] * reference.norms[n]
    if not norm:
        return 0.0
    theirs = reference.vectors[n]
    products = (min(weight, theirs[gram]) * theirs[gram] for gram, weight in text.vectors[n].items() if gram in theirs)
    return math.fsum(products) / norm


def _grams(text: str) -> tuple[Counter[Gram], int]:
    """Return how often each n-gram of a text comes, and its number of words."""
    words = WORD.findall(text.lower())
    counts = Counter(tuple(words[i : i + n]) for n in range(1, ORDER + 1) for i in range(len(words) - n + 1))
    return counts, len(words)
