"""What the bias audit found: one row a pair, and all that a reader must know beside it."""

import hashlib
from dataclasses import dataclass, field
from typing import Literal

import orjson
import polars as pl

from tinyemo_data.audit.bias.attributes import Floats
from tinyemo_data.audit.bias.candidates import Merged
from tinyemo_data.audit.bias.evidence import Evidence
from tinyemo_data.audit.bias.settings import BiasSettings
from tinyemo_data.audit.bias.support import NotTestable

F, N, S, B = pl.Float64(), pl.Int64(), pl.String(), pl.Boolean()
# `audit/slices.parquet`. Effects are in standard deviations of the margin within classes; "_low" and "_high" are
# ends of 95 % intervals; p are one-sided and of a minimum effect, unless said otherwise; null: not testable.
SLICE_SCHEMA = pl.Schema({
    "slice_id": S, "attribute": S, "emotion": S, "tier": S,
    "pictures": N,  # audited pictures that the pair was tested on
    "audit_with": N, "audit_without": N,  # image groups of other emotions
    "train_with": N, "train_without": N,  # training pictures of the emotion
    "train_elsewhere_with": N, "train_elsewhere_without": N,  # training pictures of other emotions
    "log_or": F, "log_or_low": F, "log_or_high": F, "npmi": F,  # counted alone
    "log_or_adjusted": F, "log_or_adjusted_se": F, "p_association": F, "q_association": F,  # others held fixed
    "d": F, "d_se": F, "d_low": F, "d_high": F, "p_model": F, "q_model": F, "q_model_by": F,  # reliance
    "d_suppression": F, "suppression_se": F, "p_suppression": F, "q_suppression": F,
    "rd_pp": F, "rd_pp_low": F, "rd_pp_high": F,  # percentage points of predictions
    "odds_ratio_mh": F, "p_cmh": F,  # two-sided, of no association
    "d_contrast": F, "contrast_se": F, "p_contrast": F, "q_contrast": F, "q_contrast_by": F,
    "p": F, "q_bh": F, "q_by": F, "flagged": B,  # what decides
    "d_boot_low": F, "d_boot_high": F, "contrast_boot_low": F, "contrast_boot_high": F, "p_permutation": F,  # flagged
    "amplification": F, "cos": F, "weat": F, "p_weat": F, "origin": S,
    "rank": N,  # from 1, of flagged pairs
})  # fmt: skip

Decision = Literal["association and contrast", "association and reliance"]


@dataclass(frozen=True)
class BiasFindings:
    """The audit's result; `slices` is the table that is written and reviewed."""

    slices: pl.DataFrame = field(compare=False)  # SLICE_SCHEMA, sorted by attribute and emotion
    not_testable: list[NotTestable]
    merged: list[Merged]
    tests: dict[str, int]  # how many pairs each family of tests has
    decided_by: Decision
    settings: BiasSettings
    pictures: dict[str, int]  # audited, discovery, confirmation, training
    effective_share: float  # of the training pictures under raked weights, 0–1
    largest_weight: float
    largest_difference: float  # of an attribute's share between classes that raking left, 0–1
    seed_deviation: float | None  # of one seed's contrast
    amplification: tuple[float, float | None, float | None]  # overall, with its 95 % interval over seeds
    weights: Floats = field(compare=False)  # (M,) raked weights of the training pictures, mean 1
    evidence: list[Evidence] = field(default_factory=list)  # of flagged pairs, by rank

    @property
    def flagged(self) -> pl.DataFrame:
        """The flagged pairs by rank."""
        return self.slices.filter(pl.col("flagged")).sort("rank")


def slice_id(attribute: str, emotion: str, dataset_digest: str, model_digest: str) -> str:
    """Return a pair's id, 16 hex digits: equal for equal attribute, emotion, dataset and model."""
    content = orjson.dumps([attribute, emotion, dataset_digest, model_digest])
    return hashlib.sha256(content).hexdigest()[:16]
