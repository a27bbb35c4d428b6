"""Conversations to learn from: the records of instruct sets, straight from the store, checked for their shape."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tinyemo_data.errors import MMLLMError
from tinyemo_data.mm_llm.chat import IMAGE
from tinyemo_data.store import Store
from tinyemo_data.synthesis.records import iterate_records, records_key

ROLES = ("human", "gpt")


@dataclass(frozen=True, slots=True)
class Conversation:
    """One record: its picture, and its (question, answer) turns; the first question begins with the picture."""

    record_id: str
    sample_id: str
    dataset: str
    path: str  # of the picture, below its dataset's root
    turns: tuple[tuple[str, str], ...]


def read_conversations(store: Store, sets: Sequence[str]) -> list[Conversation]:
    """Return the conversations of `sets`, in the order of the sets and of their records.

    Raises StoreError for a set that was not made, and MMLLMError for one without records or for a record whose turns
    or image marks can't be trained on.
    """
    found: list[Conversation] = []
    for name in sets:
        before = len(found)
        for part in iterate_records(store, name):
            found.extend(as_conversation(row) for row in part.iter_rows(named=True))
        if len(found) == before:
            raise MMLLMError(f"{store.path(records_key(name))} holds no records. Make the set {name} again.")
    return found


def as_conversation(row: dict[str, Any]) -> Conversation:
    """Return a record's conversation. Raises MMLLMError naming the record and what is wrong with it."""
    turns, record = row["conversations"], row["record_id"]
    roles = [turn["from"] for turn in turns]
    if len(turns) % 2 or roles != [ROLES[number % 2] for number in range(len(turns))]:
        raise MMLLMError(
            f"Record {record}: its turns are by {', '.join(roles)}; expected human and gpt by turns, gpt last."
        )
    texts = [turn["value"] for turn in turns]
    counts = [text.count(IMAGE) for text in texts]
    if counts != [1] + [0] * (len(texts) - 1):
        raise MMLLMError(
            f"Record {record}: expected one {IMAGE}, in the first question; found {sum(counts)} in its turns "
            f"{[number + 1 for number, count in enumerate(counts) if count]}. Mend the record, or make its set again."
        )
    empty = [number + 1 for number, text in enumerate(texts) if not text.strip()]
    if empty:
        raise MMLLMError(f"Record {record}: turn {empty[0]} is empty. Mend the record, or make its set again.")
    path = row["image"].removeprefix(f"{row['dataset']}/")
    return Conversation(
        record, row["sample_id"], row["dataset"], path, tuple(zip(texts[::2], texts[1::2], strict=True))
    )


def hold_out(
    conversations: Iterable[Conversation], share: float, seed: int
) -> tuple[list[Conversation], list[Conversation]]:
    """Return what is trained on and what is held out: a seeded `share` of the pictures, with all their records."""
    kept: list[Conversation] = []
    held_out: list[Conversation] = []
    for conversation in conversations:
        (held_out if _draw(conversation.sample_id, seed) < share else kept).append(conversation)
    return kept, held_out


def _draw(sample_id: str, seed: int) -> float:
    digest = hashlib.blake2b(f"{seed}/{sample_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
