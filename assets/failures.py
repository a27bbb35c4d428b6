"""The library's errors as Dagster failures: one message for people, no retries of what no retry can mend."""

import contextlib
from collections.abc import Iterator

import dagster as dg

from tinyemo_data.errors import TinyEmoError


@contextlib.contextmanager
def failures_for_people() -> Iterator[None]:
    """Turn a TinyEmoError inside the block into a `dagster.Failure` with the same message."""
    try:
        yield
    except TinyEmoError as exc:
        raise dg.Failure(f"{type(exc).__name__}: {exc}", allow_retries=False) from exc
