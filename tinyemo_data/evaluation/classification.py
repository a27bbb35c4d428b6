"""The classification table: the projector and its baselines on the evaluated split of one dataset."""

from collections.abc import Sequence, Set

from tinyemo_data.evaluation.measurement import Pictures, mean_over_seeds, measure, with_lead
from tinyemo_data.evaluation.metrics import encode
from tinyemo_data.evaluation.preconditions import check_inputs
from tinyemo_data.evaluation.prediction import (
    Prediction,
    ProjectorLike,
    predict_baselines,
    predict_projector,
)
from tinyemo_data.evaluation.row import Row
from tinyemo_data.features.table import LabelledFeatures
from tinyemo_data.settings import EvaluationSettings


def evaluate_dataset(
    test: LabelledFeatures,
    train: LabelledFeatures | None,
    projector: ProjectorLike,
    settings: EvaluationSettings,
    dataset: str,
    split: str,
    exclude: Set[str] = frozenset(),
    *,
    labels: Sequence[str] | None = None,
    trained_on: Sequence[str] = (),
) -> list[Row]:
    """Return the rows of one dataset: projector a seed, their mean, the ensemble, and the baselines.

    `test` is the evaluated split, `train` the same dataset's train split; without it there are no baselines.
    `exclude` names sample ids that are near-duplicates of training pictures. Where there are such, or where
    pictures of `test` have the bytes of one in `train`, a second set of rows leaves them out.
    `labels` are the candidates (default: the labels of both splits, sorted); `trained_on` names the datasets
    that the projector learnt from. Raises TableError, FeatureError, UnknownLabelError or CheckpointError.
    """
    train = train if train is not None and len(train) else None
    check_inputs(test, train, dataset, split)
    candidates = list(labels) if labels is not None else _labels(test, train)
    seeds, ensemble = predict_projector(projector, test.features, candidates, dataset, trained_on)
    baselines = predict_baselines(train, test.features, candidates, dataset) if train is not None else []
    twins = find_twins(test, train, exclude)
    truth = encode(test.emotions, candidates)
    taxonomy = test.taxonomies[0]
    rows: list[Row] = []
    for kept, removed in _selections(len(test), twins):
        pictures = Pictures(dataset, split, taxonomy, candidates, truth[kept], len(twins), removed)
        chosen = [[p.select(kept) for p in part] for part in (seeds, [ensemble], baselines)]
        rows += _rows(chosen[0], chosen[1][0], chosen[2], pictures, settings)
    return rows


def find_twins(test: LabelledFeatures, train: LabelledFeatures | None, exclude: Set[str]) -> list[int]:
    """Return the positions in `test` of pictures with the bytes of one in `train`, or named in `exclude`."""
    learnt = set(train.sha256) if train is not None else set()
    pairs = zip(test.sha256, test.sample_ids, strict=True)
    return [row for row, (sha256, sample_id) in enumerate(pairs) if sha256 in learnt or sample_id in exclude]


def _selections(n: int, twins: list[int]) -> list[tuple[list[int], bool]]:
    """Return all pictures, and those without a twin where some but not all have one."""
    dropped = set(twins)
    alone = [row for row in range(n) if row not in dropped]
    return [(list(range(n)), False)] + ([(alone, True)] if twins and alone else [])


def _rows(
    seeds: list[Prediction],
    ensemble: Prediction,
    baselines: list[Prediction],
    pictures: Pictures,
    settings: EvaluationSettings,
) -> list[Row]:
    singles = [measure(prediction, pictures, settings) for prediction in seeds]
    together = measure(ensemble, pictures, settings)
    return [
        *singles,
        mean_over_seeds(singles, seeds, pictures, settings),
        with_lead(together, ensemble, baselines, pictures, settings),
        *(measure(prediction, pictures, settings) for prediction in baselines),
    ]


def _labels(test: LabelledFeatures, train: LabelledFeatures | None) -> list[str]:
    return sorted(set(test.emotions) | set(train.emotions if train is not None else ()))
