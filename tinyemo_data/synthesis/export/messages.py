"""TRL's messages: Parquet that SFTTrainer and DPOTrainer read, vision datasets in the conversational format.

Format: https://huggingface.co/docs/trl/dataset_formats, "Vision datasets": `content` is a list of parts, each an image
or a text; the pictures are in `images`, as many as there are image parts. A preference has `prompt`, `chosen` and
`rejected`, each a list of messages. An image part has a null `text`, as everywhere where Parquet holds this format.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tinyemo_data.errors import InstructFileError
from tinyemo_data.store import Store
from tinyemo_data.synthesis.export.guide import write_guide
from tinyemo_data.synthesis.export.llava import OPENING
from tinyemo_data.synthesis.export.parts import read_in_parts
from tinyemo_data.synthesis.records import records_key

COLUMNS = ("record_id", "image", "task", "conversations", "rejected")
ROLES = {"human": "user", "gpt": "assistant"}
PARTS = pa.list_(pa.struct([("type", pa.string()), ("text", pa.string())]))
MESSAGES = pa.list_(pa.struct([("role", pa.string()), ("content", PARTS)]))


@dataclass(frozen=True)
class MessagesFile:
    """The file that was written."""

    key: str
    rows: int
    is_preference: bool  # prompt, chosen and rejected in place of messages


def export_messages(store: Store, name: str) -> MessagesFile:
    """Write a set's records as `exports/messages/<set>.parquet`, one row a record, in their order.

    Columns: `record_id`, `task`, `images` (list of one path below the folder of all datasets), and `messages`, or
    `prompt`, `chosen` and `rejected` where the records have a rejected answer. Equal records make equal bytes. Raises
    StoreError where the set is not there, TableError where it is no table of records, InstructFileError where it has
    no records, or a rejected answer for some of them alone.
    """
    key = f"exports/messages/{name}.parquet"
    source = store.path(records_key(name))
    writer: pq.ParquetWriter | None = None
    rows, pairs = 0, 0
    with store.writing(key) as aside:
        try:
            for part in read_in_parts(store, records_key(name), COLUMNS):
                rows, pairs = rows + len(part), pairs + len(part) - part["rejected"].null_count()
                _check_all_or_none(rows, pairs, str(source))
                table = to_messages(part)
                writer = writer or pq.ParquetWriter(aside, table.schema, compression="zstd")
                writer.write_table(table)
        finally:
            if writer is not None:
                writer.close()
        if not rows:
            raise InstructFileError(f"{source} has no records: there is nothing to export. See funnel.json beside it.")
    write_guide(store)
    return MessagesFile(key, rows, bool(pairs))


def to_messages(records: pl.DataFrame) -> pa.Table:
    """Return records in TRL's format: with prompt, chosen and rejected where they have a rejected answer."""
    n_turns = records["conversations"].list.len().to_numpy()
    turns = records["conversations"].explode(empty_as_null=False)
    messages = _messages(turns)
    columns = {
        "record_id": records["record_id"].to_arrow().cast(pa.string()),
        "task": records["task"].cast(pl.String).to_arrow().cast(pa.string()),
        "images": _lists(np.ones(len(records), dtype=np.int64), records["image"].to_arrow().cast(pa.string())),
    }
    if records["rejected"].null_count() == len(records):
        return pa.table(columns | {"messages": _lists(n_turns, messages)})
    is_last = np.zeros(len(turns), dtype=bool)
    is_last[np.cumsum(n_turns) - 1] = True
    rejected = pl.DataFrame({"from": "gpt", "value": records["rejected"]}).to_struct()
    one = np.ones(len(records), dtype=np.int64)
    pairs = {
        "prompt": _lists(n_turns - 1, messages.filter(pa.array(~is_last))),
        "chosen": _lists(one, messages.filter(pa.array(is_last))),
        "rejected": _lists(one, _messages(rejected)),
    }
    return pa.table(columns | pairs)


def _messages(turns: pl.Series) -> pa.StructArray:
    """Return turns {from, value} as messages: an image part before the text where the turn opens with <image>."""
    values = turns.struct.field("value")
    shows = values.str.starts_with(OPENING).to_numpy()
    n_parts = 1 + shows.astype(np.int64)
    turn_of_part = np.repeat(np.arange(len(turns)), n_parts)
    is_image = np.zeros(len(turn_of_part), dtype=bool)
    is_image[(np.cumsum(n_parts) - n_parts)[shows]] = True
    texts = values.str.strip_prefix(OPENING).to_arrow().cast(pa.string()).take(pa.array(turn_of_part))
    image = pa.array(is_image)
    types = pc.if_else(image, "image", "text")
    parts = pa.StructArray.from_arrays(
        [types, pc.if_else(image, pa.scalar(None, pa.string()), texts)], fields=list(PARTS.value_type)
    )
    roles = turns.struct.field("from").replace_strict(ROLES).to_arrow().cast(pa.string())
    return pa.StructArray.from_arrays([roles, _lists(n_parts, parts)], fields=list(MESSAGES.value_type))


def _lists(lengths: "np.typing.NDArray[np.int64]", values: pa.Array) -> pa.ListArray:
    """Return consecutive values as lists of these lengths."""
    return pa.ListArray.from_arrays(pa.array(np.concatenate([[0], np.cumsum(lengths)]), pa.int32()), values)


def _check_all_or_none(rows: int, pairs: int, source: str) -> None:
    if pairs not in (0, rows):
        raise InstructFileError(
            f"{source}: {pairs} of the first {rows} records have a rejected answer; expected all of them or none. "
            "Keep preferences in a set of their own."
        )
