"""Filling the feature cache: plan what is missing, compute it batch by batch, publish shards and manifest.

A run may be killed at any moment. What it loses is the batch in flight: finished batches lie in
`pending/`, and the next run plans the rest in the same order and with the same batch boundaries, so that
its shards are, byte for byte, those of a run that was never killed.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from tinyemo_data.features.content import Compute, Content, Failure, distinct_contents, in_batches
from tinyemo_data.features.identity import EncoderIdentity
from tinyemo_data.features.manifest import (
    features_folder,
    remove_stale_shards,
    write_manifest,
)
from tinyemo_data.features.pending import collect_pending, remove_pending, write_pending
from tinyemo_data.features.pool import Pool
from tinyemo_data.features.reuse import Previous, collect_from_others, collect_previous
from tinyemo_data.features.shard import ShardEntry, write_shard
from tinyemo_data.features.statistics_table import write_statistics
from tinyemo_data.progress import Meter, Report
from tinyemo_data.store import Store

SHARD_ROWS = 65_536


@dataclass(frozen=True)
class FillReport:
    """What a filling did."""

    rows: int  # rows that the cache holds now
    computed: int  # distinct contents computed by this run
    reused: int  # rows that cost nothing: cached before, or byte-identical to another
    failed: pl.DataFrame  # sample_id, reason, detail; tried again next time
    seconds: float
    pictures_per_second: float  # of the computed ones


def fill(
    store: Store,
    dataset: str,
    samples: pl.DataFrame,
    encoder: EncoderIdentity,
    compute: Compute,
    batch_size: int,
    report: Report | None = None,
    with_statistics: bool = False,
) -> FillReport:
    """Make the cache hold a feature of every sample that gives one; compute only what is missing."""
    pool = Pool(distinct_contents(samples), encoder.dimension)
    previous = collect_previous(store, dataset, encoder, pool)
    collect_from_others(store, dataset, encoder, pool)
    collect_pending(store, dataset, encoder, pool)
    if with_statistics:
        pool.forget_without_statistics()
    missing = pool.missing()
    meter = Meter(len(missing), report)
    computed = 0
    for batch in compute(_plan(missing, pool.failures, batch_size)):
        write_pending(store, dataset, encoder, batch)
        pool.put(batch.sha256, batch.features)
        pool.failures.update({failure.sha256: failure for failure in batch.failures})
        if batch.statistics is not None:
            pool.put_statistics(batch.statistics)
        computed += len(batch.sha256)
        meter.advance(len(batch.contents))
    seconds, rate = meter.seconds, computed / meter.seconds if meter.seconds else 0.0
    failed = _failed(samples, pool)
    rows = _publish(store, dataset, samples, encoder, pool, previous, failed, with_statistics)
    return FillReport(rows, computed, rows - computed, failed, seconds, rate)


def failed_key(slug: str, dataset: str) -> str:
    """Return the store key of the samples that gave no feature, and why."""
    return f"{features_folder(slug, dataset)}/failed.parquet"


def read_failed(store: Store, slug: str, dataset: str) -> pl.DataFrame:
    """Return the samples that gave no feature: sample_id, reason, detail. Raises StoreError before a fill."""
    return store.read_table(failed_key(slug, dataset))


def _plan(missing: list[Content], failed: dict[str, Failure], batch_size: int) -> Iterator[list[Content]]:
    """Give the missing in batches; what failed before a kill comes last, to keep the others' boundaries."""
    yield from in_batches([content for content in missing if content.sha256 not in failed], batch_size)
    yield from in_batches([content for content in missing if content.sha256 in failed], batch_size)


def _failed(samples: pl.DataFrame, pool: Pool) -> pl.DataFrame:
    schema = {"sha256": pl.String, "reason": pl.String, "detail": pl.String}
    failures = [
        (failure.sha256, failure.reason, failure.detail)
        for failure in pool.failures.values()
        if pool.row(failure.sha256) is None
    ]
    table = pl.DataFrame(failures, schema=schema, orient="row")
    joined = samples.select("sample_id", "sha256").join(table, on="sha256", how="inner")
    return joined.select("sample_id", "reason", "detail").sort("sample_id")


def _publish(
    store: Store,
    dataset: str,
    samples: pl.DataFrame,
    encoder: EncoderIdentity,
    pool: Pool,
    previous: Previous | None,
    failed: pl.DataFrame,
    with_statistics: bool,
) -> int:
    """Write shards and tables, then the manifest, then remove what it makes stale; return its rows."""
    kept = samples.select("sample_id", "sha256").sort("sample_id")
    kept = kept.filter([pool.row(digest) is not None for digest in kept["sha256"].to_list()])
    if previous is not None and previous.intact and previous.columns.equals(kept):
        shards = previous.manifest.shards
    else:
        shards = list(_write_shards(store, dataset, kept, encoder, pool))
    if with_statistics and len(kept):
        write_statistics(store, encoder.slug, dataset, kept, pool.statistics())
    store.write_table(failed_key(encoder.slug, dataset), failed)
    manifest = write_manifest(store, dataset, encoder, shards)
    remove_stale_shards(store, manifest)
    remove_pending(store, dataset, encoder)
    return manifest.rows


def _write_shards(
    store: Store, dataset: str, kept: pl.DataFrame, encoder: EncoderIdentity, pool: Pool
) -> Iterator[ShardEntry]:
    folder = features_folder(encoder.slug, dataset)
    for number, block in enumerate(kept.iter_slices(SHARD_ROWS)):
        columns = {name: block[name].to_list() for name in ("sample_id", "sha256")}
        rows = pool.rows(columns["sha256"])
        yield write_shard(store, folder, number, columns, pool.features[rows], encoder)
