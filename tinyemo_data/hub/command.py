"""Repositories from a terminal: what the assets do, and what those do who downloaded one, without Dagster."""

from pathlib import Path

from rich.console import Console

from tinyemo_data.hub.explaining import explain_published
from tinyemo_data.hub.rehydration import rehydrate
from tinyemo_data.hub.release import release
from tinyemo_data.progress import terminal_bars, terminal_progress
from tinyemo_data.settings import Settings
from tinyemo_data.store import Store
from tinyemo_data.synthesis.materialize import ledger_path


def stage_here(settings: Settings, what: str, console: Console, publish: bool = False) -> bool:
    """Stage a repository of the profile's store, and publish it where asked; tell whether all that was asked was done.

    Raises what `release` raises.
    """
    store = Store(settings.store)
    store.claim(settings.pictures)
    chosen = settings.model_copy(update={"hub": settings.hub.model_copy(update={"publish": publish})})
    with terminal_bars(what, console) as bars:
        done = release(store, chosen, what, reports=bars)
    for line in done.lines():
        console.print(line, highlight=False, soft_wrap=True, markup=False)
    return not done.staged.found and (done.publication is not None or not publish)


def rehydrate_here(location: str, pictures: Path, out: Path | None, console: Console) -> bool:
    """Say which pictures of a published set are at hand, write the records that have theirs; tell whether all have."""
    with terminal_progress("pictures", console=console) as report:
        found = rehydrate(location, pictures, report)
    for line in found.lines():
        console.print(line, highlight=False, soft_wrap=True, markup=False)
    if out is not None:
        found.write(out)
        console.print(f"Written: {out}", highlight=False, soft_wrap=True, markup=False)
    return not found.pictures["path"].null_count()


def explain_published_here(settings: Settings, location: str, record: str, console: Console) -> None:
    """Print where a record of a published set comes from, with what the profile's ledger and raw folder have of it."""
    store = Store(settings.store)
    ledger = ledger_path(settings, store) if settings.ledger or store.is_local else None
    known = ledger if ledger is not None and ledger.exists() else None
    explain_published(location, record, known, Path(settings.raw)).print(console)
