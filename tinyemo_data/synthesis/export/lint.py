"""The linter of LLaVA files: everything that breaks or spoils a training run, before it begins.

It reads record by record; of what it has read it keeps two digests a record, to tell of ids and pictures that return.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tinyemo_data.errors import InstructFileError
from tinyemo_data.synthesis.export.findings import LintReport
from tinyemo_data.synthesis.export.json_list import read_json_list
from tinyemo_data.synthesis.export.rules import (
    Break,
    CountTokens,
    image_path_breaks,
    image_token_breaks,
    length_breaks,
    shape_breaks,
    text_breaks,
    turn_breaks,
)
from tinyemo_data.synthesis.tasks import TASKS

STAGES = (1, 2)
# Tasks of this project whose answers mean nothing without their questions; a record's id names its task.
ASKING = {prompt.partition("/")[2] for prompt in TASKS} - {"caption"}
SUFFIX = re.compile("[~/]")  # a draw, or which of a reply's records


def lint(path: Path, stage: int, image_folder: Path | None = None, tokenizer: Any = None) -> LintReport:
    """Look through a LLaVA file for what the trainer of `stage` (1: connector, 2: instructions) trips over.

    `image_folder` is what `--image_folder` will be; None: whether pictures exist is not looked at. `tokenizer` is the
    language model's, with `encode(text)` that returns ids or an object with `ids`; None: lengths are estimated.
    Raises InstructFileError where the file can't be opened, or for another stage; what is wrong in it is reported.
    """
    if stage not in STAGES:
        raise InstructFileError(f"Stage {stage}: there are 1 (pretrain.sh) and 2 (finetune.sh): choose one of them.")
    if not path.is_file():
        raise InstructFileError(f"{path}: there is no such file. Export the set first, or give the path of its JSON.")
    linter = _Linter(LintReport(path, stage), image_folder, _counter(tokenizer))
    try:
        for record in read_json_list(path):
            linter.look_at(record)
    except InstructFileError as exc:
        linter.report.add("json_list", str(exc).removeprefix(f"{path}: "))
    linter.finish()
    return linter.report


def read_tokenizer(path: Path) -> Any:
    """Return the tokenizer of a `tokenizer.json`, or of the folder that holds it, for `lint`.

    Raises InstructFileError where there is none, or it can't be read.
    """
    from tokenizers import Tokenizer

    file = path / "tokenizer.json" if path.is_dir() else path
    try:
        return Tokenizer.from_buffer(file.read_bytes())
    except (OSError, ValueError) as exc:
        mend = "Give a language model's folder, or its tokenizer.json."
        raise InstructFileError(f"{file} can't be read as a tokenizer ({exc}). {mend}") from exc


class _Linter:
    """Looks at one record after the other, and remembers what later ones are compared with."""

    def __init__(self, report: LintReport, image_folder: Path | None, count_tokens: CountTokens | None) -> None:
        self.report = report
        self._image_folder = image_folder
        self._count_tokens = count_tokens
        self._image_of: dict[int, int] = {}  # hash of an id -> hash of its picture's path
        self._images: set[int] = set()  # stage 1: hashes of the paths that were seen

    def look_at(self, record: Any) -> None:
        """Report what is wrong with the next record."""
        report = self.report
        report.records += 1
        identity = record.get("id") if isinstance(record, dict) else None
        shown = None if identity is None else str(identity)
        for rule, found in self._breaks(record):
            report.add(rule, found, report.records, shown)

    def finish(self) -> None:
        """Report what is wrong with the file as a whole."""
        report = self.report
        if report.counts["json_list"]:
            return
        if not report.records:
            report.add("no_records", "none")
        elif report.stage == 2 and not report.text_only:
            report.add("stage2_without_text_only", f"a picture in all {report.records}")
        elif report.stage == 2 and report.text_only == report.records:
            report.add("stage2_without_picture", f"a picture in none of {report.records}")

    def _breaks(self, record: Any) -> Iterator[Break]:
        malformed = list(shape_breaks(record))
        if malformed:
            yield from malformed
            return
        turns, stage, has_picture = record["conversations"], self.report.stage, "image" in record
        values = [turn["value"] for turn in turns]
        yield from turn_breaks(turns, stage)
        yield from image_token_breaks(turns, has_picture)
        yield from text_breaks(values)
        if len(values) % 2 == 0:
            yield from length_breaks(values, stage, has_picture, self._count_tokens)
        if has_picture:
            yield from self._picture_breaks(record)
        else:
            self.report.text_only += 1
            if stage == 1:
                yield "stage1_without_picture", "no `image`"

    def _picture_breaks(self, record: dict[str, Any]) -> Iterator[Break]:
        image = record["image"]
        broken = list(image_path_breaks(image))
        yield from broken
        if self._image_folder is not None and not broken and not (self._image_folder / image).is_file():
            yield "image_missing", f"nothing at {self._image_folder / image}"
        key = hash(str(image))
        identity = str(record.get("id", ""))
        if self.report.stage == 1:
            task = SUFFIX.split(identity.rpartition("#")[2])[0]
            if task in ASKING or key in self._images:
                yield "stage1_question_lost", f"a {task if task in ASKING else 'further'} record of {image}"
            self._images.add(key)
        if identity and self._image_of.setdefault(hash(identity), key) != key:
            yield "duplicate_id", f"the id of another picture at {image}"


def _counter(tokenizer: Any) -> Callable[[str], int] | None:
    """Return what counts the tokens of a text, special ones included."""
    if tokenizer is None:
        return None

    def count(text: str) -> int:
        encoded = tokenizer.encode(text)
        return len(getattr(encoded, "ids", encoded))

    return count
