"""The ground floor: `sample_corpus` (demo only) and `samples/<dataset>`, one asset a dataset from one factory."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import polars as pl

from assets import metadata
from assets.failures import failures_for_people
from assets.progress import log_progress
from assets.resources import RawResource, StoreResource
from tinyemo_data import sample, sample_reading, sources
from tinyemo_data.presence import dataset_folder
from tinyemo_data.settings import DatasetSettings, Settings, checked
from tinyemo_data.store import Store

if TYPE_CHECKING:
    from tinyemo_data.ingest import Ingested

GROUP = "ingest"
OWNERS = ["team:data"]
CODE_VERSION = "1"
PREVIEWED = 8  # rows
SHEET = 6  # pictures an emotion


class SamplesConfig(dg.Config):
    """What can be chosen for one dataset at launch; empty: as the profile says."""

    label: str = ""


def build_ingest(settings: Settings) -> list[Any]:
    """Return the ingest assets and checks of a profile."""
    definitions: list[Any] = [_corpus_asset(settings)] if settings.pictures == "drawn" else []
    for name in settings.datasets:
        definitions += [_samples_asset(name, settings), *_samples_checks(name)]
    return definitions


def samples_key(name: str) -> dg.AssetKey:
    """Return the asset key of a dataset's Sample table."""
    return dg.AssetKey(["samples", name])


def dataset_root(raw: RawResource, settings: Settings, name: str) -> Path:
    """Return the folder that a dataset is expected in."""
    return dataset_folder(settings.model_copy(update={"raw": raw.folder}), name)


def _corpus_asset(settings: Settings) -> dg.AssetsDefinition:
    @dg.asset(name="sample_corpus", group_name=GROUP, owners=OWNERS, kinds={"image"}, code_version=CODE_VERSION)
    def sample_corpus(raw: RawResource) -> dg.MaterializeResult:
        """Draw the demo's pictures into its own raw folder, each dataset in its real layout.

        The emotion is carried by colour, shape and composition, plus noise. Drawn once: a rerun with the
        same settings draws nothing, and a folder that holds anything else is never touched.
        """
        from tinyemo_data.sample_corpus.layouts.corpus import draw_corpus

        with failures_for_people():
            report = draw_corpus(Path(raw.folder), list(settings.datasets), settings.sample_corpus)
        return dg.MaterializeResult(
            metadata={
                "pictures": report.pictures,
                "pictures_by_dataset": report.pictures_by_dataset,
                "drawn_now": report.drawn,
                "planted_faults": report.rejected,
                "dagster/uri": raw.folder,
                "seconds": report.seconds,
            }
        )

    return sample_corpus


def _samples_asset(name: str, settings: Settings) -> dg.AssetsDefinition:
    card, chosen = sources.get(name).card, settings.datasets[name]

    @dg.asset(
        key=samples_key(name),
        group_name=GROUP,
        owners=OWNERS,
        kinds={"parquet", "polars"},
        code_version=CODE_VERSION,
        deps=[dg.AssetKey("sample_corpus")] if settings.pictures == "drawn" else [],
        description=(
            f"**{card.title}**, one row a picture ([Sample table](docs/tables.md)); files that can't be used are in "
            f"`quarantine/{name}.parquet` with a reason.\n\nExpected layout: {card.layout}\n\n"
            f"Licence: {card.licence}. Where to get it: {card.home}"
        ),
    )
    def samples(
        context: dg.AssetExecutionContext, config: SamplesConfig, store: StoreResource, raw: RawResource
    ) -> dg.MaterializeResult:
        from tinyemo_data.ingest import ingest_into

        with failures_for_people():
            overrides = {key: value for key, value in config.model_dump().items() if value}
            wanted = checked(DatasetSettings, chosen.model_dump() | overrides)
            root = dataset_root(raw, settings, name)
            opened = store.open()
            ingested = ingest_into(opened, sources.get(name), root, wanted, log_progress(context, "pictures"))
        return _samples_result(name, opened, ingested)

    return samples


def _samples_result(name: str, store: Store, ingested: "Ingested") -> dg.MaterializeResult:
    from tinyemo_data import charts

    key, apart = sample.samples_key(name), sample.quarantine_key(name)
    rows = sample_reading.read_columns(store, key, "emotion", "split")
    head = sample_reading.read_head(store, key, sample.Sample, PREVIEWED)
    shown: dict[str, Any] = {
        "dagster/row_count": ingested.rows,
        "dagster/column_schema": metadata.column_schema(sample.Sample),
        "dagster/uri": str(store.path(key)),
        "preview": metadata.preview(head.drop("sha256", "phash")),
        "quarantined": ingested.kept_apart,
        "quarantine": metadata.preview(sample_reading.read_head(store, apart, sample.Quarantined, 30), rows=30),
        "splits": dict(rows.group_by("split").len().sort("split").iter_rows()),
        "notes": dg.MetadataValue.md("\n".join(f"- {note}" for note in ingested.notes) or "none"),
    }
    if rows["emotion"].null_count() < len(rows):
        shown["class_balance"] = metadata.picture(charts.class_balance(rows), f"samples an emotion of {name}")
    if ingested.source_kind == "picture":
        sheet = charts.contact_sheet(sample_reading.pick_pictures(store, name, SHEET), ingested.root, SHEET)
        shown["pictures"] = metadata.picture(sheet, f"pictures of {name}, a row an emotion")
    return dg.MaterializeResult(metadata=shown, data_version=dg.DataVersion(store.digest(key)))


def _samples_checks(name: str) -> list[dg.AssetChecksDefinition]:
    card = sources.get(name).card

    @dg.asset_check(asset=samples_key(name), name="schema", blocking=True)
    def schema(store: StoreResource) -> dg.AssetCheckResult:
        """Every row of the table on disk holds to the Sample schema (columns, types, rules, unique ids)."""
        with failures_for_people():
            rows = sum(map(len, sample_reading.scan_samples(store.open(), name)))
        types = {column: str(kind) for column, kind in sample.Sample.create_empty().schema.items()}
        return dg.AssetCheckResult(passed=rows > 0, metadata={"rows": rows, "types": types})

    @dg.asset_check(asset=samples_key(name), name="published_count")
    def published_count(store: StoreResource) -> dg.AssetCheckResult:
        """As many usable and quarantined files as were published (drawn pictures and part copies have fewer)."""
        opened = store.open()
        keys = sample.samples_key(name), sample.quarantine_key(name)
        found = sum(sample_reading.count_rows(opened, key) for key in keys)
        published = card.published.get("all")
        return dg.AssetCheckResult(
            passed=published is None or found == published,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"found": found, "published": published if published is not None else "not known"},
        )

    @dg.asset_check(asset=samples_key(name), name="nothing_quarantined")
    def nothing_quarantined(store: StoreResource) -> dg.AssetCheckResult:
        """No file had to be kept apart; the reasons are counted here."""
        apart = sample_reading.read_columns(store.open(), sample.quarantine_key(name), "reason")
        reasons = dict(apart.group_by("reason").len().sort(pl.col("len"), descending=True).iter_rows())
        return dg.AssetCheckResult(
            passed=apart.is_empty(),
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"quarantined": len(apart), "reasons": reasons},
        )

    return [schema, published_count, nothing_quarantined]
