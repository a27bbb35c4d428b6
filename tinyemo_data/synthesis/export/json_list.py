"""Reading a JSON list of any length record by record, by the parser that the trainers use (the standard library's).

No more of the file is held than one block and the record at hand.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from tinyemo_data.errors import InstructFileError

BLOCK = 1 << 22  # characters that are read at once
LONGEST = 1 << 26  # characters: no record is longer, so that a quote that is never closed does not read on for ever
BLANKS = " \t\r\n"
# The parser tells of a string that is cut off where it begins, of all else where it fails.
OPEN_STRING = "Unterminated string"
CUT_OFF = 8  # characters before the end where a literal, a number or an escape may be cut off


def read_json_list(path: Path, or_lines: bool = False) -> Iterator[Any]:
    """Yield the values of the JSON list in `path`, in order; with `or_lines`, JSON Lines are read as well.

    Raises InstructFileError naming the file, the record's number (from 1) and what was found, where the file can't
    be read, is no UTF-8, or is no such list.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            yield from _values(_Window(file, path), or_lines)
    except OSError as exc:
        raise InstructFileError(f"{path} can't be read ({exc}). Give the path of a JSON file.") from exc
    except UnicodeDecodeError as exc:
        raise InstructFileError(f"{path} is no UTF-8 text ({exc}). Save it as UTF-8.") from exc


def _values(window: "_Window", or_lines: bool) -> Iterator[Any]:
    opening = window.peek()
    if opening == "{" and or_lines:
        while window.peek():
            yield window.value()
        return
    if opening != "[":
        raise window.failure("a JSON list, which opens with '['", _described(opening))
    window.step()
    if window.peek() == "]":
        window.step()
    else:
        while True:
            yield window.value()
            separator = window.peek()
            if separator not in (",", "]") or not separator:
                raise window.failure("',' or the list's closing ']'", _described(separator))
            window.step()
            if separator == "]":
                break
    if window.peek():
        raise window.failure("nothing after the list's closing ']'", _described(window.peek()))


def _described(character: str) -> str:
    if not character:
        return "the end of the file"
    return "'{': one object, or JSON Lines" if character == "{" else repr(character)


class _Window:
    """The part of the file's text that is not decoded yet."""

    def __init__(self, file: TextIO, path: Path) -> None:
        self._file = file
        self._path = path
        self._decoder = json.JSONDecoder()
        self._text = ""
        self._at = 0
        self._ended = False
        self._count = 0  # values that were read

    def peek(self) -> str:
        """Return the next character that is no blank, without passing it; an empty string at the end."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in BLANKS:
                self._at += 1
            if self._at < len(self._text):
                return self._text[self._at]
            if self._ended:
                return ""
            self._read_on()

    def step(self) -> None:
        """Pass one character."""
        self._at += 1

    def value(self) -> Any:
        """Decode the next value and pass it."""
        self.peek()
        while True:
            try:
                value, end = self._decoder.raw_decode(self._text, self._at)
            except json.JSONDecodeError as exc:
                if not self._may_go_on(exc):
                    raise self.failure("valid JSON", f"{exc.msg} at character {exc.pos - self._at}") from exc
            except RecursionError as exc:
                raise self.failure("valid JSON", "lists or objects nested too deeply") from exc
            else:
                # A number near the end of the block may have more digits.
                if self._ended or not isinstance(value, int | float) or end < len(self._text) - CUT_OFF:
                    self._at = end
                    self._count += 1
                    return value
            self._read_on()

    def failure(self, expected: str, found: str) -> InstructFileError:
        """Return the error that names the place."""
        place = f"{self._path}: record {self._count + 1}"
        return InstructFileError(f"{place}: expected {expected}; found {found}. Write the file again as a JSON list.")

    def _may_go_on(self, exc: json.JSONDecodeError) -> bool:
        if self._ended or len(self._text) - self._at > LONGEST:
            return False
        return exc.msg.startswith(OPEN_STRING) or exc.pos >= len(self._text) - CUT_OFF

    def _read_on(self) -> None:
        block = self._file.read(BLOCK)
        self._text = self._text[self._at :] + block
        self._at = 0
        self._ended = not block
