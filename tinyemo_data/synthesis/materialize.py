"""One instruct set from its pictures to its records: plan, ask, render. Each part resumes from what the store holds."""

import shutil
import tempfile
import time
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from tinyemo_data import sources
from tinyemo_data.errors import SettingsError, StoreError
from tinyemo_data.features.identity import encoder_slug
from tinyemo_data.ingest import find_root
from tinyemo_data.presence import dataset_folder
from tinyemo_data.progress import Report
from tinyemo_data.sample import samples_key
from tinyemo_data.settings import Settings
from tinyemo_data.store import Store
from tinyemo_data.synthesis.asking import Asked, ask_in_batches, ask_online, takes_unpriced
from tinyemo_data.synthesis.draft import drafts_key
from tinyemo_data.synthesis.drafting import DraftReport, plan_drafts
from tinyemo_data.synthesis.export.image_folder import link_image_folder
from tinyemo_data.synthesis.judgement import Finding, judge_set
from tinyemo_data.synthesis.ledger import Ledger
from tinyemo_data.synthesis.lock import sole_sender
from tinyemo_data.synthesis.recipe import Recipe, recipe_of
from tinyemo_data.synthesis.rendering import Rendered, render_set
from tinyemo_data.synthesis.sending import Forecast, count_pool, forecast, outgoing
from tinyemo_data.synthesis.subjects import Subjects
from tinyemo_data.synthesis.waves import Key, Waves

LEDGER = "ledger/requests.sqlite"
IMAGES = "exports/images"
BATCHES = "anthropic_batches"
POLL_SECONDS = 30.0

Reports = Callable[[str], Report | None]  # of a unit (drafts, requests, records): where its progress goes
Say = Callable[[str], None]


@dataclass(frozen=True)
class SetMade:
    """What a set came to."""

    recipe: Recipe
    plan: DraftReport
    asked: Asked
    rendered: Rendered
    findings: list[Finding]
    short: dict[Key, int]  # by how many records the quota was missed
    datasets_missing: list[str]
    ledger: Path


@dataclass(frozen=True)
class _Work:
    """What all parts of making one set share."""

    store: Store
    settings: Settings
    recipe: Recipe
    ledger: Ledger
    roots: dict[str, Path]
    reports: Reports
    say: Say


def ledger_path(settings: Settings, store: Store) -> Path:
    """Return where the request ledger lies. Raises SettingsError where the store is remote and none is set."""
    if settings.ledger:
        return Path(settings.ledger)
    if not store.is_local:
        raise SettingsError(
            f"The store {store.url} is remote, and the request ledger must be a file on a local disk: set `ledger` "
            "(TINYEMO_LEDGER)."
        )
    return Path(str(store.path(LEDGER)))


def make_set(
    store: Store,
    settings: Settings,
    name: str,
    predictions: pl.DataFrame | None = None,
    reports: Reports = lambda _unit: None,
    say: Say = lambda _line: None,
) -> SetMade:
    """Make an instruct set: `instruct/<name>/{drafts,records,rejects}.parquet` and `funnel.json`.

    `predictions` (`sample_id`, `emotion`, `taxonomy`) are the projector's labels, where records are conditioned on
    them. At the budget's wall what was bought is rendered, and `asked.stopped` says how to go on. Raises StoreError
    where none of the set's datasets is ingested, and what the backend stops for; all replies are kept.
    """
    recipe, used, missing = choose_datasets(store, settings, name)
    path = ledger_path(settings, store)
    with Ledger(path) as ledger, sole_sender(path, say):
        # Within the lock: the drafts are what this run asks and renders, and no other run's plan.
        plan = plan_set(store, settings, recipe, used, predictions, reports)
        work = _Work(store, settings, recipe, ledger, picture_roots(settings, used), reports, say)
        waves = None if recipe.per_emotion is None else Waves(recipe.per_emotion, count_pool(store, name))
        asked, rendered = _ask_and_render(work, plan, waves)
    short = {} if waves is None else waves.short(rendered.accepted)
    findings = judge_set(rendered.funnel, rendered.diversity)
    return SetMade(recipe, plan, asked, rendered, findings, short, missing, path)


def plan_set(
    store: Store,
    settings: Settings,
    recipe: Recipe,
    used: Sequence[str],
    predictions: pl.DataFrame | None = None,
    reports: Reports = lambda _unit: None,
    into: Store | None = None,
) -> DraftReport:
    """Plan the drafts of a set from the datasets that are at hand, into the same store or another."""
    subjects = Subjects(store, used, encoder_slug(settings.encoder), predictions, limit=recipe.limit, seed=recipe.seed)
    return plan_drafts(into or store, recipe, subjects, subjects.fingerprint, reports("drafts"))


