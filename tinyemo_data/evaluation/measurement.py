"""From probabilities to rows: every figure of one method, and the mean over the projector's seeds."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean, stdev

import numpy as np

from tinyemo_data.evaluation import metrics
from tinyemo_data.evaluation.bootstrap import Floats, paired_difference, percentile_interval
from tinyemo_data.evaluation.prediction import Prediction
from tinyemo_data.evaluation.row import Row
from tinyemo_data.settings import EvaluationSettings

DECIMALS = 6  # the last bits of a float depend on the machine's arithmetic library; reports must not


@dataclass(frozen=True)
class Pictures:
    """The pictures that rows are about: true labels as codes (N,), and where they come from."""

    dataset: str
    split: str
    taxonomy: str
    labels: list[str]
    truth: metrics.Codes
    twins: int
    twins_removed: bool


def measure(prediction: Prediction, pictures: Pictures, settings: EvaluationSettings) -> Row:
    """Return the row of one method: all figures of its probabilities on `pictures`."""
    predicted = metrics.predict(prediction.probabilities)
    confusion = metrics.confusion_matrix(pictures.truth, predicted, len(pictures.labels))
    low, high = percentile_interval(hits(prediction, pictures), settings.bootstrap, settings.seed)
    return Row(
        dataset=pictures.dataset,
        split=pictures.split,
        taxonomy=pictures.taxonomy,
        method=prediction.method,
        seed=prediction.seed,
        n=len(pictures.truth),
        top1=_rounded(metrics.top1(pictures.truth, predicted)),
        ci95=(_rounded(low), _rounded(high)),
        macro_f1=_rounded(metrics.macro_f1(confusion)),
        top2=_rounded(metrics.top_k(prediction.probabilities, pictures.truth, 2)),
        ece=_rounded(metrics.expected_calibration_error(prediction.probabilities, pictures.truth)),
        labels=pictures.labels,
        recall=dict(zip(pictures.labels, [_rounded_or_none(r) for r in metrics.recall(confusion)], strict=True)),
        support=dict(zip(pictures.labels, confusion.sum(axis=1).tolist(), strict=True)),
        confusion=confusion.tolist(),
        twins=pictures.twins,
        twins_removed=pictures.twins_removed,
        model_digest=prediction.model_digest,
        fitted_on=prediction.fitted_on,
        seen=prediction.seen,
        seeds=prediction.seeds,
    )


def mean_over_seeds(
    rows: Sequence[Row], predictions: Sequence[Prediction], pictures: Pictures, settings: EvaluationSettings
) -> Row:
    """Return the row of the mean over seeds; its interval is of pictures, `top1_sd` of seeds."""
    share_right = np.mean([hits(prediction, pictures) for prediction in predictions], axis=0)  # (N,)
    low, high = percentile_interval(share_right, settings.bootstrap, settings.seed)
    return replace(
        rows[0],
        seed=None,
        seeds=len(rows),
        top1=_rounded(fmean(row.top1 for row in rows)),
        top1_sd=_rounded(stdev(row.top1 for row in rows)) if len(rows) > 1 else None,
        ci95=(_rounded(low), _rounded(high)),
        macro_f1=_rounded(fmean(row.macro_f1 for row in rows)),
        top2=_rounded(fmean(row.top2 for row in rows)),
        ece=_rounded(fmean(row.ece for row in rows)),
        recall={label: _mean_recall(rows, label) for label in pictures.labels},
        confusion=None,
    )


def with_lead(
    row: Row,
    prediction: Prediction,
    others: Sequence[Prediction],
    pictures: Pictures,
    settings: EvaluationSettings,
) -> Row:
    """Return `row` with the paired difference of its top-1 to each of the other methods."""
    lead = {}
    for other in others:
        difference, low, high = paired_difference(
            hits(prediction, pictures), hits(other, pictures), settings.bootstrap, settings.seed
        )
        lead[other.method] = (_rounded(difference), _rounded(low), _rounded(high))
    return replace(row, lead=lead)


def hits(prediction: Prediction, pictures: Pictures) -> Floats:
    """Return 1 where the label is right and 0 elsewhere, float64 (N,)."""
    return np.equal(metrics.predict(prediction.probabilities), pictures.truth).astype(np.float64)


def _rounded(value: float) -> float:
    return round(float(value), DECIMALS)


def _rounded_or_none(value: float | None) -> float | None:
    return None if value is None else _rounded(value)


def _mean_recall(rows: Sequence[Row], label: str) -> float | None:
    found = [recall for row in rows if (recall := row.recall[label]) is not None]
    return _rounded(fmean(found)) if found else None
