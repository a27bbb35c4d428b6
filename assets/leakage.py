"""`leakage`: near-duplicates across splits and datasets, before anything is learnt or measured."""

from typing import Any

import dagster as dg

from assets import metadata
from assets.failures import failures_for_people
from assets.features import features_at_hand
from assets.progress import log_progress
from assets.resources import ClipEncoder, StoreResource
from tinyemo_data.settings import Settings

GROUP = "ingest"
OWNERS = ["team:data"]
CODE_VERSION = "1"
LEAKAGE = dg.AssetKey("leakage")


def build_leakage(settings: Settings) -> list[Any]:
    """Return the leakage asset and its check."""
    return [_leakage_asset(settings), _no_twin_in_training(settings)]


def _leakage_asset(settings: Settings) -> dg.AssetsDefinition:
    @dg.asset(
        key=LEAKAGE,
        group_name=GROUP,
        owners=OWNERS,
        kinds={"polars"},
        code_version=CODE_VERSION,
        deps=features_at_hand(settings, list(settings.datasets)),
    )
    def leakage(
        context: dg.AssetExecutionContext, store: StoreResource, clip_encoder: ClipEncoder
    ) -> dg.MaterializeResult:
        """Near-duplicates across splits and across datasets, by perceptual hash and feature cosine.

        Emotion6 and EmotionROI are the same pictures under two names: who learns from one has seen the other.
        `evaluation/classification` gives its figures with and without the twins found here.
        """
        from tinyemo_data.audit.leakage import REPORT_KEY, leakage_report
        from tinyemo_data.features.cache import encoder_slug

        with failures_for_people():
            opened, slug = store.open(), encoder_slug(clip_encoder.settings())
            report = leakage_report(opened, slug, list(settings.datasets), report=log_progress(context, "blocks"))
        return dg.MaterializeResult(
            metadata={
                "dagster/uri": str(opened.path(REPORT_KEY)),
                "pairs": len(report.pairs),
                "preview": metadata.preview(report.pairs, rows=20),
                "leaks": metadata.records(report.leaks),
                "compared": list(report.datasets),
                "not_at_hand": report.missing,
                "notes": dg.MetadataValue.md("\n".join(f"- {note}" for note in report.notes) or "none"),
            },
            data_version=dg.DataVersion(opened.digest(REPORT_KEY)),
        )

    return leakage


def _no_twin_in_training(settings: Settings) -> dg.AssetChecksDefinition:
    @dg.asset_check(asset=LEAKAGE, name="no_twin_in_training")
    def no_twin_in_training(store: StoreResource) -> dg.AssetCheckResult:
        """No evaluated picture has a near-duplicate in a train split that the projector learns from."""
        from tinyemo_data.audit.leakage import twins_of_training

        with failures_for_people():
            twins = twins_of_training(store.open(), settings.projector.train_on)
        found = {name: len(ids) for name, ids in twins.items() if ids and name in settings.evaluation.datasets}
        return dg.AssetCheckResult(
            passed=not found, severity=dg.AssetCheckSeverity.WARN, metadata={"twins_a_dataset": found}
        )

    return no_twin_in_training
