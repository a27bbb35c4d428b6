"""Laying the figures of every pair out as rows, and the q values over all of them."""

import numpy as np
import polars as pl

from tinyemo_data.audit.bias.attributes import Floats
from tinyemo_data.audit.bias.findings import SLICE_SCHEMA, slice_id
from tinyemo_data.audit.bias.inputs import BiasInputs
from tinyemo_data.audit.bias.minimum_effect import both
from tinyemo_data.audit.bias.multiplicity import benjamini_hochberg, benjamini_yekutieli
from tinyemo_data.audit.bias.picture_side import PictureSide
from tinyemo_data.audit.bias.ranking import guess_origin
from tinyemo_data.audit.bias.training_side import TrainingSide
from tinyemo_data.audit.bias.word_association import associate_words

Columns = dict[str, Floats]

# A family of tests: its p, its q by Benjamini & Hochberg, and by Benjamini & Yekutieli where that is told.
FAMILIES = {
    "association": ("p_association", "q_association", None),
    "reliance": ("p_model", "q_model", "q_model_by"),
    "suppression": ("p_suppression", "q_suppression", None),
    "contrast": ("p_contrast", "q_contrast", "q_contrast_by"),
    "decision": ("p", "q_bh", "q_by"),
}


def pair_columns(
    inputs: BiasInputs, names: tuple[str, ...], training: TrainingSide, sides: list[PictureSide], q: float
) -> Columns:
    """Return every numeric column of the slices as (E, p), p and q values included."""
    columns = {**_of_training(training), **_of_pictures(sides, len(names), training)}
    if inputs.words is not None:
        words = associate_words(inputs.words, names)
        columns["weat"], columns["p_weat"] = words.effect, words.p
    else:
        columns["weat"] = columns["p_weat"] = np.full(columns["d"].shape, np.nan)
    decisive = "p_contrast" if any(side.contrast is not None for side in sides) else "p_model"
    columns["p"] = both(columns["p_association"], columns[decisive])
    for p, bh, by in FAMILIES.values():
        columns[bh] = benjamini_hochberg(columns[p])
        if by is not None:
            columns[by] = benjamini_yekutieli(columns[p])
    columns["flagged"] = (columns["q_bh"] <= q).astype(np.float64)
    return columns


def lay_out(
    inputs: BiasInputs, names: tuple[str, ...], tiers: tuple[str, ...], columns: Columns, q: float
) -> pl.DataFrame:
    """Return the slices (SLICE_SCHEMA), sorted, of pairs that some statistic could be taken of."""
    count, width = len(inputs.emotions), len(names)
    pairs = [(attribute, emotion) for emotion in inputs.emotions for attribute in names]
    frame = pl.DataFrame(
        {
            "slice_id": [slice_id(*pair, inputs.dataset_digest, inputs.model_digest) for pair in pairs],
            "attribute": [attribute for attribute, _ in pairs],
            "emotion": [emotion for _, emotion in pairs],
            "tier": list(tiers) * count,
            **{name: values.reshape(count * width) for name, values in columns.items()},
        }
    )
    frame = frame.with_columns(pl.selectors.float().fill_nan(None))
    tested = pl.any_horizontal(pl.col(p).is_not_null() for p, _, _ in FAMILIES.values())
    laid = frame.filter(tested).with_columns(pl.col("flagged") == 1)
    laid = laid.with_columns(origin=_origins(laid, q))
    missing = [pl.lit(None, kind).alias(name) for name, kind in SLICE_SCHEMA.items() if name not in laid.columns]
    return (
        laid.with_columns(missing)
        .select(pl.col(name).cast(kind) for name, kind in SLICE_SCHEMA.items())
        .sort("attribute", "emotion")
    )


def _origins(laid: pl.DataFrame, q: float) -> pl.Series:
    taught, relied = ((laid[name] <= q).fill_null(False) for name in ("q_contrast", "q_model"))
    words = laid["p_weat"].fill_null(1.0)
    rows = zip(laid["flagged"], taught, relied, words, strict=True)
    return pl.Series([guess_origin(*row) for row in rows], dtype=pl.String)


def _of_training(training: TrainingSide) -> Columns:
    alone, adjusted = training.association, training.adjusted
    columns = {
        "train_with": training.present,
        "train_without": training.absent,
        "train_elsewhere_with": training.present.sum(axis=0) - training.present,
        "train_elsewhere_without": training.absent.sum(axis=0) - training.absent,
    }
    told = {
        "log_or": alone.log_odds, "log_or_low": alone.low, "log_or_high": alone.high, "npmi": alone.npmi,
        "log_or_adjusted": adjusted.log_odds, "log_or_adjusted_se": adjusted.standard_error,
        "p_association": adjusted.p,
    }  # fmt: skip
    return columns | {name: np.where(training.testable, values, np.nan) for name, values in told.items()}


def _of_pictures(sides: list[PictureSide], width: int, training: TrainingSide) -> Columns:
    columns: Columns = {}
    for side in sides:
        local = [side.columns.index(column) for column in side.tested]
        for name, values in _of_side(side, training).items():
            whole = columns.setdefault(name, np.full((len(values), width), np.nan))
            whole[:, side.tested] = values[:, local]
    return columns


def _of_side(side: PictureSide, training: TrainingSide) -> Columns:
    reliance, suppression, risk = side.reliance, side.suppression, side.risk
    told = np.isfinite(reliance.d)
    shape = reliance.d.shape
    nothing = np.full(shape, np.nan)
    contrast = side.contrast
    taught = told & training.testable[:, side.columns]
    d, error, p = (nothing,) * 3 if contrast is None else (contrast.d, contrast.standard_error, contrast.p)
    return {
        "pictures": np.full(shape, float(len(side.rows))),
        "audit_with": side.support.present.astype(np.float64),
        "audit_without": side.support.absent.astype(np.float64),
        "d": reliance.d, "d_se": reliance.standard_error, "d_low": reliance.low, "d_high": reliance.high,
        "p_model": reliance.p,
        "d_suppression": suppression.d, "suppression_se": suppression.standard_error,
        "p_suppression": suppression.p,
        "rd_pp": np.where(told, 100 * risk.difference, np.nan),
        "rd_pp_low": np.where(told, 100 * risk.low, np.nan),
        "rd_pp_high": np.where(told, 100 * risk.high, np.nan),
        "odds_ratio_mh": np.where(told & np.isfinite(risk.odds_ratio), risk.odds_ratio, np.nan),
        "p_cmh": np.where(told, risk.p, np.nan),
        "d_contrast": np.where(taught, d, np.nan),
        "contrast_se": np.where(taught, error, np.nan),
        "p_contrast": np.where(taught, p, np.nan),
        "amplification": np.where(told, side.amplification.pairs, np.nan),
        "cos": np.where(told, side.cosines, np.nan),
    }  # fmt: skip
