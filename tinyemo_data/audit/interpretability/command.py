"""`tinyemo retrieve`: the pictures nearest to a word, from a terminal."""

from pathlib import Path

import polars as pl
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tinyemo_data.audit.interpretability.contact_sheet import check_target, write_contact_sheet
from tinyemo_data.audit.interpretability.retrieval import retrieve
from tinyemo_data.projector.language_model import chosen_language_model
from tinyemo_data.projector.prototypes import read_prototypes, token_table
from tinyemo_data.settings import Settings
from tinyemo_data.store import Store


def retrieve_here(
    settings: Settings, word: str, count: int, dataset: str | None, console: Console, out: Path | None = None
) -> None:
    """Print the `count` pictures nearest to `word`, of one dataset or of all; with `out`, show them in one picture.

    Raises what `retrieve` and `write_contact_sheet` raise.
    """
    if out is not None:
        check_target(out)  # before the work, not after it
    store = Store(settings.store)
    found = retrieve(store, settings, word, count, None if dataset is None else [dataset])
    console.print(_table(found, word.strip(), drawn=settings.pictures == "drawn"))
    console.print(_tokens_line(store, settings, word.strip()), highlight=False, soft_wrap=True, markup=False)
    if out is not None:
        write_contact_sheet(found, out)
        console.print(f"The pictures are in {out}.", highlight=False, soft_wrap=True)


def _tokens_line(store: Store, settings: Settings, word: str) -> str:
    """Say what the word is to the language model: of several tokens it takes the mean, which may mean little."""
    with chosen_language_model(settings, store) as chosen:
        table = token_table([word], chosen.location, chosen.tokenizer, read_prototypes(store).grounding_text)
    return f"The language model reads it as {' '.join(table['tokens'][0])}: the word lies at the mean of these."


def _table(found: pl.DataFrame, word: str, drawn: bool) -> Table:
    # Text, not a string: neither words nor paths are markup.
    title = Text(f"Nearest to '{word}'" + (", of DRAWN pictures" if drawn else ""))
    table = Table(title=title)
    table.add_column("rank", justify="right")
    table.add_column("cosine", justify="right")
    for name in ("sample_id", "split", "emotion", "path"):
        table.add_column(name, overflow="fold")
    for row in found.iter_rows(named=True):
        cells = (row["sample_id"], row["split"], row["emotion"] or "", row["path"])
        table.add_row(str(row["rank"]), f"{row['cosine']:.3f}", *(Text(cell) for cell in cells))
    return table
