"""The request ledger: every reply that was paid for is on disk before anything else happens to it.

One SQLite file in WAL mode. A request is a row, found by its digest; `attempts` is append-only and says what each
sending put at risk and what it cost, so that the budget holds over kills and reruns. What a process had sent when it
was killed stays at risk: nobody knows whether it was billed.
"""

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import orjson

from tinyemo_data.errors import LedgerError
from tinyemo_data.synthesis.migrations import migrate
from tinyemo_data.synthesis.reply import Reply

BUSY_SECONDS = 60
REPLY_COLUMNS = (
    "r.digest, state, raw, input_tokens + cache_write_tokens + cache_read_tokens, output_tokens, usd, backend, model, "
    "batch_id, answered_at, failure"
)


REPLY_PARTS = (
    "backend",
    "model",
    "batch_id",
    "input_tokens",
    "output_tokens",
    "cache_write_tokens",
    "cache_read_tokens",
)


@dataclass(frozen=True, slots=True)
class StoredReply:
    """What the ledger knows of a request that was answered, or that can't be."""

    digest: str
    state: str  # planned, submitted, answered or failed
    raw: bytes | None  # the service's body, where it was answered
    input_tokens: int  # all of them, cached or not
    output_tokens: int
    usd: float
    backend: str | None
    model: str | None
    batch_id: str | None
    answered_at: str | None  # ISO 8601, UTC
    failure: str | None  # why it can't be answered


@dataclass(frozen=True, slots=True)
class Sent:
    """A request that is about to be sent, and the most that it can cost."""

    digest: str
    reserved_usd: float


@dataclass(frozen=True, slots=True)
class Accounts:
    """What a ledger has cost so far, and what may still be billed for what was sent."""

    spent_usd: float
    at_risk_usd: float
    states: dict[str, int]  # requests by state

    @property
    def committed_usd(self) -> float:
        """Return spent and at risk together: what a budget is compared with."""
        return self.spent_usd + self.at_risk_usd


class Ledger:
    """One ledger file. Its methods may be called from any thread; each call is one transaction."""

    def __init__(self, path: Path | str) -> None:
        """Open the ledger, or make it. Raises LedgerError where the file is none, or of a later version."""
        self.path = Path(path)
        self._lock = threading.RLock()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(
                self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            self._connection.execute("PRAGMA journal_mode = WAL")
            # A killed process loses nothing by this, a power cut at most the last moments.
            self._connection.execute("PRAGMA synchronous = NORMAL")
            migrate(self._connection, str(self.path))
        except (OSError, sqlite3.Error) as exc:
            raise LedgerError(
                f"{self.path} can't be opened as the request ledger ({exc}). It must be a file on a local disk that "
                "this user may write (setting `ledger`, TINYEMO_LEDGER); never delete one that has replies in it."
            ) from exc

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def __enter__(self) -> "Ledger":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def plan(self, requests: Iterable[tuple[str, bytes]]) -> None:
        """Write down requests (digest, canonical form) that are not there yet."""
        rows = [(digest, canonical.decode()) for digest, canonical in requests]
        values = _json(rows)
        with self.transaction() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO questions (digest, canonical) "
                f"SELECT {_column(0)}, CAST({_column(1)} AS BLOB) FROM json_each(?)",
                (values,),
            )
            connection.execute(
                "INSERT OR IGNORE INTO requests (digest, state, planned_at) "
                f"SELECT {_column(0)}, 'planned', ? FROM json_each(?)",
                (timestamp(), values),
            )

    def open_of(self, digests: Sequence[str]) -> list[str]:
        """Return which of these requests are neither answered nor failed nor in a batch, in their order."""
        found = self._select(
            "SELECT j.value FROM json_each(?) AS j LEFT JOIN requests AS r ON r.digest = j.value "
            "WHERE r.digest IS NULL OR r.state = 'planned' OR (r.state = 'submitted' AND r.batch_id IS NULL) "
            "ORDER BY j.key",
            digests,
        )
        return [digest for (digest,) in found]

    def replies(self, digests: Sequence[str]) -> dict[str, StoredReply]:
        """Return what is known of these requests, by digest; those that were never planned are left out."""
        found = self._select(
            f"SELECT {REPLY_COLUMNS} FROM json_each(?) AS j JOIN requests AS r ON r.digest = j.value "
            "LEFT JOIN answers AS a ON a.digest = r.digest",
            digests,
        )
        return {row[0]: StoredReply(*row) for row in found}

    def canonical(self, digest: str) -> bytes | None:
        """Return a request as it was asked, in canonical form; None where there is none of that digest."""
        found = self._select(
            "SELECT canonical FROM questions WHERE digest = (SELECT value FROM json_each(?))", [digest]
        )
        return found[0][0] if found else None

    def mark_sent(self, sent: Sequence[Sent], backend: str) -> None:
        """Write down, before they leave, that these requests are sent, and what is at risk with them."""
        rows = _json([(one.digest, one.reserved_usd) for one in sent])
        with self.transaction() as connection:
            connection.execute(
                "INSERT INTO attempts (digest, event, reserved_usd, usd, backend, at) "
                f"SELECT {_column(0)}, 'sent', {_column(1)}, 0, ?, ? FROM json_each(?)",
                (backend, timestamp(), rows),
            )
            connection.execute(
                f"UPDATE requests SET state = 'submitted' WHERE state = 'planned' AND digest IN ({_DIGESTS})", (rows,)
            )

    def settle(self, settlements: Sequence["Settlement"]) -> None:
        """Write down how sendings ended, in one transaction: replies first of all."""
        now = timestamp()
        with self.transaction() as connection:
            replies = [_answered(one.reply, one.usd) for one in settlements if one.reply is not None]
            if replies:
                _store_replies(connection, replies, now)
            connection.execute(
                "INSERT INTO attempts (digest, event, reserved_usd, usd, backend, detail, at) SELECT "
                + ", ".join(_column(place) for place in range(6))
                + ", ? FROM json_each(?)",
                (
                    now,
                    _json(
                        [
                            (one.digest, one.event, -one.released_usd, one.usd, one.backend, one.detail)
                            for one in settlements
                        ]
                    ),
                ),
            )
            for one in settlements:
                if one.event == "failed":
                    connection.execute(
                        "UPDATE requests SET state = 'failed', failure = ?, backend = ? "
                        "WHERE digest = ? AND state != 'answered'",
                        (one.detail, one.backend, one.digest),
                    )
                elif one.event == "released":
                    connection.execute(
                        "UPDATE requests SET state = 'planned', batch_id = NULL "
                        "WHERE digest = ? AND state = 'submitted'",
                        (one.digest,),
                    )

    def accounts(self) -> Accounts:
        """Return dollars spent and at risk over the ledger's life, and the requests by state."""
        with self._lock:
            ((spent, risk),) = self._connection.execute(
                "SELECT coalesce(sum(usd), 0), coalesce(sum(reserved_usd), 0) FROM attempts"
            ).fetchall()
            states = dict(self._connection.execute("SELECT state, count(*) FROM requests GROUP BY state").fetchall())
        # Sums of floats leave dust where all was settled.
        return Accounts(spent, max(0.0, round(risk, 9)), states)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Give the connection inside one transaction, committed at the end of the block."""
        with self._lock:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                yield self._connection
                self._connection.execute("COMMIT")
            except sqlite3.Error as exc:
                self._roll_back()
                raise LedgerError(
                    f"{self.path} can't be written ({exc}). Everything before is kept: make room on its disk, or end "
                    "the other process that holds it, and run the same again."
                ) from exc
            except BaseException:
                self._roll_back()
                raise

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def has_answers(self, system: str) -> bool:
        """Tell whether any request with this system text was ever answered: then its prompt is sound."""
        with self._lock:
            found = self._connection.execute(
                "SELECT 1 FROM answers AS a JOIN questions AS q ON q.digest = a.digest "
                "WHERE json_extract(CAST(canonical AS TEXT), '$.system') = ? LIMIT 1",
                (system,),
            ).fetchone()
        return found is not None

    def forget_failures(self) -> int:
        """Open again what was written off as failed, after a server's settings were mended; return how many."""
        with self.transaction() as connection:
            return connection.execute(
                "UPDATE requests SET state = 'planned', failure = NULL WHERE state = 'failed'"
            ).rowcount

    def _select(self, query: str, digests: Sequence[str]) -> list[tuple]:  # type: ignore[type-arg]
        with self._lock:
            return self._connection.execute(query, (orjson.dumps(list(digests)).decode(),)).fetchall()


