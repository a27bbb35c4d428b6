"""Staging: a whole repository under `hub/<repository>/`, for a person to look at before anything is sent.

Staging never sends, and what it writes is a function of the store's content alone: a second run writes equal bytes.
"""

import io
from collections.abc import Iterator

import orjson
import polars as pl
import pyarrow.parquet as pq

from tinyemo_data.audit.leakage import PAIRS_KEY
from tinyemo_data.audit.leakage import REPORT_KEY as LEAKAGE_KEY
from tinyemo_data.errors import StagingError
from tinyemo_data.hub.biases import SOURCES
from tinyemo_data.hub.code_identity import code_identity
from tinyemo_data.hub.counting import Counts, counting
from tinyemo_data.hub.croissant import croissant
from tinyemo_data.hub.dataset_card import TITLES, render_dataset_card
from tinyemo_data.hub.examination import examine
from tinyemo_data.hub.facts import SetFacts, gather_facts
from tinyemo_data.hub.files import Stage
from tinyemo_data.hub.front_matter import LICENCE_FILE
from tinyemo_data.hub.licence_page import render_licence
from tinyemo_data.hub.repository import repository_of
from tinyemo_data.hub.shards import Shard, write_shards
from tinyemo_data.hub.staged import Staged
from tinyemo_data.progress import Meter, Report
from tinyemo_data.sample import samples_key
from tinyemo_data.settings import Settings
from tinyemo_data.store import Store
from tinyemo_data.synthesis.records import funnel_key, iterate_records, records_key

METRICS_KEY = "models/projector/metrics.json"


def stage_set(store: Store, settings: Settings, what: str, report: Report | None = None) -> Staged:
    """Stage an instruct set (`pretrain`, `finetune` or `hq`).

    Raises StoreError where the set, or what its card needs, is not there, StagingError where it has no records or
    something does not fit together, LicenceError for a dataset of which nobody knows what may be published.
    """
    repository = repository_of(what, settings.hub)
    stage = Stage(store, repository.folder)
    counts, shards = _stage_records(stage, what, report)
    facts = gather_facts(store, settings, repository, counts, shards)
    card = _stage_pages(stage, facts, _first_record(store, what))
    undecided = [one.slice_id for one in facts.biases.undecided]
    manifest = stage.finish(
        what=what,
        repository=repository.name,
        kind=repository.kind,
        pictures=settings.pictures,
        code=code_identity(),
        prompts={one.id: one.digest for one in facts.prompts},
        generators=facts.generators,
        datasets=facts.datasets,
        features_of=[],
        undecided_slices=undecided,
        contamination_measured=facts.contamination.complete,
    )
    return Staged(repository, manifest, examine(store, repository.folder), card)


def _stage_records(stage: Stage, what: str, report: Report | None) -> tuple[Counts, list[Shard]]:
    key = records_key(what)
    with stage.store.local(key) as path, pq.ParquetFile(path) as file:
        rows = file.metadata.num_rows
    if not rows:
        raise StagingError(f"{stage.store.path(key)} holds no record: there is nothing to stage. Make the set again.")
    counts: list[Counts] = []
    parts = _reported(iterate_records(stage.store, what), rows, report)
    shards = write_shards(stage.store, stage.folder, counting(parts, counts), rows)
    for shard in shards:
        stage.note(shard.path, [key])
    return counts[0], shards


def _reported(parts: Iterator[pl.DataFrame], rows: int, report: Report | None) -> Iterator[pl.DataFrame]:
    meter = Meter(rows, report)
    for part in parts:
        yield part
        meter.advance(len(part))


def _first_record(store: Store, what: str) -> str:
    first: str = next(iterate_records(store, what))["record_id"][0]
    return first


def _stage_pages(stage: Stage, facts: SetFacts, example: str) -> str:
    """Write everything but the records; return the card."""
    what = facts.repository.what
    for prompt in facts.prompts:
        if prompt.text is not None:
            stage.put(prompt.path, prompt.text.encode())
    stage.put("funnel.json", stage.store.read_bytes(funnel_key(what)), [funnel_key(what)])
    if len(facts.contamination.twins):
        stage.put("contamination.csv", _csv(facts.contamination.twins), [PAIRS_KEY])
    stage.put(LICENCE_FILE, render_licence(facts.licences, facts.generators).encode())
    sources = _sources(stage.store, facts)
    shards = [entry for entry in stage.entries() if entry.path.endswith(".parquet")]
    described = croissant(facts, TITLES[what], shards)
    options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    stage.put("croissant.json", orjson.dumps(described, option=options), sources)
    card = render_dataset_card(facts, example)
    stage.put("README.md", card.encode(), sources)
    return card


def _sources(store: Store, facts: SetFacts) -> list[str]:
    """Return the store's files that the card speaks of."""
    what = facts.repository.what
    keys = [records_key(what), funnel_key(what), LEAKAGE_KEY, PAIRS_KEY, *SOURCES]
    keys += [samples_key(name) for name in facts.datasets]
    keys += [METRICS_KEY] if facts.label_accuracy else []
    return [key for key in keys if store.exists(key)]


def _csv(table: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    table.write_csv(buffer)
    return buffer.getvalue()
