"""Making a batch once: posted again only where it is sure that nothing came of it."""

import tenacity

from tinyemo_data.errors import SynthesisError
from tinyemo_data.synthesis.backends.batches.batch import Batch, get_batch
from tinyemo_data.synthesis.backends.batches.intent import void, write_created, write_intent, write_posted
from tinyemo_data.synthesis.backends.batches.packing import Limits, Pack
from tinyemo_data.synthesis.backends.batches.search import search
from tinyemo_data.synthesis.backends.batches.service import BatchService, DoubtfulError, patiently
from tinyemo_data.synthesis.budget import Budget
from tinyemo_data.synthesis.failures import (
    GIVE_UP_AFTER,
    OwnFaultError,
    RateLimitedError,
    SendingError,
    StoppedError,
    TransientError,
)
from tinyemo_data.synthesis.ledger import Ledger

QUEUE_SECONDS = 120.0  # for which a full queue is waited for; then the rest is for another day
FINAL_SECONDS = 5.0  # after the service itself said that it failed, for the list to show what it made all the same


class QueueFullError(SynthesisError):
    """The service takes no more batches at present; nothing was made of this one."""


def create_batch(ledger: Ledger, service: BatchService, budget: Budget, pack: Pack, limits: Limits) -> Batch:
    """Make one batch of a pack whose requests are reserved for.

    Returns it in state `created`, or `posted` where several batches may be it. Where none was made, its requests are
    open again, and QueueFullError, StoppedError (the service refuses it) or SynthesisError (it fails too often) is
    raised. Raises StillDoubtfulError where nobody knows: the next run settles that.
    """
    pack.seal()
    before = patiently()(service.newest)
    batch = write_intent(ledger, pack.enclosed, pack.size, before)

    def attempt() -> Batch:
        try:
            content = pack.content(lambda: write_posted(ledger, batch))
            return write_created(ledger, batch, service.create(content, pack.size), found=False)
        except DoubtfulError as exc:
            if get_batch(ledger, batch.number).state == "intended":
                raise TransientError(str(exc)) from exc
            patience = min(FINAL_SECONDS, limits.patience_seconds) if exc.final else limits.patience_seconds
            finding = search(ledger, service, batch, patience)
            if finding.absent:
                raise TransientError(str(exc)) from exc
            return finding.batch

    try:
        return patiently().copy(stop=_stop)(attempt)
    except (SendingError, StoppedError) as exc:
        budget.settle(void(ledger, batch, str(exc)[:200]), 0.0)
        raise _for_people(batch, exc) from exc


def _stop(state: tenacity.RetryCallState) -> bool:
    failure = state.outcome.exception() if state.outcome else None
    if isinstance(failure, RateLimitedError):
        return (state.seconds_since_start or 0.0) > QUEUE_SECONDS
    return state.attempt_number >= GIVE_UP_AFTER


def _for_people(batch: Batch, failure: Exception) -> SynthesisError:
    size = f"a batch of {batch.requests:,} requests ({batch.bytes / 1e6:,.0f} MB)"
    if isinstance(failure, StoppedError):
        return failure
    if isinstance(failure, RateLimitedError):
        return QueueFullError(f"The service takes no further batch at present: {failure}.")
    if isinstance(failure, OwnFaultError):
        return StoppedError(
            f"The service refuses {size} as a whole: {failure}. None was made and nothing was billed; mend what it "
            "says and run the same again."
        )
    return SynthesisError(
        f"The service fails to make {size}: {failure}, after {GIVE_UP_AFTER} attempts. None was made; run the same "
        "again when it is well."
    )
