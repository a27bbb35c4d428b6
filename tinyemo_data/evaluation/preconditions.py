"""What evaluation refuses: input that would give figures which mean something else than the table says."""

from tinyemo_data.errors import FeatureError, TableError
from tinyemo_data.features.table import LabelledFeatures


def check_inputs(test: LabelledFeatures, train: LabelledFeatures | None, dataset: str, split: str) -> None:
    """Raise TableError or FeatureError where the splits can't be evaluated; `train` is None or not empty."""
    if not len(test):
        raise TableError(
            f"{dataset}: expected labelled pictures in its {split} split, found none. Look at "
            f"quarantine/{dataset} for what was kept apart, complete its raw folder, and materialize "
            f"samples/{dataset} and features/{dataset} again."
        )
    _check_part(test, dataset, split)
    if train is None:
        _check_taxonomy(set(test.taxonomies), dataset)
        return
    _check_part(train, dataset, "train")
    _check_taxonomy({*test.taxonomies, *train.taxonomies}, dataset)
    if test.features.shape[1] != train.features.shape[1]:
        raise FeatureError(
            f"{dataset}: {split} features have {test.features.shape[1]} dimensions, train features "
            f"{train.features.shape[1]}: two encoders made them. Materialize features/{dataset} again."
        )


def _check_part(part: LabelledFeatures, dataset: str, split: str) -> None:
    _check_origin(part, dataset, split)
    if part.features.ndim != 2 or len(part.features) != len(part):
        raise FeatureError(
            f"{dataset}: expected one feature for each of {len(part)} {split} pictures, found a tensor of "
            f"shape {tuple(part.features.shape)}. Materialize features/{dataset} again."
        )
    _check_finite(part, dataset, split)


def _check_origin(part: LabelledFeatures, dataset: str, split: str) -> None:
    for row, origin in enumerate(part.datasets):
        if origin != dataset:
            raise TableError(
                f"{dataset}: row {row} of its {split} split ({part.sample_ids[row]}) is of {origin}. A "
                "dataset is evaluated alone, its baselines learn from its own train split: pass its rows."
            )


def _check_finite(part: LabelledFeatures, dataset: str, split: str) -> None:
    damaged = (~part.features.isfinite().all(dim=1)).nonzero().flatten().tolist()
    if damaged:
        raise FeatureError(
            f"{dataset}: {len(damaged)} of {len(part)} {split} features hold NaN or infinity, the first of "
            f"{part.sample_ids[damaged[0]]} (row {damaged[0]}); expected finite numbers. Delete the features "
            f"of {dataset} and materialize features/{dataset} again (in fp32, if fp16 overflowed)."
        )


def _check_taxonomy(found: set[str], dataset: str) -> None:
    if len(found) > 1:
        raise TableError(
            f"{dataset}: expected one taxonomy, found {', '.join(sorted(found))}: their labels can't share a "
            "confusion matrix. Map them to one in the dataset's source module and materialize "
            f"samples/{dataset} again."
        )
