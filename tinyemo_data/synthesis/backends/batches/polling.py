"""Looking at batches from afar: for a sensor, for cancelling, and for giving up."""

import anthropic

from tinyemo_data.errors import SynthesisError
from tinyemo_data.synthesis.backends.batches.batch import NAME, UNDER_WAY, Batch, batches_in, get_batch, requests_of
from tinyemo_data.synthesis.backends.batches.intent import AT_ONCE, write_collected, write_seen
from tinyemo_data.synthesis.backends.batches.seen import ENDED, Seen
from tinyemo_data.synthesis.backends.batches.service import BatchGoneError, BatchService, patiently
from tinyemo_data.synthesis.backends.batches.state import GONE, BatchState, state_of
from tinyemo_data.synthesis.failures import SendingError
from tinyemo_data.synthesis.ledger import Ledger, Settlement


def poll(ledger: Ledger, client: anthropic.Anthropic) -> list[BatchState]:
    """Look once at each batch that is not collected; nothing is held, waited for or tried again.

    A look that fails gives the state before, with its `trouble`. Raises StoppedError where the key is refused.
    """
    service = BatchService(client)
    return [_poll_one(ledger, service, batch) for batch in batches_in(ledger, *UNDER_WAY)]


def _poll_one(ledger: Ledger, service: BatchService, batch: Batch) -> BatchState:
    if batch.batch_id is None:
        # Whether it was made is for those to find out who hold the lock: it may be on its way this moment.
        return state_of(batch)
    try:
        seen = service.look(batch.batch_id)
    except BatchGoneError as exc:
        return state_of(batch, GONE, str(exc))
    except SendingError as exc:
        return state_of(batch, trouble=str(exc))
    return _write(ledger, batch, seen)


def cancel_all(ledger: Ledger, client: anthropic.Anthropic) -> list[BatchState]:
    """Ask for the end of all batches under way; what is done by then is kept, paid, and waits to be collected."""
    service = BatchService(client)
    return [
        _cancel(ledger, service, batch, batch.batch_id)
        for batch in batches_in(ledger, "created")
        if batch.batch_id is not None
    ]


def _cancel(ledger: Ledger, service: BatchService, batch: Batch, batch_id: str) -> BatchState:
    try:
        seen = patiently()(service.look, batch_id)
        if seen.status != ENDED:
            seen = patiently()(service.cancel, batch_id)
    except BatchGoneError as exc:
        return state_of(batch, GONE, str(exc))
    except SendingError as exc:
        return state_of(batch, trouble=str(exc))
    return _write(ledger, batch, seen)


def _write(ledger: Ledger, batch: Batch, seen: Seen) -> BatchState:
    write_seen(ledger, batch, seen)
    return state_of(get_batch(ledger, batch.number))


def abandon(ledger: Ledger, batch_id: str) -> int:
    """Give up a batch whose results can't be had; return how many requests are open again.

    What they may have cost stays at risk. Raises SynthesisError where no such batch waits to be collected.
    """
    found = [batch for batch in batches_in(ledger, "created") if batch.batch_id == batch_id]
    if not found:
        raise SynthesisError(f"{ledger.path}: no batch {batch_id} waits to be collected; nothing was given up.")
    waiting = [digest for digest, _, _, waits in requests_of(ledger, found[0]) if waits]
    for start in range(0, len(waiting), AT_ONCE):
        part = waiting[start : start + AT_ONCE]
        ledger.settle([Settlement(digest, "unknown", 0.0, NAME, detail="batch given up") for digest in part])
    write_collected(ledger, found[0], [], state="abandoned")
    return len(waiting)
