"""How a dataset's list files are read: UTF-8 text lines, CSV rows and JSON, each fault with its file and row.

A byte-order mark, CRLF and blank lines are tolerated; anything else that is not as expected is a LayoutError.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from tinyemo_data.errors import LayoutError, nearest

# What surrounds cells in real files: Abstract wraps its names and its header in single quotes.
CELL_WRAPPING = " \t'\""
MEND = "Take the file from the distribution again."


@dataclass(frozen=True)
class Row:
    """One data row of a CSV file: its line number (the header is line 1) and its cells by column."""

    path: Path
    number: int
    cells: dict[str, str]

    def error(self, column: str, expected: str) -> LayoutError:
        """Return the error of a cell that is not as expected."""
        return LayoutError(
            f"{self.path}, row {self.number}, column '{column}': expected {expected}, "
            f"found {self.cells[column]!r}. Mend that cell, or take the file from the distribution again."
        )


def read_text(path: Path) -> str:
    """Read a UTF-8 text file, with or without a byte-order mark. Raises LayoutError."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise LayoutError(f"{path}: byte {exc.start} is no UTF-8 ({exc.reason}). {MEND}") from exc
    except OSError as exc:
        raise LayoutError(f"{path} can't be read ({exc}). Put the distributed file there.") from exc


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield each line that is not blank, stripped, with its number from 1. Raises LayoutError."""
    text = read_text(path).replace("\r\n", "\n").replace("\r", "\n")
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield number, line.strip()


def read_csv(path: Path, columns: tuple[str, ...]) -> Iterator[Row]:
    """Yield each row that is not blank, its cells by the lower-case name of their column.

    Raises LayoutError where one of `columns` is missing or there twice, or a row has another width than the
    header; empty cells at a row's end are no fault.
    """
    reader = csv.reader(io.StringIO(read_text(path), newline=""))
    header: list[str] | None = None
    try:
        for cells in reader:
            stripped = [cell.strip(CELL_WRAPPING) for cell in cells]
            if not any(stripped):
                continue
            if header is None:
                header = _header(path, stripped, columns)
            else:
                yield _row(path, reader.line_num, header, stripped)
    except csv.Error as exc:
        raise LayoutError(f"{path}, row {reader.line_num}: no CSV ({exc}). {MEND}") from exc
    if header is None:
        raise LayoutError(f"{path} is empty; expected a header with {', '.join(columns)}. {MEND}")


def _header(path: Path, cells: list[str], columns: tuple[str, ...]) -> list[str]:
    header = [cell.casefold() for cell in cells]
    for column in columns:
        if header.count(column) != 1:
            fault = "is there twice" if column in header else "is missing"
            raise LayoutError(f"{path}: the column '{column}' {fault}; found {cells}.{nearest(column, header)} {MEND}")
    return header


def _row(path: Path, number: int, header: list[str], cells: list[str]) -> Row:
    while len(cells) > len(header) and not cells[-1]:
        cells.pop()
    if len(cells) != len(header):
        raise LayoutError(
            f"{path}, row {number}: expected {len(header)} cells as in the header, found {len(cells)}. {MEND}"
        )
    return Row(path, number, dict(zip(header, cells, strict=True)))


def read_json(path: Path) -> Any:
    """Read a JSON file, with or without a byte-order mark. Raises LayoutError naming the place."""
    text = read_text(path)
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as exc:
        raise LayoutError(f"{path} is no JSON ({exc}). {MEND}") from exc