@dataclass(frozen=True, slots=True)
class Settlement:
    """How one sending ended.

    `answered`: `reply` came and cost `usd`. `released`: it surely cost nothing and may be sent again. `unknown`: nobody
    knows whether it was billed, so its reservation stays (`released_usd` is 0). `failed`: the request itself is at
    fault, and asking again would not help.
    """

    digest: str
    event: str
    released_usd: float
    backend: str
    usd: float = 0.0
    reply: Reply | None = None
    detail: str | None = None


def timestamp() -> str:
    """Return now, in UTC, as ISO 8601 with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _answered(reply: Reply, usd: float) -> tuple[object, ...]:
    usage = reply.usage
    return (
        reply.digest,
        reply.raw.decode(),
        reply.backend,
        reply.model,
        reply.batch_id,
        usage.input_tokens,
        usage.output_tokens,
        usage.cache_write_tokens,
        usage.cache_read_tokens,
        usd,
    )


def _store_replies(connection: sqlite3.Connection, replies: list[tuple[object, ...]], now: str) -> None:
    rows = _json(replies)
    connection.execute(
        "INSERT OR IGNORE INTO answers (digest, raw) "
        f"SELECT {_column(0)}, CAST({_column(1)} AS BLOB) FROM json_each(?)",
        (rows,),
    )
    values = ", ".join(f"{name} = {_column(place)}" for place, name in enumerate(REPLY_PARTS, start=2))
    connection.execute(
        f"UPDATE requests SET {values}, usd = requests.usd + {_column(9)}, "
        "state = 'answered', failure = NULL, answered_at = ? FROM json_each(?) AS j "
        f"WHERE requests.digest = {_column(0)} AND requests.state != 'answered'",
        (now, rows),
    )


# Rows go in as one JSON text: SQLite reads it without Python's lock, so that the event loop is not held up.
_DIGESTS = "SELECT json_extract(value, '$[0]') FROM json_each(?)"


def _column(place: int) -> str:
    return f"json_extract(value, '$[{place}]')"


def _json(rows: Sequence[object]) -> str:
    return orjson.dumps(rows).decode()
