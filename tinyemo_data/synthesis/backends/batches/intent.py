"""Batches in the ledger: that one is meant to be made is on disk before it is made, and its id right after.

Between the two there is one more mark, written before the last bytes of its JSON leave: without them no batch can be
made, so what is only `intended` was surely not, and what is `posted` may have been.

A request's `batch_id` is `intent-<number>` from then until the service's own id is known, so that it is not open.
"""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import orjson

from tinyemo_data.errors import LedgerError
from tinyemo_data.synthesis.backends.batches.batch import (
    NAME,
    Batch,
    Enclosed,
    get_batch,
    intent_key,
    requests_of,
)
from tinyemo_data.synthesis.backends.batches.seen import Marker, Seen
from tinyemo_data.synthesis.ledger import Ledger, Settlement, timestamp

AT_ONCE = 2_000  # settlements a transaction


def write_intent(ledger: Ledger, enclosed: Sequence[Enclosed], size: int, before: Marker | None) -> Batch:
    """Write down, durably and in one transaction, that a batch of these requests is about to be made.

    Raises LedgerError where one of them is not open (another process sends without the lock).
    """
    now = timestamp()
    # In the order of their keys, so that each page of the tables is written once.
    ordered = sorted(enclosed, key=lambda one: one.digest)
    reserved = sum(one.reserved_usd for one in enclosed)
    with ledger.transaction() as connection:
        number = connection.execute(
            "INSERT INTO batches (state, requests, bytes, reserved_usd, before_id, before_created_at, intended_at) "
            "VALUES ('intended', ?, ?, ?, ?, ?, ?)",
            (len(enclosed), size, reserved, *((before.batch_id, before.created_at) if before else (None, None)), now),
        ).lastrowid
        assert number is not None
        connection.executemany(
            "INSERT INTO batch_requests (number, digest, model, reserved_usd) VALUES (?, ?, ?, ?)",
            ((number, one.digest, one.model, one.reserved_usd) for one in ordered),
        )
        connection.executemany(
            "INSERT INTO attempts (digest, event, reserved_usd, usd, backend, detail, at) "
            "VALUES (?, 'sent', ?, 0, ?, ?, ?)",
            ((one.digest, one.reserved_usd, NAME, intent_key(number), now) for one in ordered),
        )
        taken = connection.executemany(
            "UPDATE requests SET state = 'submitted', batch_id = ? "
            "WHERE digest = ? AND (state = 'planned' OR (state = 'submitted' AND batch_id IS NULL))",
            ((intent_key(number), one.digest) for one in ordered),
        ).rowcount
        if taken != len(enclosed):
            raise LedgerError(
                f"{ledger.path}: {len(enclosed) - taken} of {len(enclosed)} requests of a batch are no longer open: "
                "another process asks for the same ledger. Let it end, and run the same again; nothing was sent."
            )
    _sync(ledger.path)
    return get_batch(ledger, number)


def write_posted(ledger: Ledger, batch: Batch) -> None:
    """Write down, durably, that the last bytes of a batch's JSON are about to leave."""
    with ledger.transaction() as connection:
        connection.execute("UPDATE batches SET state = 'posted' WHERE number = ?", (batch.number,))
    _sync(ledger.path)


def write_created(ledger: Ledger, batch: Batch, seen: Seen, found: bool) -> Batch:
    """Write down the id that an intended batch turned out to have."""
    with ledger.transaction() as connection:
        connection.execute(
            "UPDATE batches SET state = 'created', batch_id = ?, found = ?, seen = ?, seen_at = ? WHERE number = ?",
            (seen.batch_id, found, seen.raw, timestamp(), batch.number),
        )
        connection.execute(
            "UPDATE requests SET batch_id = ? WHERE batch_id = ? "
            "AND digest IN (SELECT digest FROM batch_requests WHERE number = ?)",
            (seen.batch_id, intent_key(batch.number), batch.number),
        )
    _sync(ledger.path)
    return get_batch(ledger, batch.number)


def write_not_ours(ledger: Ledger, batch: Batch, batch_id: str) -> Batch:
    """Write down that a batch holds other requests than this intent's; what it was taken for is in doubt again."""
    others = orjson.dumps(sorted({*batch.not_ours, batch_id})).decode()
    with ledger.transaction() as connection:
        connection.execute(
            "UPDATE batches SET state = 'posted', batch_id = NULL, found = 0, seen = NULL, not_ours = ? "
            "WHERE number = ?",
            (others, batch.number),
        )
        connection.execute(
            "UPDATE requests SET batch_id = ? WHERE batch_id = ? "
            "AND digest IN (SELECT digest FROM batch_requests WHERE number = ?)",
            (intent_key(batch.number), batch_id, batch.number),
        )
    return get_batch(ledger, batch.number)


def write_seen(ledger: Ledger, batch: Batch, seen: Seen) -> None:
    """Write down a look at a batch."""
    with ledger.transaction() as connection:
        connection.execute(
            "UPDATE batches SET seen = ?, seen_at = ? WHERE number = ?", (seen.raw, timestamp(), batch.number)
        )


def write_collected(ledger: Ledger, batch: Batch, strays: Iterable[bytes], state: str = "collected") -> None:
    """Close a batch; requests of it that have no outcome are open again, and what they may cost stays at risk."""
    now = timestamp()
    with ledger.transaction() as connection:
        connection.executemany(
            "INSERT INTO batch_strays (number, line, at) VALUES (?, ?, ?)",
            ((batch.number, line, now) for line in strays),
        )
        connection.execute(
            "UPDATE requests SET state = 'planned', batch_id = NULL WHERE batch_id = ? AND state = 'submitted' "
            "AND digest IN (SELECT digest FROM batch_requests WHERE number = ?)",
            (batch.key, batch.number),
        )
        connection.execute(
            "UPDATE batches SET state = ?, collected_at = ? WHERE number = ?", (state, now, batch.number)
        )


def void(ledger: Ledger, batch: Batch, why: str) -> float:
    """Give up an intent of which surely no batch was made: its requests are open again and cost nothing.

    Returns the dollars that are no longer at risk. Where this is cut short, what is left is given up next time.
    """
    waiting = [(digest, usd) for digest, _, usd, is_waiting in requests_of(ledger, batch) if is_waiting]
    for start in range(0, len(waiting), AT_ONCE):
        part = waiting[start : start + AT_ONCE]
        ledger.settle([Settlement(digest, "released", usd, NAME, detail=why) for digest, usd in part])
    with ledger.transaction() as connection:
        connection.execute("UPDATE batches SET state = 'void' WHERE number = ?", (batch.number,))
    return sum(usd for _, usd in waiting)


def _sync(path: Path) -> None:
    """Make the last transaction outlive a power cut too: a batch that nobody remembers would be paid twice.

    Source: SQLite, "Write-Ahead Logging": a transaction is durable when the log that it was appended to is synced.
    """
    for name in (f"{path}-wal", os.fspath(path)):
        try:
            descriptor = os.open(name, os.O_RDONLY)
        except FileNotFoundError:
            continue
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
