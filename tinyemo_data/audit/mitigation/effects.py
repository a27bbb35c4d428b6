"""What the weights changed in bias: every pair of every audited dataset, before and after."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from tinyemo_data.audit.mitigation.frozen import FrozenAudit
from tinyemo_data.projector.ensemble import ProjectorEnsemble

WORSE = 10  # pairs told whose effect grew the most


def compare_effects(frozen: Mapping[str, FrozenAudit], after: ProjectorEnsemble) -> pl.DataFrame:
    """Return `FrozenAudit.compare` of each dataset, one below the other, with the column `dataset`."""
    parts = []
    for name, one in frozen.items():
        similarities = after.similarities(one.features, one.inputs.emotions).numpy()
        parts.append(one.compare(similarities).with_columns(dataset=pl.lit(name)))
    return pl.concat(parts)


def tell_effects(compared: pl.DataFrame, accepted: pl.DataFrame) -> dict[str, Any]:
    """Return the accepted slices' effects, and the largest growth among all other pairs.

    `accepted` has `slice_id`, `dataset`, `attribute`, `emotion`.
    """
    pair = ["dataset", "attribute", "emotion"]
    own = accepted.select("slice_id", *pair).join(compared, on=pair, how="left", maintain_order="left")
    others = compared.join(accepted, on=pair, how="anti").drop_nulls("change")
    # Growth is of the effect's size, whichever way it points.
    grown = others.with_columns(growth=pl.col("change") * pl.col("before").sign())
    worst = grown.sort("growth", *pair, descending=[True, False, False, False]).head(WORSE).drop("growth")
    away = (pl.col("before") > 0) & (pl.col("change_low") > 0) | (pl.col("before") < 0) & (pl.col("change_high") < 0)
    return {
        "slices": own.to_dicts(),
        "other_pairs": {
            "compared": len(others),
            "surely_larger": len(others.filter(away)),
            "largest_growth": worst.to_dicts(),
        },
    }
