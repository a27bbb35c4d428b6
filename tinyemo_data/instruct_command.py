"""Instruct sets from a terminal: what the assets do, without Dagster."""

from pathlib import Path

import polars as pl
from rich.console import Console

from tinyemo_data.features.identity import encoder_slug
from tinyemo_data.progress import terminal_bars
from tinyemo_data.projector.labelling import predict_labels
from tinyemo_data.settings import Settings
from tinyemo_data.store import Store
from tinyemo_data.synthesis.backends import batches
from tinyemo_data.synthesis.explain import explain
from tinyemo_data.synthesis.explanation_page import print_explanation
from tinyemo_data.synthesis.export.released import import_released
from tinyemo_data.synthesis.ledger import Ledger
from tinyemo_data.synthesis.lock import sole_sender
from tinyemo_data.synthesis.materialize import IMAGES, SetMade, forecast_set, ledger_path, make_set
from tinyemo_data.synthesis.recipe import recipe_of
from tinyemo_data.synthesis.records import records_key
from tinyemo_data.synthesis.sending import describe_forecast


def predictions_for(store: Store, settings: Settings, name: str) -> pl.DataFrame | None:
    """Return the projector's labels where the records of a set are conditioned on them, else None."""
    if settings.synthesis.label_origin != "projector":
        return None
    datasets = recipe_of(settings.synthesis, name).datasets
    return predict_labels(store, encoder_slug(settings.encoder), datasets)


def forecast_here(settings: Settings, name: str, console: Console) -> bool:
    """Print what asking a set would send and cost."""
    store = _open(settings)
    recipe, found = forecast_set(store, settings, name, predictions_for(store, settings, name))
    console.print(describe_forecast(recipe, found), highlight=False, soft_wrap=True)
    return True


def make_here(settings: Settings, name: str, console: Console, retry_failed: bool = False) -> bool:
    """Make a set with progress bars; tell whether all of it could be asked.

    With `retry_failed` all that the ledger holds as refused for good is open again first.
    """
    store = _open(settings)
    path = ledger_path(settings, store)
    if retry_failed and path.exists():
        with Ledger(path) as ledger, sole_sender(path, console.print):
            console.print(f"{ledger.forget_failures():,} refused requests are open again.")
    predictions = predictions_for(store, settings, name)
    with terminal_bars(name) as bars:
        made = make_set(store, settings, name, predictions, reports=bars, say=console.print)
    console.print(_summary(made, store), highlight=False, soft_wrap=True)
    return not made.asked.stopped and not made.asked.given_up


def explain_here(settings: Settings, record: str, set_name: str | None, console: Console) -> None:
    """Print where a record comes from."""
    store = Store(settings.store)
    path = ledger_path(settings, store)
    linked = Path(str(store.path(IMAGES))) if store.is_local else None
    images = linked if linked is not None and linked.is_dir() else Path(settings.raw)
    if not path.exists():
        print_explanation(explain(store, None, record, set_name, images), console)
        return
    with Ledger(path) as ledger:
        print_explanation(explain(store, ledger, record, set_name, images), console)


def batches_here(settings: Settings, cancel: bool, abandoned: str | None, console: Console) -> None:
    """Look at the batches under way, after cancelling or giving up what was asked for."""
    path = ledger_path(settings, Store(settings.store))
    if not path.exists():
        console.print("There is no request ledger yet, and so no batch.")
        return
    with Ledger(path) as ledger:
        if abandoned is not None:
            with sole_sender(path, console.print):
                opened = batches.abandon(ledger, abandoned)
            console.print(f"{opened:,} requests of {abandoned} are open again.")
        if not batches.states(ledger):
            console.print(batches.describe([]))
            return
        client = batches.open_batches_client()
        found = batches.cancel_all(ledger, client) if cancel else batches.poll(ledger, client)
        console.print(batches.describe(found), highlight=False, soft_wrap=True)


def import_here(settings: Settings, file: Path, name: str, images: Path | None, console: Console) -> None:
    """Import one of the released sets, and print what was mended, kept and turned away."""
    found = import_released(_open(settings), file, name, images)
    for line in found.lines():
        console.print(line, highlight=False, soft_wrap=True, markup=False)


def _open(settings: Settings) -> Store:
    store = Store(settings.store)
    store.claim(settings.pictures)
    return store


def _summary(made: SetMade, store: Store) -> str:
    funnel, asked = made.rendered.funnel, made.asked
    lines = [
        f"{made.recipe.name}: {funnel.total('accepted'):,} records of {funnel.drafts:,} drafts, in "
        f"{store.path(records_key(made.recipe.name))}",
        f"asked now {asked.answered:,}, answered before {asked.cached:,}, ${asked.spent_usd:,.4f} spent now",
    ]
    for what, counts in (("refused for good", asked.refused), ("given up for now", asked.given_up)):
        lines += [f"- {count:,} {what}: {kind}" for kind, count in counts.items()]
    # With a quota, drafts beyond it wait for no reply.
    told = [one for one in made.findings if made.recipe.per_emotion is None or one.name != "is_complete"]
    lines += [f"- {finding.sentence}" for finding in told if not finding.passed]
    lines += [f"- {note}" for note in asked.notes]
    if asked.pictures_gone:
        lines.append(f"- {asked.pictures_gone:,} pictures are gone: {asked.first_gone[0]}")
    if made.short:
        why = (
            "the budget ended" if asked.stopped else "batches are under way" if asked.under_way else "no draft is left"
        )
        short = ", ".join(
            f"{emotion or 'no label'} ({task}) {count:,}" for (emotion, task), count in made.short.items()
        )
        lines.append(f"- short of the quota, since {why}: {short}")
    if asked.batches:
        lines.append(asked.batches)
    if asked.stopped:
        lines.append(asked.stopped)
    return "\n".join(lines)
