"""How the ledger's schema grew: named steps, run once each, in order; scrolling down replays history."""

import sqlite3
from collections.abc import Callable

from tinyemo_data.errors import LedgerError

Migration = Callable[[sqlite3.Connection], None]
MIGRATIONS: list[Migration] = []


def migration(step: Migration) -> Migration:
    """Append a step to the history; its name is what the ledger remembers."""
    MIGRATIONS.append(step)
    return step


def migrate(connection: sqlite3.Connection, where: str) -> None:
    """Run the steps that this ledger has not had. Raises LedgerError where it had steps that are not known here."""
    connection.execute("CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY)")
    connection.execute("BEGIN IMMEDIATE")
    try:
        had = {name for (name,) in connection.execute("SELECT name FROM migrations")}
        unknown = sorted(had - {step.__name__ for step in MIGRATIONS})
        if unknown:
            raise LedgerError(
                f"{where} was written by a later version of tinyemo-data (it has {', '.join(unknown)}). "
                "Update this one; nothing was changed."
            )
        for step in MIGRATIONS:
            if step.__name__ not in had:
                step(connection)
                connection.execute("INSERT INTO migrations VALUES (?)", (step.__name__,))
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


@migration
def m001_requests_and_attempts(connection: sqlite3.Connection) -> None:
    """Make `requests`, one row a question, and `attempts`, append-only: what was risked and paid for it.

    What is long lies apart, in `questions` and `answers`: a change of state rewrites a row of a hundred bytes.
    """
    connection.execute("CREATE TABLE questions (digest TEXT PRIMARY KEY, canonical BLOB NOT NULL)")
    connection.execute("CREATE TABLE answers (digest TEXT PRIMARY KEY, raw BLOB NOT NULL)")
    connection.execute(
        """
        CREATE TABLE requests (
            digest TEXT PRIMARY KEY,
            state TEXT NOT NULL CHECK (state IN ('planned', 'submitted', 'answered', 'failed')),
            backend TEXT,
            model TEXT,
            batch_id TEXT,
            input_tokens INTEGER NOT NULL DEFAULT 0,
            output_tokens INTEGER NOT NULL DEFAULT 0,
            cache_write_tokens INTEGER NOT NULL DEFAULT 0,
            cache_read_tokens INTEGER NOT NULL DEFAULT 0,
            usd REAL NOT NULL DEFAULT 0,
            failure TEXT,
            planned_at TEXT NOT NULL,
            answered_at TEXT
        )
        """
    )
    # Dollars at risk are the sum of `reserved_usd`, dollars spent that of `usd`: rows are added, never changed.
    connection.execute(
        """
        CREATE TABLE attempts (
            id INTEGER PRIMARY KEY,
            digest TEXT NOT NULL,
            event TEXT NOT NULL CHECK (event IN ('sent', 'answered', 'released', 'unknown', 'failed')),
            reserved_usd REAL NOT NULL,
            usd REAL NOT NULL,
            backend TEXT NOT NULL,
            detail TEXT,
            at TEXT NOT NULL
        )
        """
    )
    connection.execute("CREATE INDEX attempts_of_a_request ON attempts (digest)")


@migration
def m002_message_batches(connection: sqlite3.Connection) -> None:
    """Make `batches` (what was meant to be made, is under way, was collected), their requests, strays and canaries."""
    # `intended`: its body has not left whole, so it can't have been made. `posted`: nobody knows before the reply.
    # `before_*` is the newest batch of the workspace when this one was meant to be made: what is listed above it is
    # younger, whatever the two clocks say. `not_ours`: batches that looked like this one and hold other requests.
    connection.execute(
        """
        CREATE TABLE batches (
            number INTEGER PRIMARY KEY,
            state TEXT NOT NULL CHECK (state IN ('intended', 'posted', 'created', 'collected', 'void', 'abandoned')),
            batch_id TEXT UNIQUE,
            found INTEGER NOT NULL DEFAULT 0,
            requests INTEGER NOT NULL,
            bytes INTEGER NOT NULL,
            reserved_usd REAL NOT NULL,
            before_id TEXT,
            before_created_at TEXT,
            not_ours TEXT NOT NULL DEFAULT '[]',
            seen BLOB,
            seen_at TEXT,
            intended_at TEXT NOT NULL,
            collected_at TEXT
        )
        """
    )
    connection.execute(
        """
        CREATE TABLE batch_requests (
            number INTEGER NOT NULL,
            digest TEXT NOT NULL,
            model TEXT NOT NULL,
            reserved_usd REAL NOT NULL,
            PRIMARY KEY (number, digest)
        ) WITHOUT ROWID
        """
    )
    connection.execute("CREATE TABLE batch_strays (number INTEGER NOT NULL, line BLOB NOT NULL, at TEXT NOT NULL)")
    connection.execute(
        "CREATE TABLE canaries (prompt TEXT PRIMARY KEY, digest TEXT NOT NULL, cached_tokens INTEGER NOT NULL, "
        "at TEXT NOT NULL)"
    )
