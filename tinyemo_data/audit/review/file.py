"""Reading and writing `audit/review.csv`, a file that people edit by hand or in a spreadsheet.

Rows keep their order, and columns that are nobody's here are kept. Commas, semicolons and tabs are understood, for
spreadsheets save all three. A row's number below is the line that it begins at.
"""

import csv
import io
from dataclasses import dataclass, field

from tinyemo_data.audit.review.terms import COLUMNS, REVIEW_KEY, WRITTEN
from tinyemo_data.errors import ReviewError, nearest
from tinyemo_data.store import Store

NEEDED = ("slice_id", "decision")
DELIMITERS = ",;\t"


@dataclass(frozen=True)
class Row:
    """One row: the cells of all columns, stripped of spaces."""

    line: int = field(compare=False)
    cells: dict[str, str]

    def __getitem__(self, name: str) -> str:
        return self.cells.get(name, "")

    @property
    def is_untouched(self) -> bool:
        """Tell whether no person wrote anything into it."""
        return not any(value for name, value in self.cells.items() if name in WRITTEN or name not in COLUMNS)


@dataclass(frozen=True)
class ReviewFile:
    """The file's columns and rows, in its order."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def read_file(store: Store) -> ReviewFile:
    """Read the file; none at all is an empty one. Raises ReviewError where it is no table with its two columns."""
    if not store.exists(REVIEW_KEY):
        return ReviewFile(COLUMNS, ())
    return parse(store.read_bytes(REVIEW_KEY), str(store.path(REVIEW_KEY)))


def parse(content: bytes, where: str) -> ReviewFile:
    """Read a file's content; `where` names it in messages. Raises ReviewError."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise ReviewError(f"{where}: byte {exc.start} is no UTF-8. Save the file as CSV in UTF-8.") from exc
    if not text.strip():
        return ReviewFile(COLUMNS, ())
    head = text.splitlines()[0]
    delimiter = max(DELIMITERS, key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        columns = tuple(name.strip() for name in next(reader))
        _check_columns(columns, where)
        rows: list[Row] = []
        line = reader.line_num + 1
        for values in reader:
            if any(value.strip() for value in values):
                rows.append(_row(columns, values, line, where))
            line = reader.line_num + 1
    except csv.Error as exc:
        raise ReviewError(
            f"{where}, line {reader.line_num}: it is no row of a CSV table ({exc}). A text with a comma or a line "
            'break stands in double quotes, a quote in it is doubled: "so ""to say""".'
        ) from exc
    return ReviewFile(columns, tuple(rows))


def render(file: ReviewFile) -> bytes:
    """Return the file's content, with commas, in UTF-8."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(file.columns)
    writer.writerows([row[name] for name in file.columns] for row in file.rows)
    return buffer.getvalue().encode()


def write_file(store: Store, file: ReviewFile, read: ReviewFile) -> bool:
    """Write `file` in place of `read`, what was read; tell whether anything had to be written.

    Raises ReviewError where somebody saved the file in the meantime: nothing that a person wrote is overwritten.
    """
    if file == read and store.exists(REVIEW_KEY):
        return False
    if read_file(store) != read:
        raise ReviewError(f"{store.path(REVIEW_KEY)} was changed while it was read. Materialize audit/review again.")
    store.write_bytes(REVIEW_KEY, render(file))
    return True


def _check_columns(columns: tuple[str, ...], where: str) -> None:
    for name in NEEDED:
        if name not in columns:
            raise ReviewError(
                f"{where}, line 1: expected a column '{name}', found {', '.join(columns)}."
                f"{nearest(name, columns)} Name it so; the columns are {', '.join(COLUMNS)}."
            )
    twice = [name for name in columns if name and columns.count(name) > 1]
    if twice:
        raise ReviewError(f"{where}, line 1: two columns are called '{twice[0]}'. Rename one.")


def _row(columns: tuple[str, ...], values: list[str], line: int, where: str) -> Row:
    if any(value.strip() for value in values[len(columns) :]):
        raise ReviewError(
            f"{where}, line {line}: expected {len(columns)} cells, found {len(values)}. A text with a comma stands in "
            "double quotes."
        )
    padded = [*values, *[""] * len(columns)][: len(columns)]
    return Row(line, {name: value.strip() for name, value in zip(columns, padded, strict=True)})
