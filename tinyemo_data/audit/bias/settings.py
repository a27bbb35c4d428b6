"""What the bias audit calls an effect worth a person's time, and how sure it must be of it."""

from dataclasses import dataclass

from tinyemo_data.errors import SettingsError


@dataclass(frozen=True)
class BiasSettings:
    """Limits of the audit. Chosen by `python -m benchmarks.planted_bias`, which measures them again.

    A pair is flagged when the training data associate attribute and emotion (odds ratio above `odds_ratio`, the
    other attributes held fixed) *and* the projector learnt it from them (contrast above `delta_contrast`). Of pairs
    planted at odds of 2 that finds 90 %; the contrast alone would have to be 0.10 to leave out attributes that only
    go along with a planted one, and then finds 55 %. The association alone would flag what no feature shows. Where
    a poor tagger (recall 0.7, false alarms 0.02) meets odds of 5, one flag in twenty is on such a companion.
    """

    min_support: int = 30  # image groups in every cell that a statistic is taken of
    odds_ratio: float = 1.25  # of attribute and emotion in the training labels
    delta_model: float = 0.2  # change of margin, in within-class standard deviations
    delta_contrast: float = 0.05  # part of that change that the training labels taught
    q: float = 0.05  # expected share of false pairs among those that are flagged
    merge_phi: float = 0.8  # candidates that agree more than this are one
    raking_passes: int = 6
    bootstrap: int = 2000  # resamples of image groups, for flagged pairs alone
    permutations: int = 499  # within classes, for flagged pairs alone
    caption_words: int = 20  # at most so many a predicted emotion are proposed, where there are captions
    latent_slices: int = 0  # mixture components that are proposed as candidates; 0: none
    seed: int = 0

    def __post_init__(self) -> None:
        """Raise SettingsError for a value that no audit can run with."""
        lowest = {
            "min_support": 2, "odds_ratio": 1, "delta_model": 0, "delta_contrast": 0, "raking_passes": 1,
            "bootstrap": 100, "permutations": 19, "caption_words": 0, "latent_slices": 0, "seed": 0,
        }  # fmt: skip
        for name, least in lowest.items():
            if not getattr(self, name) >= least:
                raise SettingsError(f"audit.{name}: expected at least {least}, found {getattr(self, name)}.")
        for name in ("q", "merge_phi"):
            if not 0 < getattr(self, name) < 1:
                raise SettingsError(f"audit.{name}: expected a share between 0 and 1, found {getattr(self, name)}.")
