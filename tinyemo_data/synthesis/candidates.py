"""Candidates: what drafts and their replies become before any gate has looked at the text."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import jsonschema_rs
import numpy as np
import polars as pl
import pyarrow as pa

from tinyemo_data import taxonomy
from tinyemo_data.errors import PromptError
from tinyemo_data.synthesis import tasks
from tinyemo_data.synthesis.gates.replies import Refused, StoredReply, is_waiting, make_validator, read_fields
from tinyemo_data.synthesis.prompt import load_prompt

TEXT = pl.String()
REPLY = pl.Schema({"generator": TEXT, "model": TEXT, "input_tokens": pl.Int64(), "output_tokens": pl.Int64(),
                   "usd": pl.Float64()})  # fmt: skip


@dataclass(frozen=True)
class Candidates:
    """What a part of a set's drafts became."""

    # A row a conversation: columns of Draft, REPLY, `suffix`, `conversations`, `rejected`, and of the reply's fields
    # `stated` (the label) and `named_detail`.
    assembled: pl.DataFrame
    refused: pl.DataFrame  # a row a reply that became none: columns of Draft, REPLY, `gate`, `reason`, `detail`
    waiting: pl.DataFrame  # drafts without a reply yet


def make_candidates(drafts: pl.DataFrame, replies: Mapping[str, StoredReply]) -> Candidates:
    """Read replies and assemble their records. Rows keep the order of the drafts, and depend on their own draft alone.

    Raises PromptError where a prompt is another one than the drafts were made of.
    """
    gathered = _Gathered()
    for number, draft in enumerate(drafts.iter_rows(named=True)):
        reply = replies.get(draft["request_digest"])
        if reply is None or is_waiting(reply):
            gathered.waiting.append(number)
            continue
        fields = read_fields(reply, validator(draft["prompt"], draft["prompt_digest"], draft["taxonomy"]))
        if isinstance(fields, Refused):
            gathered.refuse(number, reply, fields)
        else:
            gathered.assemble(number, draft, reply, fields)
    return gathered.tables(drafts)


@functools.lru_cache(maxsize=512)
def validator(prompt_id: str, digest: str, vocabulary: str | None) -> jsonschema_rs.Validator:
    """Return what checks the replies to a prompt about pictures of a taxonomy."""
    prompt = load_prompt(prompt_id)
    if prompt.digest != digest:
        raise PromptError(
            f"Prompt {prompt_id} has digest {prompt.digest[:12]}…, the drafts were made of {digest[:12]}…: its "
            "text was changed since. Plan the set's drafts again; answers to other prompts are kept."
        )
    return make_validator(prompt.schema(() if vocabulary is None else taxonomy.get(vocabulary).labels))


@dataclass
class _Gathered:
    """Rows in the making, as columns."""

    waiting: list[int] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    refusals: list[tuple[Any, ...]] = field(default_factory=list)
    assembled: list[int] = field(default_factory=list)
    provenance: list[tuple[Any, ...]] = field(default_factory=list)
    suffixes: list[str] = field(default_factory=list)
    senders: list[str] = field(default_factory=list)
    values: list[str] = field(default_factory=list)
    turns: list[int] = field(default_factory=list)  # of each conversation
    rejected: list[str | None] = field(default_factory=list)
    stated: list[str | None] = field(default_factory=list)
    details: list[str | None] = field(default_factory=list)

    def refuse(self, number: int, reply: StoredReply, why: Refused) -> None:
        self.refused.append(number)
        self.refusals.append((*_provenance(reply, 1), why.gate, why.reason, why.detail))

    def assemble(self, number: int, draft: Mapping[str, Any], reply: StoredReply, fields: Mapping[str, Any]) -> None:
        records = tasks.get(draft["prompt"]).assemble(draft, fields)
        if not records:
            self.refuse(number, reply, Refused("schema", "no_record", "its fields make no conversation"))
            return
        provenance = _provenance(reply, len(records))
        for record in records:
            self.assembled.append(number)
            self.provenance.append(provenance)
            self.suffixes.append(record.suffix)
            self.turns.append(len(record.turns))
            for sender, value in record.turns:
                self.senders.append(sender)
                self.values.append(value)
            self.rejected.append(record.rejected)
            self.stated.append(_text(fields, "label"))
            self.details.append(_text(fields, "detail"))

    def tables(self, drafts: pl.DataFrame) -> Candidates:
        own = pl.DataFrame(
            {
                "suffix": pl.Series(self.suffixes, dtype=TEXT),
                "conversations": self._conversations(),
                "rejected": pl.Series(self.rejected, dtype=TEXT),
                "stated": pl.Series(self.stated, dtype=TEXT),
                "named_detail": pl.Series(self.details, dtype=TEXT),
            }
        )
        replies = pl.DataFrame(self.provenance, schema=REPLY, orient="row")
        refusals = pl.DataFrame(
            self.refusals, schema=REPLY | {"gate": TEXT, "reason": TEXT, "detail": TEXT}, orient="row"
        )
        return Candidates(
            drafts[self.assembled].hstack(replies).hstack(own),
            drafts[self.refused].hstack(refusals),
            drafts[self.waiting],
        )

    def _conversations(self) -> pl.Series:
        """Return lists of structs, made of flat columns: through Python objects it would take ten times as long."""
        texts = [pa.array(column, pa.large_string()) for column in (self.senders, self.values)]
        starts = pa.array(np.concatenate([[0], np.cumsum(self.turns, dtype=np.int64)]), pa.int64())
        turns = pa.LargeListArray.from_arrays(starts, pa.StructArray.from_arrays(texts, ["from", "value"]))
        return pl.Series(pl.from_arrow(turns))


def _provenance(reply: StoredReply, records: int) -> tuple[Any, ...]:
    return reply.backend, reply.model, reply.input_tokens, reply.output_tokens, reply.usd / records


def _text(fields: Mapping[str, Any], name: str) -> str | None:
    value = fields.get(name)
    return value if isinstance(value, str) else None
