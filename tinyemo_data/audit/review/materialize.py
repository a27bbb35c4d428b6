"""The review over a store: the file is read, checked, completed with new slices, and what follows is written."""

import polars as pl

from tinyemo_data.audit.bias.written import read_report, read_slices
from tinyemo_data.audit.review.agreement import agreements, second_look
from tinyemo_data.audit.review.file import ReviewFile, read_file, write_file
from tinyemo_data.audit.review.listing import (
    Shown,
    listed_now,
    read_listed,
    shown_slices,
    write_listed,
    written_about,
)
from tinyemo_data.audit.review.merging import merge
from tinyemo_data.audit.review.settling import is_disputed, rows_by_slice, settle
from tinyemo_data.audit.review.state import Moved, ReviewState, write_state
from tinyemo_data.audit.review.terms import REVIEW_KEY
from tinyemo_data.audit.review.validation import check_review
from tinyemo_data.store import Store


def materialize_review(store: Store) -> ReviewState:
    """Check `audit/review.csv`, add the slices that are new, and write `audit/review.json`.

    Raises ReviewError for the first row that can't be followed: the file is left as it is. Raises StoreError where
    there is no audit.
    """
    slices = read_slices(store)
    now, before = shown_slices(slices), read_listed(store)
    read = read_file(store)
    check_review(read, {name: one.pair for name, one in (before | now).items()}, str(store.path(REVIEW_KEY)))
    flagged = slices.filter(pl.col("flagged")).sort("rank")["slice_id"].to_list()
    # The list first: a run that is cut short here leaves no row in the file that is unknown next time.
    write_listed(store, listed_now(before, now, flagged, written_about(read)))
    write_file(store, merge(read, flagged, now, before), read)
    state = review_state(store, slices)
    write_state(store, state)
    return state


def review_state(store: Store, slices: pl.DataFrame) -> ReviewState:
    """Return what follows from the review file as it is."""
    file, now, shown = read_file(store), shown_slices(slices), read_listed(store)
    flagged = slices.filter(pl.col("flagged")).sort("rank")["slice_id"].to_list()
    rows = rows_by_slice(file)
    settled = [one for name, of in rows.items() if name in now and (one := settle(name, of)) is not None]
    decided = {one.slice_id for one in settled}
    voices = {name: {row["reviewer"]: row["decision"] for row in of} for name, of in rows.items() if name in now}
    return ReviewState(
        flagged=len(flagged),
        undecided=[name for name in flagged if name not in decided],
        disputed=[name for name in flagged if is_disputed(rows.get(name, []))],
        settled=settled,
        moved=_moved(decided, now, shown),
        no_longer_flagged=sorted(decided - set(flagged)),
        earlier=sorted(name for name in rows if name not in now),
        agreement=agreements(voices),
        second_look=second_look(voices),
        slices_sha256=read_report(store)["slices_sha256"],
        review_sha256=store.digest(REVIEW_KEY),
    )


def undecided_rows(file: ReviewFile, state: ReviewState) -> list[dict[str, str]]:
    """Return the file's rows of undecided slices, each slice once, by rank."""
    cells = {row["slice_id"]: row.cells for row in reversed(file.rows)}
    return [cells[name] for name in state.undecided]


def _moved(decided: set[str], now: dict[str, Shown], shown: dict[str, Shown]) -> list[Moved]:
    return [
        Moved(name, was.d, was.d_low, was.d_high, now[name].d)
        for name in sorted(decided)
        if (was := shown[name]).moved_to(now[name])
    ]
