"""The released TinyEmo sets as records of this project: mended, checked, counted, and no longer bound to one machine.

https://huggingface.co/datasets/ggcristian/TinyEmo-Pretrain-525k, …/TinyEmo-EmoReason-175k and
…/TinyEmo-EmoReasonHQ-Claude-1.4k (apache-2.0): each one JSON list of {image, id, conversations}. What the sets do not
say (prompt, tokens, price, request) stays empty. Records with a fault that can't be mended are kept aside with it.
"""

from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tinyemo_data.errors import InstructFileError, nearest
from tinyemo_data.store import Store
from tinyemo_data.synthesis.draft import LABEL_ORIGINS
from tinyemo_data.synthesis.export.json_list import read_json_list
from tinyemo_data.synthesis.export.released.picture import PictureFolder
from tinyemo_data.synthesis.export.released.record import Outcome, encodable, read_record
from tinyemo_data.synthesis.export.released.report import ReleasedReport
from tinyemo_data.synthesis.export.released.rows import writing_rows
from tinyemo_data.synthesis.export.released.sets import RELEASED
from tinyemo_data.synthesis.record_file import RECORD, REJECT
from tinyemo_data.synthesis.records import records_key, rejects_key

GATE = "released_set"
# What the released sets do not say is empty, and nothing is known of its price.
UNKNOWN: dict[str, Any] = {
    **dict.fromkeys(("sample_id", "dataset", "image", "picture_sha256", "prompt_digest", "request_digest"), ""),
    **dict.fromkeys(("conversations", "rejected", "emotion", "taxonomy")),
    **{"variant": "", "options": [], "gates": [], "input_tokens": 0, "output_tokens": 0, "usd": 0.0},
    "label_origin": LABEL_ORIGINS[0],
}
TASKS_A_PICTURE = frozenset({"caption", "vqa", "sqa"})


def import_released(store: Store, path: Path, name: str, images: Path | None = None) -> ReleasedReport:
    """Read a released JSON file into `instruct/<name>/records.parquet`, `rejects.parquet` and `import.json`.

    `name` is one of RELEASED. `images` is the folder of all datasets, in which `webemo/` lies; where it is given, a
    picture must be there, and its digest is kept. Raises InstructFileError, and writes nothing, where the file can't
    be read, is no JSON list (or JSON Lines), or has no usable record.
    """
    if name not in RELEASED:
        raise InstructFileError(
            f"There is no released set '{name}'.{nearest(name, RELEASED)} Known: {', '.join(RELEASED)}."
        )
    importer = _Importer(name, PictureFolder(images))
    with ExitStack() as stack:
        accepted = stack.enter_context(writing_rows(store, records_key(name), RECORD))
        rejected = stack.enter_context(writing_rows(store, rejects_key(name), REJECT))
        for record in read_json_list(path, or_lines=True):
            row, is_accepted = importer.take(record)
            (accepted if is_accepted else rejected).add(row)
        report = importer.finish()
        if not report.accepted:
            raise _nothing_usable(path, report)
    store.write_json(f"instruct/{name}/import.json", vars(report))
    return report


class _Importer:
    """Reads one record after the other, and remembers what later ones are compared with."""

    def __init__(self, name: str, pictures: PictureFolder) -> None:
        self._set = RELEASED[name]
        self._pictures = pictures
        self._report = ReleasedReport(name)
        self._conversations: set[int] = set()  # hashes of picture and turns
        self._draws: Counter[int] = Counter()  # hash of a record's id -> how many have it
        self._tasks_of: dict[int, list[str]] = {}  # hash of a picture's path -> tasks

    def take(self, record: Any) -> tuple[dict[str, Any], bool]:
        """Return the row of the next record, and whether it is accepted."""
        report = self._report
        report.records += 1
        outcome = read_record(record, self._pictures)
        identity = encodable(str(record["id"])) if isinstance(record, dict) and record.get("id") is not None else None
        if outcome.rejected is None and self._is_repeated(outcome):
            outcome.rejected = "duplicate_record", "an earlier record with the same picture and turns"
        if outcome.rejected is not None:
            fault, found = outcome.rejected
            report.rejected += 1
            report.count(fault, identity, found)
            return self._rejected(outcome, fault, found), False
        for fault in outcome.faults:
            report.count(fault, identity)
        return self._accepted(outcome), True

    def finish(self) -> ReleasedReport:
        """Return the report, complete."""
        report = self._report
        report.pictures = len(self._tasks_of)
        if self._set.tasks == "pretrain":
            report.pictures_without_all_tasks = sum(
                sorted(tasks) != sorted(TASKS_A_PICTURE) for tasks in self._tasks_of.values()
            )
        return report

    def _is_repeated(self, outcome: Outcome) -> bool:
        turns = tuple(turn["value"] for turn in outcome.row["conversations"])
        key = hash((outcome.row["image"], turns))
        repeated = key in self._conversations
        self._conversations.add(key)
        return repeated

    def _accepted(self, outcome: Outcome) -> dict[str, Any]:
        row = outcome.row
        task = row["task"]
        self._report.accepted += 1
        self._report.tasks[task] += 1
        self._tasks_of.setdefault(hash(row["image"]), []).append(task)
        record_id = f"{row['sample_id']}#{task}"
        self._draws[hash(record_id)] += 1
        draw = self._draws[hash(record_id)]
        origin = {"record_id": record_id if draw == 1 else f"{record_id}~{draw}", "task": f"{self._set.tasks}/{task}"}
        return UNKNOWN | row | self._provenance() | origin

    def _rejected(self, outcome: Outcome, fault: str, found: str) -> dict[str, Any]:
        number = self._report.records
        reason = {"gate": GATE, "reason": fault, "detail": f"record {number}: {found}"}
        origin = {
            "record_id": f"{self._report.name}/{number}",
            "task": f"{self._set.tasks}/{outcome.row.get('task', '')}",
        }
        return UNKNOWN | outcome.row | self._provenance() | origin | reason

    def _provenance(self) -> dict[str, Any]:
        return {"recipe": self._report.name, "generator": "released", "model": self._set.model}


def _nothing_usable(path: Path, report: ReleasedReport) -> InstructFileError:
    first = next((f"{fault}: {examples[0]}" for fault, examples in report.examples.items()), "it is empty")
    return InstructFileError(
        f"{path}: none of {report.records} records is usable; expected objects with `image` (a path that ends in "
        f"<split>/<emotion>/<file>), `id` and `conversations`. The first fault: {first}. Is it the released file?"
    )