def choose_datasets(store: Store, settings: Settings, name: str) -> tuple[Recipe, list[str], list[str]]:
    """Return a set's recipe with its datasets that are at hand and those that are not. Raises StoreError for none."""
    recipe = recipe_of(settings.synthesis, name)
    used = [dataset for dataset in recipe.datasets if store.exists(samples_key(dataset))]
    missing = [dataset for dataset in recipe.datasets if dataset not in used]
    if not used:
        raise StoreError(
            f"None of the datasets of the set '{name}' ({', '.join(recipe.datasets) or 'none is named'}) is ingested "
            f"in {store.url}. Materialize samples/<dataset> first, or name others in synthesis.datasets."
        )
    return recipe, used, missing


def forecast_set(
    store: Store, settings: Settings, name: str, predictions: pl.DataFrame | None = None
) -> tuple[Recipe, Forecast]:
    """Plan a set aside and return what asking it would send and cost; nothing is sent, and the store stays as it is.

    Raises PriceError for a model without a known price, unless it runs on a server of one's own.
    """
    recipe, used, _ = choose_datasets(store, settings, name)
    path = ledger_path(settings, store)
    with tempfile.TemporaryDirectory(prefix="tinyemo-") as folder:
        aside = Store(folder)
        _copy_drafts(store, aside, name)
        plan_set(store, settings, recipe, used, predictions, into=aside)
        waves = None if recipe.per_emotion is None else Waves(recipe.per_emotion, count_pool(aside, name))
        if waves is not None:
            waves.first_wave()
        # Where there is no ledger yet, an empty one elsewhere says the same.
        with Ledger(path if path.exists() else Path(folder) / path.name) as ledger:
            chunks = outgoing(aside, name, picture_roots(settings, used), waves)
            unpriced = takes_unpriced(settings.synthesis, recipe)
            return recipe, forecast(chunks, ledger, unpriced=unpriced, batch=recipe.backend == BATCHES)


def _copy_drafts(store: Store, aside: Store, name: str) -> None:
    """Copy a set's drafts, so that a plan that has not changed need not be made again."""
    key = drafts_key(name)
    if store.exists(key):
        with store.local(key) as present, aside.writing(key) as copy:
            shutil.copyfile(present, copy)


def _ask_and_render(work: _Work, plan: DraftReport, waves: Waves | None) -> tuple[Asked, Rendered]:
    """Ask and render; with waves, again until there is enough, or nothing left to ask or to pay with."""
    asked = Asked()
    if waves is not None:
        waves.first_wave()
    while True:
        _ask(work, plan.rows if waves is None else waves.asked.total(), waves, asked)
        rendered = render_set(
            work.store,
            work.recipe.name,
            work.ledger.replies,
            quota=work.recipe.per_emotion,
            report=work.reports("records"),
        )
        if waves is None or asked.stopped or asked.under_way or not waves.next_wave(rendered.accepted):
            return asked, rendered


def _ask(work: _Work, total: int, waves: Waves | None, asked: Asked) -> None:
    settings, recipe, report = work.settings.synthesis, work.recipe, work.reports("requests")
    if recipe.backend != BATCHES:
        chunks = outgoing(work.store, recipe.name, work.roots, waves)
        ask_online(chunks, total, work.ledger, settings, recipe, asked, report)
        return
    while True:
        chunks = outgoing(work.store, recipe.name, work.roots, waves)
        ask_in_batches(chunks, work.ledger, settings, recipe, asked, report)
        if not asked.under_way or not settings.wait_for_batches or not _wait_for_a_batch(work, asked.lost):
            return


def _wait_for_a_batch(work: _Work, lost: Container[str | None]) -> bool:
    """Wait until there may be something to collect; False where nothing can come any more.

    `lost` are ids of batches whose results the service was found to have no longer.
    """
    from tinyemo_data.synthesis.backends import batches

    client = batches.open_batches_client()
    while True:
        found = batches.poll(work.ledger, client)
        awaited = [state for state in found if not state.is_gone and state.batch_id not in lost]
        if any(state.has_ended for state in awaited):
            return True
        work.say(batches.describe(found))
        if not awaited:
            return False
        time.sleep(POLL_SECONDS)
        if any(state.is_in_doubt for state in awaited):
            return True  # whether it was made is found out by collecting


def picture_roots(settings: Settings, datasets: Sequence[str]) -> dict[str, Path]:
    """Return the folder that each dataset's `image_path` is relative to."""
    return {
        name: find_root(sources.get(name), dataset_folder(settings, name), settings.datasets[name]) for name in datasets
    }


def link_pictures(store: Store, settings: Settings, name: str) -> Path:
    """Return a folder in which every dataset of a set lies under its own name: what exports' paths are below.

    On a local store that is `exports/images`, of links; elsewhere the raw folder itself.
    """
    if not store.is_local:
        return Path(settings.raw)
    folder = Path(str(store.path(IMAGES)))
    used = [dataset for dataset in recipe_of(settings.synthesis, name).datasets if store.exists(samples_key(dataset))]
    link_image_folder(folder, picture_roots(settings, used))
    return folder
