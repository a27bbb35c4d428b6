"""From a record back to everything that made it: its picture, question, raw reply, gates and price.

A record is looked for among the accepted and the rejected ones of every set; what was asked and answered comes from
the request ledger, by the request's digest.
"""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from tinyemo_data.errors import RecordNotFoundError, TableError
from tinyemo_data.store import Store
from tinyemo_data.synthesis.ledger import Ledger, StoredReply
from tinyemo_data.synthesis.reply import read_reply

FOLDER = "instruct"
ACCEPTED, REJECTED = "records.parquet", "rejects.parquet"
LIKE = 200  # ids that share most of the letters of what was typed: among them the nearest is looked for
PIECE = 3  # letters that are compared at once
CLOSE = 0.6  # difflib's ratio


@dataclass(frozen=True)
class Explanation:
    """Where one record comes from. None where it is not known."""

    set_name: str
    accepted: bool
    row: dict[str, Any]  # the record's columns; a reject's have gate, reason and detail besides
    picture: Path | None  # where its picture lies on this machine, if it does
    request: dict[str, Any] | None  # what was sent: model, system, text, picture, schema, max_tokens, seed, known
    reply: StoredReply | None  # as the ledger has it
    answer: str | None  # the reply's text
    fields: dict[str, Any] | None  # the reply's text, parsed

    @property
    def prompt_id(self) -> str:
        """Return the prompt that asked: `<set>/<task>`."""
        return str(self.row["task"])


def explain(
    store: Store, ledger: Ledger | None, record_id: str, set_name: str | None = None, images: Path | None = None
) -> Explanation:
    """Return where a record comes from.

    `set_name` says which set's, where several have a record of that id; `images` is the folder of all datasets.
    Raises RecordNotFoundError, with the nearest id, where there is none, or where it is in several sets.
    """
    found = [(name, file, row) for name, file in tables(store, set_name) for row in _rows(store, name, file, record_id)]
    if not found:
        raise RecordNotFoundError(_unknown(store, record_id, set_name))
    if len(found) > 1:
        sets = ", ".join(name for name, _, _ in found)
        raise RecordNotFoundError(f"The record '{record_id}' is in several sets: {sets}. Say which one (--set).")
    ((name, file, row),) = found
    request, reply = _asked(ledger, row["request_digest"])
    answer = read_reply(reply.raw).text if reply is not None and reply.raw is not None else None
    picture = None if images is None else images / row["image"]
    return Explanation(
        name,
        file == ACCEPTED,
        row,
        picture if picture is not None and picture.is_file() else None,
        request,
        reply,
        answer,
        _parsed(answer),
    )


def tables(store: Store, set_name: str | None = None) -> Iterator[tuple[str, str]]:
    """Yield (set, file) of every table of records and of rejects that the store holds, sorted."""
    root = store.path(FOLDER)
    sets = sorted(entry.name for entry in root.iterdir() if entry.is_dir()) if root.exists() else []
    for name in sets:
        for file in (ACCEPTED, REJECTED):
            if set_name in (None, name) and store.exists(f"{FOLDER}/{name}/{file}"):
                yield name, file


def _rows(store: Store, name: str, file: str, record_id: str) -> list[dict[str, Any]]:
    with store.local(f"{FOLDER}/{name}/{file}") as path:
        try:
            return pl.scan_parquet(path).filter(pl.col("record_id") == record_id).collect().to_dicts()
        except pl.exceptions.PolarsError as exc:
            raise TableError(f"{path} is no table of records ({exc}). Delete it and run its step again.") from exc


def _asked(ledger: Ledger | None, digest: str) -> tuple[dict[str, Any] | None, StoredReply | None]:
    """Return the request and what was answered, as far as the ledger knows them."""
    if ledger is None or not digest:
        return None, None
    canonical = ledger.canonical(digest)
    return (None if canonical is None else orjson.loads(canonical)), ledger.replies([digest]).get(digest)


def _parsed(answer: str | None) -> dict[str, Any] | None:
    try:
        fields = orjson.loads(answer or "")
    except orjson.JSONDecodeError:
        return None
    return fields if isinstance(fields, dict) else None


def _unknown(store: Store, record_id: str, set_name: str | None) -> str:
    sets = sorted({name for name, _ in tables(store)})
    if not sets:
        return f"The record '{record_id}' is not known: the store {store.url} has no instruct sets. Make one first."
    where = f"the set '{set_name}'" if set_name in sets else f"any set ({', '.join(sets)})"
    nearest = nearest_id(store, record_id)
    hint = f" Did you mean '{nearest}'?" if nearest else ""
    return f"The record '{record_id}' is not in {where}, accepted or rejected.{hint}"


def nearest_id(store: Store, record_id: str) -> str | None:
    """Return the record id of any set that is most like `record_id`; None where none is."""
    pieces = sorted({record_id[at : at + PIECE] for at in range(max(1, len(record_id) - PIECE + 1))})
    shared = pl.sum_horizontal(pl.col("record_id").str.contains(piece, literal=True) for piece in pieces)
    likely: list[str] = []
    for name, file in tables(store):
        with store.local(f"{FOLDER}/{name}/{file}") as path:
            ids = pl.scan_parquet(path).select("record_id", shared=shared)
            likely.extend(ids.top_k(LIKE, by=["shared", "record_id"]).collect()["record_id"].to_list())
    matches = difflib.get_close_matches(record_id, sorted(likely), n=1, cutoff=CLOSE)
    return matches[0] if matches else None
