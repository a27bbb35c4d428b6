"""Records as the engine renders them, for tests of what reads them."""

from collections.abc import Sequence
from typing import Any

import polars as pl
import pyarrow as pa

from tinyemo_data.store import Store
from tinyemo_data.synthesis.record_file import RECORD, REJECT, RecordFile
from tinyemo_data.synthesis.records import records_key, rejects_key

Turn = tuple[str, str]


def record(number: int, task: str = "finetune/reasoning", **changes: Any) -> dict[str, Any]:
    """Return one record of the WEBEmo picture `number`."""
    emotion = changes.get("emotion", "joy")
    sample_id = f"emotion6/images/{emotion}/{number}"
    turns = changes.pop("turns", None) or [
        ("human", "<image>\nWhich emotion does this picture evoke: anger, joy?"),
        ("gpt", f"Reasoning: Someone laughs in the sun, number {number}.\nPredicted Label: joy"),
    ]
    row = {
        "record_id": f"{sample_id}#{task.partition('/')[2]}",
        "sample_id": sample_id,
        "dataset": "emotion6",
        "image": f"{sample_id}.jpg",
        "picture_sha256": f"{number:064x}",
        "task": task,
        "variant": "",
        "conversations": [{"from": role, "value": value} for role, value in turns],
        "rejected": None,
        "emotion": emotion,
        "taxonomy": "ekman6",
        "options": ["anger", "joy"],
        "label_origin": "annotators",
        "recipe": task.partition("/")[0],
        "prompt_digest": "0" * 64,
        "generator": "rules",
        "model": "rules-1",
        "request_digest": f"{number:043d}",
        "input_tokens": 10,
        "output_tokens": 20,
        "usd": 0.0,
        "gates": ["schema"],
    }
    return row | changes


def question_answer(question: str, answer: str) -> list[Turn]:
    return [("human", f"<image>\n{question}"), ("gpt", answer)]


def write_records(store: Store, name: str, rows: Sequence[dict[str, Any]]) -> None:
    """Write `instruct/<name>/records.parquet`, as the engine does."""
    write_rows(store, records_key(name), rows, RECORD)


def write_rejects(store: Store, name: str, rows: Sequence[dict[str, Any]]) -> None:
    """Write `instruct/<name>/rejects.parquet` of rows that have gate, reason and detail."""
    write_rows(store, rejects_key(name), rows, REJECT)


def write_rows(store: Store, key: str, rows: Sequence[dict[str, Any]], schema: pa.Schema) -> None:
    with store.writing(key) as aside, RecordFile(aside, schema) as file:
        file.add(pl.DataFrame(pl.from_arrow(pa.Table.from_pylist(list(rows), schema=schema))))
