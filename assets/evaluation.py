"""`evaluation/classification`: the accuracy table, with baselines and the paper's figures beside it."""

from typing import Any

import dagster as dg

from assets import metadata
from assets.failures import failures_for_people
from assets.features import features_at_hand
from assets.leakage import LEAKAGE
from assets.projector import MODEL
from assets.resources import ClipEncoder, StoreResource
from tinyemo_data.settings import Settings

GROUP = "evaluation"
OWNERS = ["team:models"]
CODE_VERSION = "1"
CLASSIFICATION = dg.AssetKey(["evaluation", "classification"])


def build_evaluation(settings: Settings) -> list[Any]:
    """Return the evaluation's assets and checks of a profile."""
    return [_classification_asset(settings), *_classification_checks()]


def _classification_asset(settings: Settings) -> dg.AssetsDefinition:
    @dg.asset(
        key=CLASSIFICATION,
        group_name=GROUP,
        owners=OWNERS,
        kinds={"sklearn", "pytorch"},
        code_version=CODE_VERSION,
        deps=[MODEL, LEAKAGE, *features_at_hand(settings, settings.evaluation.datasets)],
    )
    def classification(store: StoreResource, clip_encoder: ClipEncoder) -> dg.MaterializeResult:
        """Top-1, macro-F1, recall, confusion, calibration and intervals a dataset, beside baselines and the paper.

        The evaluated split is `test`; where there is none it is `validation`, and the report says so. Figures of
        the demo are of drawn pictures and say nothing about real ones.
        """
        from tinyemo_data.evaluation.materialize import materialize_classification
        from tinyemo_data.features.cache import encoder_slug

        with failures_for_people():
            opened = store.open()
            made = materialize_classification(opened, settings, encoder_slug(clip_encoder.settings()))
        shown: dict[str, Any] = {
            "dagster/row_count": len(made.report.rows),
            "dagster/uri": str(opened.path("reports/classification.json")),
            "report": dg.MetadataValue.md(made.markdown),
            "plot": metadata.picture(made.picture, "top-1 with 95 % intervals a method, and the confusion matrix"),
            "notes": dg.MetadataValue.md("\n".join(f"- {note}" for note in made.report.remarks)),
        }
        return dg.MaterializeResult(
            metadata=shown | made.headline, data_version=dg.DataVersion(opened.digest("reports/classification.json"))
        )

    return classification


def _classification_checks() -> list[dg.AssetChecksDefinition]:
    @dg.asset_check(asset=CLASSIFICATION, name="no_training_picture_evaluated")
    def no_training_picture_evaluated(store: StoreResource) -> dg.AssetCheckResult:
        """No evaluated picture is, or is nearly, one that was learnt from."""
        from tinyemo_data.evaluation.report import read_report

        with failures_for_people():
            report = read_report(store.open())
        twins = {row.dataset: row.twins for row in report.rows if row.twins}
        return dg.AssetCheckResult(
            passed=not twins, severity=dg.AssetCheckSeverity.WARN, metadata={"twins_a_dataset": twins}
        )

    @dg.asset_check(asset=CLASSIFICATION, name="not_worse_than_class_means")
    def not_worse_than_class_means(store: StoreResource) -> dg.AssetCheckResult:
        """The projector's seeds do, on average, at least as well as the nearest class mean of the same features."""
        from tinyemo_data.evaluation.report import read_report

        with failures_for_people():
            rows = [row for row in read_report(store.open()).rows if row.seed is None and not row.twins_removed]
        top1 = {(row.dataset, row.method): row.top1 for row in rows}
        worse = [
            dataset
            for (dataset, method), value in top1.items()
            if method == "projector" and value < top1.get((dataset, "nearest_class_mean"), 0.0)
        ]
        return dg.AssetCheckResult(passed=not worse, severity=dg.AssetCheckSeverity.WARN, metadata={"worse_on": worse})

    return [no_training_picture_evaluated, not_worse_than_class_means]
