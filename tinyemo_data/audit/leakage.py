"""Leakage: evaluated pictures that have a twin in a training split, of any dataset in the store.

`reports/leakage.parquet` holds every pair of samples that show the same picture, `reports/leakage.json` what
follows from them: for each dataset's train split and each evaluated split, how many evaluated pictures have
a twin there. Emotion6 and EmotionROI, for one, are the same 1,980 pictures.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import polars as pl

from tinyemo_data.audit.leaks import Leak, count_leaks, twins_in_training
from tinyemo_data.audit.near_duplicates import search_near_duplicates
from tinyemo_data.audit.thresholds import DEFAULT, Thresholds
from tinyemo_data.errors import StoreError
from tinyemo_data.features.manifest import is_cached
from tinyemo_data.features.reading import read_features
from tinyemo_data.progress import Report
from tinyemo_data.sample import read_samples, samples_key
from tinyemo_data.store import Store

REPORT_KEY = "reports/leakage.json"
PAIRS_KEY = "reports/leakage.parquet"
SHOWN_PAIRS = 200  # in the JSON; the Parquet file has all
COLUMNS = ["sample_id", "dataset", "split", "sha256", "phash"]


@dataclass(frozen=True)
class LeakageReport:
    """What leaks where, and by what it was found."""

    encoder: str  # slug of the features that were compared
    thresholds: Thresholds
    datasets: dict[str, str]  # name of each dataset that was compared: SHA-256 of its Sample table's file
    without_features: list[str]  # those of which hashes and bytes alone were compared
    missing: list[str]  # datasets that were asked for and have no samples
    effective_dimension: float | None
    cosine_used: bool
    leaks: list[Leak]  # every train split against every evaluated split, zero twins too
    n_pairs: int
    n_groups: int
    notes: list[str]
    pairs: pl.DataFrame = field(compare=False)  # PAIR_SCHEMA

    @property
    def found(self) -> list[Leak]:
        """The train and evaluated splits that share pictures."""
        return [leak for leak in self.leaks if leak.twins]


def leakage_report(
    store: Store,
    slug: str,
    datasets: Sequence[str],
    thresholds: Thresholds = DEFAULT,
    report: Report | None = None,
) -> LeakageReport:
    """Compare all pictures of `datasets` that are in the store; write `reports/leakage.{json,parquet}`.

    Features of the encoder `slug` are compared where they are cached. Raises StoreError where none of the
    datasets has samples, TableError or FeatureError where what is stored is damaged.
    """
    used = [name for name in dict.fromkeys(datasets) if store.exists(samples_key(name))]
    if not used:
        raise StoreError(
            f"None of the datasets {', '.join(datasets) or '(none given)'} has samples in {store.url}: "
            "there is nothing to compare. Materialize samples/<dataset> of at least one first."
        )
    samples = pl.concat([read_samples(store, name).select(COLUMNS) for name in used])
    cached = [name for name in used if is_cached(store, slug, name)]
    features = [read_features(store, slug, name) for name in cached]
    search = search_near_duplicates(samples, features, thresholds, report)
    found = LeakageReport(
        encoder=slug,
        thresholds=thresholds,
        datasets={name: store.digest(samples_key(name)) for name in used},
        without_features=[name for name in used if name not in cached],
        missing=[name for name in dict.fromkeys(datasets) if name not in used],
        effective_dimension=search.effective_dimension,
        cosine_used=search.cosine_used,
        leaks=count_leaks(samples, search.pairs),
        n_pairs=len(search.pairs),
        n_groups=search.pairs["group"].n_unique(),
        notes=_notes(samples, search.effective_dimension, search.cosine_used, used, cached, thresholds),
        pairs=search.pairs,
    )
    _write(store, found)
    return found


def twins_of_training(store: Store, train_on: Iterable[str], compared: Iterable[str] = ()) -> dict[str, set[str]]:
    """Return, for each compared dataset, its evaluated pictures with a twin in a train split of `train_on`.

    Reads the last `leakage_report`; datasets without such pictures have an empty set. These are the ids that
    `evaluate_dataset` takes as `exclude`. Raises StoreError where there is no report, where it did not look at one of
    `compared`, or where samples were made anew since.
    """
    report = store.read_json(REPORT_KEY)
    _refuse_stale(store, report)
    unseen = sorted(set(compared) - set(report["datasets"]))
    if unseen:
        raise StoreError(
            f"{store.path(REPORT_KEY)} did not compare {', '.join(unseen)}: their twins are not known. "
            "Materialize leakage again."
        )
    learnt = sorted(set(train_on))
    twins = twins_in_training(store.read_table(PAIRS_KEY)).filter(pl.col("train_dataset").is_in(learnt))
    found: dict[str, set[str]] = {name: set() for name in report["datasets"]}
    for dataset, sample_id in twins.select("dataset", "sample_id").unique().iter_rows():
        found[dataset].add(sample_id)
    return found


def _refuse_stale(store: Store, report: dict[str, Any]) -> None:
    if store.digest(PAIRS_KEY) != report["pairs_sha256"]:
        raise StoreError(
            f"{store.path(PAIRS_KEY)} is not the table that {REPORT_KEY} was written with (a run was cut short, "
            "or one of the two was changed). Materialize leakage again."
        )
    for name, digest in sorted(report["datasets"].items()):
        if not store.exists(samples_key(name)) or store.digest(samples_key(name)) != digest:
            raise StoreError(
                f"{store.path(REPORT_KEY)} compared other samples of {name} than {samples_key(name)} has now, "
                "so its twins may not be all. Materialize leakage again."
            )


def _write(store: Store, report: LeakageReport) -> None:
    """Write the pairs, then the report, which names them by their digest."""
    store.write_table(PAIRS_KEY, report.pairs)
    value: dict[str, Any] = {
        **{name: getattr(report, name) for name in LeakageReport.__dataclass_fields__ if name != "pairs"},
        "thresholds": asdict(report.thresholds),
        "leaks": [asdict(leak) for leak in report.leaks],
        "pairs": report.pairs.head(SHOWN_PAIRS).to_dicts(),
        "pairs_sha256": store.digest(PAIRS_KEY),
    }
    store.write_json(REPORT_KEY, value)


def _notes(
    samples: pl.DataFrame,
    effective_dimension: float | None,
    cosine_used: bool,
    used: list[str],
    cached: list[str],
    thresholds: Thresholds,
) -> list[str]:
    """Say for people what was compared by less than hash and feature."""
    notes = [
        f"{name} has no cached features: its pictures were compared by hash and bytes alone."
        for name in used
        if name not in cached
    ]
    if effective_dimension is not None and not cosine_used:
        notes.append(
            f"The features have {effective_dimension:.1f} effective dimensions, under "
            f"{thresholds.effective_dimension:g} (random weights, or few pictures): their cosines tell little, so "
            "hash and bytes alone were compared. Cropped twins may be missed."
        )
    without_hash = samples.filter(pl.col("phash").is_null())["dataset"].unique().sort()
    notes += [
        f"{name} holds released features, which have no hash: they were compared by "
        + ("cosine and bytes." if cosine_used else "bytes alone.")
        for name in without_hash
    ]
    return notes
