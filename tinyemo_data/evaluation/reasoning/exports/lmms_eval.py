"""lmms-eval tasks: a YAML a task and a Parquet file beside it, without any code of ours.

Keys as in lmms-eval's task guide (docs/guides/task_guide.md): a column may stand for `doc_to_visual`, `doc_to_text` and
`doc_to_target`, and the filter `regex` finds the answer in a text. Pictures are a column of the `datasets` library's
Image type, which is told in the Parquet file's metadata.
"""

import json
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from tinyemo_data.evaluation.reasoning.exports.questions import EMOTION, KEEP, Exported
from tinyemo_data.store import Store

FOLDER = "exports/lmms_eval"
VALUE = {"_type": "Value", "dtype": "string"}
# As `datasets` writes it: without this a picture would be read as bytes.
FEATURES = {
    "question_id": VALUE, "dataset": VALUE, "split": VALUE, "image": {"_type": "Image"}, "question": VALUE,
    "answer": VALUE, "options": {"_type": "List", "feature": VALUE},
}  # fmt: skip
IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
TEXT_COLUMNS = [name for name in FEATURES if name not in ("image", "options")]
SCHEMA = pa.schema(
    [
        pa.field(name, IMAGE if name == "image" else pa.list_(pa.string()) if name == "options" else pa.string())
        for name in FEATURES
    ],
    metadata={"huggingface": json.dumps({"info": {"features": FEATURES}})},
)
PATTERNS = {EMOTION: r"(?i)predicted label:\s*([a-z]+)"}
VERDICT = r"(?i)\b(true|false)\b"


def export_lmms_eval(store: Store, name: str, questions: Sequence[Exported]) -> list[str]:
    """Write one task; return its keys, the YAML last. Equal questions and pictures give equal bytes."""
    folder = f"{FOLDER}/{name}"
    keys = [f"{folder}/{name}.parquet", f"{folder}/README.md", f"{folder}/{name}.yaml"]
    columns = {
        "question_id": [one.question_id for one in questions],
        "dataset": [one.picture.dataset for one in questions],
        "split": [one.picture.split for one in questions],
        "image": [{"bytes": one.picture.path.read_bytes(), "path": one.picture.path.name} for one in questions],
        "question": [one.text for one in questions],
        "answer": [one.answer for one in questions],
        "options": [list(one.options) for one in questions],
    }
    with store.writing(keys[0]) as path:
        pq.write_table(pa.Table.from_pydict(columns, schema=SCHEMA), path, compression="zstd")
    store.write_bytes(keys[1], _readme(name, len(questions)).encode())
    store.write_bytes(keys[2], yaml.safe_dump(_task(name), sort_keys=False, allow_unicode=True).encode())
    return keys


def _task(name: str) -> dict[str, object]:
    return {
        "task": name,
        "dataset_path": "parquet",
        "dataset_kwargs": {"data_files": {"test": f"{name}.parquet"}},
        "test_split": "test",
        "output_type": "generate_until",
        "doc_to_visual": "image",
        "doc_to_text": "question",
        "doc_to_target": "answer",
        "generation_kwargs": {"max_new_tokens": 256, "temperature": 0, "do_sample": False},
        "filter_list": [
            {
                "name": "stated",
                "filter": [
                    {"function": "regex", "regex_pattern": PATTERNS.get(name, VERDICT)},
                    {"function": "take_first"},
                ],
            }
        ],
        "metric_list": [
            {
                "metric": "exact_match", "aggregation": "mean", "higher_is_better": True, "ignore_case": True,
                "ignore_punctuation": True,
            }
        ],
        "metadata": [{"version": 1.0}],
    }  # fmt: skip


def _readme(name: str, count: int) -> str:
    return (
        f"# {name}\n\n{count} questions about held-out pictures, for lmms-eval. {KEEP}\n\n"
        f"Run in this folder, since the YAML names the Parquet file beside it:\n\n"
        f"    python -m lmms_eval --include_path . --tasks {name} --model <model> --model_args <arguments>\n"
    )
