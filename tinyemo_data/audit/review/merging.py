"""The review file beside the audit of today: new slices are added below, what people wrote stays as it is."""

from collections.abc import Mapping, Sequence

from tinyemo_data.audit.review.file import ReviewFile, Row
from tinyemo_data.audit.review.listing import Shown
from tinyemo_data.audit.review.terms import COLUMNS, EARLIER, TOLD


def merge(
    file: ReviewFile, flagged: Sequence[str], now: Mapping[str, Shown], before: Mapping[str, Shown]
) -> ReviewFile:
    """Return the file with a row for each of `flagged`, slices by rank.

    Rows that a person touched keep every cell. Untouched ones are told anew, and go where their slice is flagged no
    more. `before` says what slices of earlier audits were.
    """
    columns = (*file.columns, *(name for name in COLUMNS if name not in file.columns))
    earlier = _earlier_decisions(file, now, before)
    kept = [row for row in file.rows if not row.is_untouched or row["slice_id"] in flagged]
    rows = [_refreshed(row, columns, now, earlier) for row in kept]
    there = {row["slice_id"] for row in kept}
    rows += [
        _refreshed(Row(0, {"slice_id": name}), columns, now, earlier) for name in flagged if name not in there
    ]  # fmt: skip
    return ReviewFile(columns, tuple(rows))


def told_cells(shown: Shown) -> dict[str, str]:
    """Return what this program says of a slice, as text of cells."""
    values = {name: getattr(shown, name) for name in TOLD}
    return {name: _text(value) for name, value in values.items()}


def _refreshed(row: Row, columns: Sequence[str], now: Mapping[str, Shown], earlier: Mapping[str, str]) -> Row:
    cells = {name: row[name] for name in columns}
    shown = now.get(row["slice_id"])
    if shown is None:
        return Row(row.line, cells)
    told = told_cells(shown) | {EARLIER: earlier.get(row["slice_id"], "")}
    if row.is_untouched:
        return Row(row.line, cells | told)
    # A row that somebody typed in is told what is known of it; what stands there stays.
    return Row(row.line, cells | {name: value for name, value in told.items() if not cells[name] and name != EARLIER})


def _earlier_decisions(file: ReviewFile, now: Mapping[str, Shown], before: Mapping[str, Shown]) -> dict[str, str]:
    """Return for each slice of today what was decided about the same pair of the same dataset in earlier audits."""
    decided: dict[tuple[str, str], list[str]] = {}
    for row in file.rows:
        shown = before.get(row["slice_id"])
        if shown is not None and row["slice_id"] not in now and row["decision"]:
            told = f"{row['decision']} ({row['reviewer']}, {row['date']}, d was {_text(shown.d) or 'not told'})"
            decided.setdefault((shown.dataset, shown.pair), []).append(told)
    return {name: "; ".join(decided.get((shown.dataset, shown.pair), [])) for name, shown in now.items()}


def _text(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.3f}" if isinstance(value, float) else str(value)
