"""Labels of the projector, in the place of the annotators'."""

from typing import Any

import polars as pl

from tinyemo_data import taxonomy
from tinyemo_data.errors import TableError


def checked(predictions: pl.DataFrame) -> pl.DataFrame:
    """Return `sample_id`, `emotion` and, where it is given, `taxonomy`. Raises TableError: absent or repeated."""
    for name in ("sample_id", "emotion"):
        if name not in predictions.columns:
            raise TableError(f"Predictions: column '{name}' is missing; expected sample_id, emotion (and taxonomy).")
    repeated = predictions.filter(predictions["sample_id"].is_duplicated())
    if len(repeated):
        raise TableError(f"Predictions: expected one label a picture; '{repeated['sample_id'][0]}' has several.")
    return predictions.select([name for name in ("sample_id", "emotion", "taxonomy") if name in predictions.columns])


def with_predictions(table: pl.DataFrame, predictions: pl.DataFrame) -> pl.DataFrame:
    """Put the projector's labels in the place of the annotators'; a picture without one has none."""
    theirs = table.drop([name for name in predictions.columns if name != "sample_id"])
    return theirs.join(predictions, on="sample_id", how="left", maintain_order="left")


def canonical(emotion: str, row: dict[str, Any]) -> str:
    """Return a predicted label as its taxonomy spells it. Raises TableError without one, UnknownLabelError."""
    if row["taxonomy"] is None:
        raise TableError(
            f"Predictions: '{row['sample_id']}' has the label '{emotion}', and its dataset has no taxonomy. "
            "Give a column 'taxonomy' with the predictions."
        )
    return taxonomy.get(row["taxonomy"]).canonical(emotion, f"predictions, {row['sample_id']}")
