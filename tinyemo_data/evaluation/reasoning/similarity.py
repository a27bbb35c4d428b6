"""Reference-text metrics a picture: CIDEr-D, ROUGE-L and chrF, so that they can be compared picture by picture."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyemo_data.evaluation.bootstrap import Floats, Interval, percentile_interval
from tinyemo_data.evaluation.reasoning.cider import CiderD
from tinyemo_data.evaluation.reasoning.resampling import rounded

METRICS = ("cider_d", "rouge_l", "chrf")
TITLES = {"cider_d": "CIDEr-D (0–10)", "rouge_l": "ROUGE-L (0–1)", "chrf": "chrF (0–100)"}


@dataclass(frozen=True)
class Similarity:
    """A metric's mean over pictures, with its interval."""

    mean: float
    ci95: Interval


class Scorer:
    """Scores texts against the references of some pictures, of which each has at least one.

    CIDEr-D as in `cider`. ROUGE-L (Lin 2004) is the F-measure of the longest common subsequence, without stemming, of
    the best reference. chrF (Popović 2015; n = 6, β = 2) is that of the sentence with several references.
    """

    def __init__(self, references: Sequence[Sequence[str]]) -> None:
        """Take the references of each picture."""
        from rouge_score.rouge_scorer import RougeScorer  # type: ignore[import-untyped]
        from sacrebleu.metrics.chrf import CHRF

        self._references, self._cider = references, CiderD(references)
        self._rouge, self._chrf = RougeScorer(["rougeL"], use_stemmer=False), CHRF()

    def scores(self, texts: Sequence[str]) -> dict[str, Floats]:
        """Return each metric's score of one text a picture, float64 (N,)."""
        pairs = list(zip(texts, self._references, strict=True))
        rouge = [self._rouge.score_multi(theirs, text)["rougeL"].fmeasure for text, theirs in pairs]
        chrf = [self._chrf.sentence_score(text, theirs).score for text, theirs in pairs]
        return {"cider_d": np.array(self._cider.scores(texts)), "rouge_l": np.array(rouge), "chrf": np.array(chrf)}


def measure_similarity(scores: dict[str, Floats], resamples: int, seed: int) -> dict[str, Similarity]:
    """Return the mean of each metric over the pictures."""
    found = {}
    for name, per_picture in scores.items():
        low, high = percentile_interval(per_picture, resamples, seed)
        found[name] = Similarity(rounded(per_picture.mean()), (rounded(low), rounded(high)))
    return found
