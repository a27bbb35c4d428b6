"""How many threads the audit's linear algebra is worth."""

import contextlib
from collections.abc import Iterator

from threadpoolctl import threadpool_limits

WORTH_THREADS = 128  # columns of the design


@contextlib.contextmanager
def threads_for(columns: int) -> Iterator[None]:
    """Compute products of so few columns on one thread.

    Their threads would mostly wait for each other, on a busy machine ten times as long as the products take.
    """
    if columns >= WORTH_THREADS:
        yield
        return
    with threadpool_limits(1, user_api="blas"):
        yield
