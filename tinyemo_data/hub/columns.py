"""The columns of a published set: what each holds, and its type in Parquet, in `datasets` and in Croissant."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from tinyemo_data.synthesis.record_file import RECORD

DESCRIPTIONS = {
    "record_id": "id of the record, unique in the set",
    "sample_id": "id of the picture: its dataset and its path there, without suffix",
    "dataset": "dataset of the picture",
    "image": "where the picture lies: its dataset and its path there; the picture is not in this repository",
    "picture_sha256": "SHA-256 of the picture's file, after `sha256:`; empty where the picture is not known",
    "task": "what the record is an exercise in: the prompt that made it",
    "variant": "whether the label is in the human turn (given, withheld); empty where that does not apply",
    "conversations": "turns by human and gpt, in their order; the first one holds `<image>`",
    "rejected": "the worse answer, in tasks that have one; null elsewhere",
    "emotion": "label that the record is conditioned on",
    "taxonomy": "vocabulary that the label is of",
    "options": "labels that the human turn offers",
    "label_origin": "who gave the label: the dataset's annotators, or the projector",
    "recipe": "the instruct set",
    "prompt_digest": "SHA-256 of the prompt's file, in hex",
    "generator": "backend that answered",
    "model": "model that answered, as its service names it",
    "request_digest": "digest of the request in the request ledger, where the raw reply is kept",
    "input_tokens": "tokens of the request, whole",
    "output_tokens": "tokens of the answer, whole",
    "usd": "dollars that the request cost, divided over the records made of it",
    "gates": "names of the gates that the record passed",
}
CROISSANT_TYPES = {"string": "sc:Text", "int64": "sc:Integer", "double": "sc:Float"}
DATASETS_TYPES = {"string": "string", "int64": "int64", "double": "float64"}


@dataclass(frozen=True)
class Column:
    """One column. `parts` are the fields of its structs, where it is a list of such."""

    name: str
    description: str
    type: str  # of the values, as Arrow names it
    is_list: bool
    parts: tuple[tuple[str, str], ...] = ()


def columns() -> Iterator[Column]:
    """Yield the columns, in their order."""
    for field in RECORD:
        inner = field.type.value_type if pa.types.is_list(field.type) else field.type
        parts = tuple((part.name, str(part.type)) for part in inner) if pa.types.is_struct(inner) else ()
        yield Column(field.name, DESCRIPTIONS[field.name], str(inner), inner is not field.type, parts)


def datasets_features() -> list[dict[str, Any]]:
    """Return the columns as the front matter of a dataset's card has them (`dataset_info.features`)."""
    features: list[dict[str, Any]] = []
    for column in columns():
        if column.parts:
            parts = [{"name": name, "dtype": DATASETS_TYPES[kind]} for name, kind in column.parts]
            features.append({"name": column.name, "list": parts})
        else:
            kind = DATASETS_TYPES[column.type]
            features.append({"name": column.name, "list" if column.is_list else "dtype": kind})
    return features
