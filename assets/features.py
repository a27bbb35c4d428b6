"""`features/<dataset>`: CLIP features, every picture encoded once."""

from collections.abc import Sequence
from typing import Any

import dagster as dg

from assets import metadata
from assets.failures import failures_for_people
from assets.ingest import dataset_root, samples_key
from assets.progress import log_progress
from assets.resources import ClipEncoder, RawResource, StoreResource
from tinyemo_data import sample
from tinyemo_data.presence import datasets_present
from tinyemo_data.settings import Settings

GROUP = "features"
OWNERS = ["team:data"]
CODE_VERSION = "1"


def build_features(settings: Settings) -> list[Any]:
    """Return the feature assets and checks of a profile."""
    definitions: list[Any] = []
    for name in settings.datasets:
        definitions += [_features_asset(name, settings), *_features_checks(name)]
    return definitions


def features_key(name: str) -> dg.AssetKey:
    """Return the asset key of a dataset's features."""
    return dg.AssetKey(["features", name])


def features_at_hand(settings: Settings, wanted: Sequence[str]) -> list[dg.AssetKey]:
    """Return the features that what combines datasets waits for: one that is not on this machine stops none.

    Told when the code location is loaded: reload it after a dataset was laid down.
    """
    present = datasets_present(settings)
    return [features_key(name) for name in wanted if name in present]


def _features_asset(name: str, settings: Settings) -> dg.AssetsDefinition:
    @dg.asset(
        key=features_key(name),
        group_name=GROUP,
        owners=OWNERS,
        kinds={"parquet", "pytorch"},
        code_version=CODE_VERSION,
        deps=[samples_key(name)],
        description=(
            f"CLIP features of **{name}**: pooled, un-normalised, float16, in Parquet shards. A feature is keyed by "
            "the picture's bytes and the encoder: rerunning encodes what is new by content, and a killed run goes on "
            "where it stopped."
        ),
    )
    def features(
        context: dg.AssetExecutionContext, store: StoreResource, raw: RawResource, clip_encoder: ClipEncoder
    ) -> dg.MaterializeResult:
        from tinyemo_data.features.materialize import materialize_features

        with failures_for_people():
            opened = store.open()
            made = materialize_features(
                opened,
                name,
                dataset_root(raw, settings, name),
                settings.datasets[name],
                clip_encoder.settings(),
                log_progress(context, "pictures"),
            )
        report = made.report
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": report.rows,
                "dagster/uri": str(opened.path(made.key)),
                "encoder": made.encoder,
                "computed": report.computed,
                "reused": report.reused,
                "failed": len(report.failed),
                "failures": metadata.preview(report.failed, rows=30),
                "seconds": report.seconds,
                "pictures_per_second": report.pictures_per_second,
            },
            data_version=dg.DataVersion(made.digest),
        )

    return features


def _features_checks(name: str) -> list[dg.AssetChecksDefinition]:
    @dg.asset_check(asset=features_key(name), name="complete", blocking=True)
    def complete(store: StoreResource, clip_encoder: ClipEncoder) -> dg.AssetCheckResult:
        """Every sample has its feature, of the very bytes that the Sample table names, or a reason why not.

        All values are finite. What failed is for the check `nothing_failed`: it stops none of the others.
        """
        import torch

        from tinyemo_data.features.cache import encoder_slug, read_failed, read_features

        with failures_for_people():
            opened = store.open()
            samples = sample.read_samples(opened, name)
            slug = encoder_slug(clip_encoder.settings())
            table = read_features(opened, slug, name)
        explained = samples.join(read_failed(opened, slug, name), on="sample_id", how="anti")
        wanted = set(zip(explained["sample_id"], explained["sha256"], strict=True))
        without = wanted - set(zip(table.sample_ids, table.sha256, strict=True))
        broken = int((~torch.isfinite(table.features).all(dim=1)).sum())
        return dg.AssetCheckResult(
            passed=not without and not broken,
            metadata={"rows": len(table.sample_ids), "without_feature": len(without), "not_finite": broken},
        )

    @dg.asset_check(asset=features_key(name), name="nothing_failed")
    def nothing_failed(store: StoreResource, clip_encoder: ClipEncoder) -> dg.AssetCheckResult:
        """Every picture could be encoded; what could not is tried again by the next run."""
        from tinyemo_data.features.cache import encoder_slug, read_failed

        with failures_for_people():
            failed = read_failed(store.open(), encoder_slug(clip_encoder.settings()), name)
        return dg.AssetCheckResult(
            passed=failed.is_empty(),
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"failed": len(failed), "failures": metadata.preview(failed, rows=30)},
        )

    return [complete, nothing_failed]
