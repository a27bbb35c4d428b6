"""Random whole words, and how near they lie to the same pictures."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tinyemo_data.audit.interpretability.nearest import Rows, Scores, rounded
from tinyemo_data.audit.interpretability.word_space import WordSpace
from tinyemo_data.errors import LanguageModelError

PERCENTILE = 95


@dataclass(frozen=True)
class RandomWords:
    """Whole words drawn at random, labels left out."""

    numbers: npt.NDArray[np.int64]  # (C,), sorted
    points: Rows  # (C, h)

    def scores(self, queries: Rows) -> Scores:
        """Return the inner products with queries (Q, h), (Q, C), rounded as those of the nearest words are."""
        return rounded(queries @ self.points.T)


def draw_words(space: WordSpace, count: int, seed: int) -> RandomWords:
    """Draw `count` whole words that are no label, or all such words where there are fewer.

    Raises LanguageModelError where there are none.
    """
    free = np.flatnonzero(~space.labels)
    if not len(free):
        raise LanguageModelError(
            f"All {len(space)} whole words of the language model are labels: there is none to compare with. Use a "
            "model with a larger vocabulary."
        )
    numbers = np.sort(np.random.default_rng(seed).permutation(free)[:count])
    return RandomWords(numbers, space.points(numbers))


def describe(scores: Scores) -> dict[str, float]:
    """Return mean, 95th percentile and highest of the control's scores (C,)."""
    return {
        "mean": float(scores.mean()),
        "percentile_95": float(np.percentile(scores, PERCENTILE)),
        "highest": float(scores.max()),
    }
