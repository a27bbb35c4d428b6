"""LLaVA's JSON: what TinyLLaVA Factory and LLaVA train on unchanged.

Stage 1 of both (template `pretrain`) throws the human turn away. A caption is true without its question; the answer
to a question is not. So a set's captions make its stage-1 file, and what it asks besides goes to `<set>_qa.json`,
which is trained on with a conversation template that keeps the question. `exports/README.md` says so to whoever
finds the files.
"""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import orjson
import polars as pl

from tinyemo_data.errors import InstructFileError
from tinyemo_data.store import Store
from tinyemo_data.synthesis.export.guide import write_guide
from tinyemo_data.synthesis.export.parts import read_in_parts
from tinyemo_data.synthesis.export.text_only import text_only_records
from tinyemo_data.synthesis.export.trainer import IMAGE
from tinyemo_data.synthesis.records import records_key

COLUMNS = ("record_id", "image", "task", "conversations", "taxonomy")
CAPTION = "pretrain/caption"
PRETRAIN = "pretrain/"
OPENING = f"{IMAGE}\n"


@dataclass(frozen=True)
class LlavaFile:
    """One file that was written."""

    key: str
    stage: int  # the trainer's stage that it is for: 1 connector, 2 instructions
    records: int  # all of them
    text_only: int  # of which have no picture


def export_llava(store: Store, name: str) -> list[LlavaFile]:
    """Write a set's records as `exports/llava/<set>.json` and, of a pretraining set, `<set>_qa.json`; return both.

    Each is a JSON list in the records' order: `id`, `image` (below the folder of all datasets), `conversations`.
    Stage-2 files end with a few text-only records. Of a preference the chosen answer is written. Equal records make
    equal bytes; nothing is written where something is wrong. Raises StoreError where the set is not there, TableError
    where it is no table of records, InstructFileError for a set without records or a record without its <image>.
    """
    with contextlib.ExitStack() as stack:
        writers: dict[str, _Writer] = {}
        for part in read_in_parts(store, records_key(name), COLUMNS):
            for (key, stage), rows in _by_file(name, part):
                if key not in writers:
                    writers[key] = _Writer(stack.enter_context(_opened(store, key)), key, stage)
                writers[key].add(rows)
        if not writers:
            raise InstructFileError(
                f"{store.path(records_key(name))} has no records: there is nothing to export. funnel.json beside it "
                "says which gate rejected them."
            )
        files = [writer.finish() for writer in writers.values()]
    for key in {f"exports/llava/{name}.json", f"exports/llava/{name}_qa.json"} - set(writers):
        store.remove(key)
    write_guide(store)
    return sorted(files, key=lambda file: file.key)


def llava_file(name: str, task: str) -> tuple[str, int]:
    """Return the store key of the file that records of `task` go to, and the trainer's stage that it is for."""
    if task == CAPTION:
        return f"exports/llava/{name}.json", 1
    return f"exports/llava/{name}_qa.json" if task.startswith(PRETRAIN) else f"exports/llava/{name}.json", 2


def to_llava(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record as LLaVA has it. Raises InstructFileError where <image> is not once, at its beginning."""
    turns = row["conversations"]
    if not turns[0]["value"].startswith(OPENING) or sum(turn["value"].count(IMAGE) for turn in turns) != 1:
        raise InstructFileError(
            f"Record {row['record_id']}: expected {IMAGE} once, at the beginning of the first human turn; found "
            f"{[turn['value'][:40] for turn in turns]}. Render the set again: a gate keeps such records out."
        )
    return {"id": row["record_id"], "image": row["image"], "conversations": turns}


def _by_file(name: str, part: pl.DataFrame) -> Iterator[tuple[tuple[str, int], pl.DataFrame]]:
    """Part the records by the file that they go to, in their order."""
    file_of = {task: llava_file(name, task) for task in part["task"].unique()}
    for file in sorted(set(file_of.values())):
        yield file, part.filter(pl.col("task").is_in([task for task in file_of if file_of[task] == file]))


class _Writer:
    """One JSON list in the making."""

    def __init__(self, file: BinaryIO, key: str, stage: int) -> None:
        self._file = file
        self._key = key
        self._stage = stage
        self._records = 0
        self._taxonomies: set[str] = set()

    def add(self, rows: pl.DataFrame) -> None:
        """Append records."""
        self._taxonomies.update(rows["taxonomy"].drop_nulls().unique())
        self._append(map(to_llava, rows.iter_rows(named=True)))

    def finish(self) -> LlavaFile:
        """Append what the stage needs besides, and close the list."""
        with_picture = self._records
        if self._stage == 2:
            self._append(text_only_records(self._taxonomies))
        self._file.write(b"\n]\n")
        return LlavaFile(self._key, self._stage, self._records, self._records - with_picture)

    def _append(self, records: Iterable[Mapping[str, Any]]) -> None:
        lines = b",\n".join(map(orjson.dumps, records))
        if lines:
            self._file.write((b",\n" if self._records else b"[\n") + lines)
            self._records += lines.count(b"\n") + 1  # JSON text has no bare newline


@contextlib.contextmanager
def _opened(store: Store, key: str) -> Iterator[BinaryIO]:
    with store.writing(key) as aside, aside.open("wb") as file:
        yield file
