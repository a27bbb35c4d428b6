"""Instruct records: conversations about pictures, accepted or rejected, each with where it comes from.

`instruct/<set>/records.parquet` holds a set's accepted records in their seeded order, `rejects.parquet` what a gate
turned away, in the same order, `funnel.json` the counts of both. The records are written last: they are there only
with the rejects and the counts that belong to them.
"""

from collections.abc import Iterator

import dataframely as dy
import polars as pl

from tinyemo_data.sample import check_table
from tinyemo_data.store import Store
from tinyemo_data.synthesis.draft import LABEL_ORIGINS, VARIANTS
from tinyemo_data.synthesis.record_file import read_row_groups

TURN = dy.Struct({"from": dy.String(nullable=False), "value": dy.String(nullable=False)}, nullable=False)


class Record(dy.Schema):
    """One conversation about one picture, and where it comes from."""

    record_id = dy.String(primary_key=True, description="draft_id, and /true or /false where there are two")
    sample_id = dy.String(nullable=False)
    dataset = dy.String(nullable=False)
    image = dy.String(nullable=False, description="<dataset>/<path below the dataset's root>")
    picture_sha256 = dy.String(nullable=False)
    task = dy.String(nullable=False, description="<set>/<task>: the prompt")
    variant = dy.Enum(VARIANTS, nullable=False, description="is the label in the human turn? empty: does not apply")
    conversations = dy.List(TURN, nullable=False, min_length=2, description="turns by human and gpt")
    rejected = dy.String(nullable=True, description="the worse answer, where the task has one")
    emotion = dy.String(nullable=True)
    taxonomy = dy.String(nullable=True)
    options = dy.List(dy.String(nullable=False), nullable=False, description="labels that the human turn offers")
    label_origin = dy.Enum(LABEL_ORIGINS, nullable=True)
    recipe = dy.String(nullable=False, description="the set")
    prompt_digest = dy.String(nullable=False)
    generator = dy.String(nullable=False, description="backend that answered")
    model = dy.String(nullable=False, description="as the service names it")
    request_digest = dy.String(nullable=False, description="of the request in the ledger")
    input_tokens = dy.Int64(nullable=False, min=0, description="of the request, whole")
    output_tokens = dy.Int64(nullable=False, min=0)
    usd = dy.Float64(nullable=False, min=0, description="the request's cost, divided over the records made of it")
    gates = dy.List(dy.String(nullable=False), nullable=False, description="names of the gates that it passed")


class Reject(dy.Schema):
    """One record, or one reply that became none, with the gate that turned it away."""

    record_id = dy.String(primary_key=True, description="draft_id where a reply became no record")
    sample_id = dy.String(nullable=False)
    dataset = dy.String(nullable=False)
    image = dy.String(nullable=False)
    picture_sha256 = dy.String(nullable=False)
    task = dy.String(nullable=False)
    variant = dy.Enum(VARIANTS, nullable=False)
    conversations = dy.List(TURN, nullable=True, description="null where there are none, or they may hold a secret")
    rejected = dy.String(nullable=True)
    emotion = dy.String(nullable=True)
    taxonomy = dy.String(nullable=True)
    options = dy.List(dy.String(nullable=False), nullable=False)
    label_origin = dy.Enum(LABEL_ORIGINS, nullable=True)
    recipe = dy.String(nullable=False)
    prompt_digest = dy.String(nullable=False)
    generator = dy.String(nullable=True, description="null where the request failed before anybody answered")
    model = dy.String(nullable=True)
    request_digest = dy.String(nullable=False)
    input_tokens = dy.Int64(nullable=False, min=0)
    output_tokens = dy.Int64(nullable=False, min=0)
    usd = dy.Float64(nullable=False, min=0)
    gates = dy.List(dy.String(nullable=False), nullable=False, description="names of the gates that it passed before")
    gate = dy.String(nullable=False, description="name of the gate that turned it away")
    reason = dy.String(nullable=False, regex=r"^[a-z0-9_]+$", description="machine-readable: label_contradicted, …")
    detail = dy.String(nullable=False, description="for people: what was found")


def records_key(name: str) -> str:
    """Return the store key of a set's records."""
    return f"instruct/{name}/records.parquet"


def rejects_key(name: str) -> str:
    """Return the store key of a set's rejects."""
    return f"instruct/{name}/rejects.parquet"


def funnel_key(name: str) -> str:
    """Return the store key of a set's counts."""
    return f"instruct/{name}/funnel.json"


def read_records(store: Store, name: str) -> pl.DataFrame:
    """Read and check a set's records, in their seeded order. Raises StoreError or TableError."""
    return _read(store, records_key(name), Record)


def read_rejects(store: Store, name: str) -> pl.DataFrame:
    """Read and check a set's rejects, in their seeded order. Raises StoreError or TableError."""
    return _read(store, rejects_key(name), Reject)


def iterate_records(store: Store, name: str) -> Iterator[pl.DataFrame]:
    """Yield a set's records in checked parts of a row group: memory does not grow with the set.

    Raises StoreError or TableError, for a part that breaks the schema when it comes to it.
    """
    key = records_key(name)
    for part in read_row_groups(store, key):
        yield check_table(part, Record, str(store.path(key)))


def _read(store: Store, key: str, schema: type[dy.Schema]) -> pl.DataFrame:
    return check_table(store.read_table(key), schema, str(store.path(key)))
