"""Choosing between candidate settings by paired cross-validation on the train split."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from pydantic import ValidationError

from tinyemo_data.errors import SettingsError, nearest
from tinyemo_data.features.table import LabelledFeatures
from tinyemo_data.projector.cross_validation import CrossValidation, cross_validate, paired_difference
from tinyemo_data.projector.prototypes import Prototypes
from tinyemo_data.settings import ProjectorSettings

# These say what is learnt from or how the choice is made: to choose between them is no like-for-like
# comparison.
NO_CHOICE = {"checkpoint", "train_on", "grounding_text", "candidates", "folds"}


@dataclass(frozen=True)
class Candidate:
    """One row of the comparison: overrides of the settings, and how they did."""

    overrides: dict[str, Any]
    top1: float  # mean over folds, of the ensemble, 0–1
    fold_top1: list[float]
    difference: float  # mean paired difference from the settings as they stand
    standard_error: float | None  # of that difference; None for the settings as they stand
    chosen: bool


@dataclass(frozen=True)
class Selection:
    """The settings to train with, and the comparison that chose them, empty without candidates."""

    settings: ProjectorSettings
    table: list[Candidate]

    def as_rows(self) -> list[dict[str, Any]]:
        """Return the table as plain values, for metrics.json."""
        return [asdict(candidate) for candidate in self.table]


def choose(
    labelled: LabelledFeatures,
    prototypes: Prototypes,
    settings: ProjectorSettings,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Selection:
    """Return the settings of best held-out top-1: as they stand, or under one of their candidates.

    All are compared on the same folds of `labelled` (train rows alone); a tie goes to the earlier. `progress` is
    told (candidates done, candidates in all). With no candidates nothing is trained. Raises
    SettingsError for a candidate that is no setting.
    """
    if not settings.candidates:
        return Selection(settings, [])
    variants = [
        ({}, settings),
        *((overrides, overridden(settings, overrides)) for overrides in settings.candidates),
    ]
    results: list[CrossValidation] = []
    for _, variant in variants:
        results.append(cross_validate(labelled, prototypes, variant, settings.folds, seed))
        if progress:
            progress(len(results), len(variants))
    best = max(range(len(results)), key=lambda number: results[number].mean)
    table = [
        _row(overrides, result, results[0], chosen=number == best)
        for number, ((overrides, _), result) in enumerate(zip(variants, results, strict=True))
    ]
    return Selection(variants[best][1], table)


def overridden(settings: ProjectorSettings, overrides: dict[str, Any]) -> ProjectorSettings:
    """Return the settings with `overrides`. Raises SettingsError for an unknown key or a bad value."""
    where = f"projector.candidates, the candidate {overrides}"
    allowed = [name for name in ProjectorSettings.model_fields if name not in NO_CHOICE]
    for key in overrides:
        if key not in allowed:
            raise SettingsError(
                f"{where}: '{key}' is no setting to choose.{nearest(key, allowed)} Known here: {', '.join(allowed)}."
            )
    try:
        return ProjectorSettings.model_validate({**settings.model_dump(), **overrides})
    except ValidationError as exc:
        first = exc.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise SettingsError(f"{where}: {key}: {first['msg']}; found {first['input']!r}.") from exc


def _row(overrides: dict[str, Any], result: CrossValidation, base: CrossValidation, chosen: bool) -> Candidate:
    difference, standard_error = paired_difference(result.top1, base.top1)
    return Candidate(overrides, result.mean, result.top1, difference, standard_error if overrides else None, chosen)
