"""Is the attribute's *word* near the emotion's word in the language model itself? Single-category WEAT.

Caliskan, Bryson & Narayanan 2017: the statistic is the cosine with e's word less the mean cosine with the other
emotions' words, the effect size the same in standard deviations over all of them. The statistic's p comes from control
words of the vocabulary: the words of one set share a direction, so that permuting them calls 37 % of random words
significant at 0.05. The mean of the control words is taken out first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tinyemo_data.audit.bias.attributes import Floats
from tinyemo_data.errors import AuditError

LEAST_CONTROLS = 100


@dataclass(frozen=True)
class WordVectors:
    """Input embeddings of one language model."""

    attributes: Mapping[str, npt.NDArray[np.floating]]  # (h,) of an attribute's word; attributes may be absent
    emotions: npt.NDArray[np.floating]  # (E, h), not centred
    controls: npt.NDArray[np.floating]  # (C, h): vocabulary words drawn at random, best of like frequency


@dataclass(frozen=True)
class WordAssociation:
    """Effect sizes (E, p) and empirical one-sided p; NaN for attributes without a word."""

    effect: Floats
    p: Floats


def associate_words(words: WordVectors, names: Sequence[str]) -> WordAssociation:
    """Return SC-WEAT of each attribute's word and emotion. Raises AuditError for too few control words."""
    controls = np.asarray(words.controls, dtype=np.float64)
    if len(controls) < LEAST_CONTROLS:
        raise AuditError(
            f"Words: {len(controls)} control words give no p below 1 in {len(controls) + 1}; expected at least "
            f"{LEAST_CONTROLS}. Draw more from the language model's vocabulary."
        )
    mean = controls.mean(axis=0)
    emotions = np.asarray(words.emotions, dtype=np.float64) - mean
    of_controls = np.sort(_statistics(controls - mean, emotions)[0], axis=0)  # (C, E)
    effect, p = np.full((len(emotions), len(names)), np.nan), np.full((len(emotions), len(names)), np.nan)
    for column, name in enumerate(names):
        if name in words.attributes:
            own = np.asarray(words.attributes[name], dtype=np.float64)[None] - mean
            statistic, sizes = _statistics(own, emotions)
            effect[:, column] = sizes[0]
            for e, value in enumerate(statistic[0]):
                reached = len(controls) - np.searchsorted(of_controls[:, e], value, side="left")
                p[e, column] = (1 + reached) / (1 + len(controls))
    return WordAssociation(effect, p)


def _statistics(rows: Floats, emotions: Floats) -> tuple[Floats, Floats]:
    """Return the statistics and effect sizes, (n, E) each, of rows (n, h)."""
    cosines = _unit(rows) @ _unit(emotions).T
    difference = cosines - (cosines.sum(axis=1, keepdims=True) - cosines) / (len(emotions) - 1)
    spread = cosines.std(axis=1, ddof=1, keepdims=True)
    return difference, np.divide(difference, spread, out=np.zeros_like(cosines), where=spread > 0)


def _unit(rows: Floats) -> Floats:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: Floats = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)
    return unit
