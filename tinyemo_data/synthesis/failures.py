"""How a sending can fail, told apart by what follows from it; and the policy of trying again.

A backend translates its client's exceptions into these at its door. Transient failures are tried again by `tenacity`;
a failure that is the request's own is written down and skipped; what would fail for every request stops the run.
"""

import random
from typing import Any

import tenacity

from tinyemo_data.errors import SynthesisError

GIVE_UP_AFTER = 8  # failures that are no rate limit
LIMITED_FOR = 3600.0  # seconds a request may go on being refused for the rate alone
FIRST_WAIT, LONGEST_WAIT = 0.5, 60.0  # seconds
JITTER = 0.25  # of a wait that the service asked for


class SendingError(Exception):
    """One sending failed; a backend raises one of the kinds below."""


class TransientError(SendingError):
    """It may go well another time: a busy or failing service, a lost connection."""

    def __init__(self, what: str, retry_after: float | None = None, maybe_billed: bool = False) -> None:
        """Say what happened; `retry_after` is in seconds; `maybe_billed` where the outcome is unknown."""
        super().__init__(what)
        self.retry_after = retry_after
        self.maybe_billed = maybe_billed


class RateLimitedError(TransientError):
    """The service has had too many requests of late: nothing was billed."""


class OwnFaultError(SendingError):
    """The service will never take this request: asking again would not help."""


class StoppedError(SynthesisError):
    """No request will be taken until somebody mends something: a key, a permission, a spending limit."""


def policy(**hooks: Any) -> tenacity.AsyncRetrying:
    """Return the policy of one request: waits as asked (with jitter), else exponential; gives up in the end."""
    return tenacity.AsyncRetrying(
        retry=tenacity.retry_if_exception_type(TransientError), wait=_wait, stop=_stop, reraise=True, **hooks
    )


def _wait(state: tenacity.RetryCallState) -> float:
    failure = state.outcome.exception() if state.outcome else None
    asked = failure.retry_after if isinstance(failure, TransientError) else None
    if asked is not None:
        return float(asked * (1 + random.uniform(0, JITTER)))
    return _PACED(state) if isinstance(failure, RateLimitedError) else _EXPONENTIAL(state)


# The pace of the whole run follows the service; a single request need only not be in the next burst.
_PACED = tenacity.wait_random_exponential(multiplier=0.25, max=2.0)
_EXPONENTIAL = tenacity.wait_random_exponential(multiplier=FIRST_WAIT, max=LONGEST_WAIT)


def _stop(state: tenacity.RetryCallState) -> bool:
    failure = state.outcome.exception() if state.outcome else None
    if isinstance(failure, RateLimitedError):
        return (state.seconds_since_start or 0.0) > LIMITED_FOR
    # Refusals for the rate are no failures of the request: each state counts the others alone.
    others = getattr(state, "others", 0) + 1
    setattr(state, "others", others)  # noqa: B010
    return others >= GIVE_UP_AFTER
