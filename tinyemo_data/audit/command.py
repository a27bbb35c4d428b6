"""The review from a terminal: is the file right, what is undecided, and where to look."""

from rich.console import Console
from rich.table import Table

from tinyemo_data.audit.report.page import PAGE_KEY
from tinyemo_data.audit.report.words import signed
from tinyemo_data.audit.review.file import read_file
from tinyemo_data.audit.review.materialize import materialize_review, undecided_rows
from tinyemo_data.audit.review.state import ReviewState
from tinyemo_data.audit.review.terms import DECISIONS, REVIEW_KEY
from tinyemo_data.settings import Settings
from tinyemo_data.store import Store


def review_here(settings: Settings, console: Console) -> bool:
    """Check the review file of the profile's store, add new slices to it, and print what is undecided.

    Tell whether every flagged slice is decided. Raises ReviewError naming file and line of the first fault, and
    StoreError where there is no audit.
    """
    store = Store(settings.store)
    store.claim(settings.pictures)
    state = materialize_review(store)
    rows = undecided_rows(read_file(store), state)
    if rows:
        console.print(_table(rows, state))
    for line in _lines(store, state):
        console.print(line, highlight=False, soft_wrap=True, markup=False)
    return not state.undecided


def _table(rows: list[dict[str, str]], state: ReviewState) -> Table:
    table = Table(title="Undecided slices, the strongest first")
    for name in ("slice", "dataset", "pair"):
        table.add_column(name, overflow="fold")
    for name in ("d", "taught by the labels"):
        table.add_column(name, justify="right")
    table.add_column("note", overflow="fold")
    for row in rows:
        differ = "reviewers differ" if row["slice_id"] in state.disputed else row["decision"]
        note = "; ".join(part for part in (differ, row["earlier"] and f"earlier: {row['earlier']}") if part)
        pair = f"{row['attribute']} → {row['emotion']}"
        table.add_row(row["slice_id"], row["dataset"], pair, row["d"], row["d_contrast"], note)
    return table


def _lines(store: Store, state: ReviewState) -> list[str]:
    lines = [
        f"{len(state.undecided)} of {state.flagged} flagged slices are undecided.",
        f"Look at {store.path(PAGE_KEY)}, write into {store.path(REVIEW_KEY)} ({', '.join(DECISIONS)}).",
    ]
    lines += [
        f"{one.slice_id}: its effect moved from {signed(one.was)} to {signed(one.now)} since its decision; look again."
        for one in state.moved
    ]
    lines += [f"{name}: decided, and no longer flagged." for name in state.no_longer_flagged]
    lines += [
        f"{one.first} and {one.second}: {one.slices} slices in common, {one.agreed:.0%} agreed, kappa "
        + ("not defined (all decisions are the same)" if one.kappa is None else f"{one.kappa:.2f}")
        for one in state.agreement
    ]
    if state.second_look:
        lines.append(f"A second person should look at: {', '.join(state.second_look)}.")
    return lines
