"""One dataset's audit with its attributes held as they were: the same pairs are measured before and after.

Proposed attributes (words, clusters) come from the predictions; proposed anew from other predictions they would be
other attributes under the same name.
"""

from dataclasses import dataclass, replace

import polars as pl
import torch

from tinyemo_data.audit.bias.attributes import Ternary
from tinyemo_data.audit.bias.audit import audit_bias
from tinyemo_data.audit.bias.halves import discovery_half
from tinyemo_data.audit.bias.inputs import BiasInputs
from tinyemo_data.audit.bias.proposals import with_proposals
from tinyemo_data.audit.bias.retraining import Similarities
from tinyemo_data.audit.bias.settings import BiasSettings

PAIR = ("attribute", "emotion")


@dataclass(frozen=True)
class FrozenAudit:
    """The inputs of one dataset's audit with all its candidates, and limits that propose no more."""

    inputs: BiasInputs
    settings: BiasSettings
    features: torch.Tensor  # (N, D) of the audited pictures

    def training_values(self, attribute: str) -> Ternary:
        """Return which training pictures have the attribute, (M,)."""
        table = self.inputs.train.attributes
        return table.values[:, table.names.index(attribute)]

    def compare(self, after: Similarities) -> pl.DataFrame:
        """Return the effects of each pair before and after, and their difference on the same pictures.

        Columns: `attribute`, `emotion`, `before`, `before_low`, `before_high`, `after`, …, and `change`, `change_low`,
        `change_high` (after less before, in the deviations of before). `after` (S, N, E) are similarities.
        """
        before = self.inputs.similarities
        # The audit's contrast of two projectors is the difference of their effects, picture by picture.
        differing = replace(self.inputs, retrain=lambda _weights: (before, after))
        first = audit_bias(differing, self.settings).slices
        second = audit_bias(replace(self.inputs, similarities=after, retrain=None), self.settings).slices
        reach = 1.959964 * pl.col("contrast_se")
        left = first.select(
            *PAIR, before="d", before_low="d_low", before_high="d_high",
            change=-pl.col("d_contrast"), change_low=-pl.col("d_contrast") - reach,
            change_high=-pl.col("d_contrast") + reach,
        )  # fmt: skip
        right = second.select(*PAIR, after="d", after_low="d_low", after_high="d_high")
        return left.join(right, on=PAIR, how="left", maintain_order="left")


def freeze(inputs: BiasInputs, settings: BiasSettings, features: torch.Tensor) -> FrozenAudit:
    """Return the audit with today's proposals among its attributes."""
    discovery = discovery_half(inputs.audit.labels, inputs.audit.groups, settings.seed)
    audit, train = with_proposals(inputs, discovery, settings)
    held = replace(inputs, audit=replace(audit, captions=None), train=replace(train, captions=None), retrain=None)
    # Nothing is decided here: the least number of resamples will do.
    limits = replace(settings, caption_words=0, latent_slices=0, bootstrap=100, permutations=19)
    return FrozenAudit(held, limits, features)
