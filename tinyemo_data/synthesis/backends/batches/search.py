"""Was the batch made? An intent without an id is looked for in the service's list before anything is sent again.

What is younger than the intent is told by the list's own order, so that no clock matters. A batch of as many requests
is taken for ours; where it has ended, one of its results is read and proves it, else that is done when it is
collected. Of several such batches none is taken before one of them has ended and can prove itself.
"""

import logging
import time
from dataclasses import dataclass

import orjson

from tinyemo_data.errors import SynthesisError
from tinyemo_data.synthesis.backends.batches.batch import IN_DOUBT, Batch, batches_in, holds, known_ids
from tinyemo_data.synthesis.backends.batches.intent import void, write_created, write_not_ours
from tinyemo_data.synthesis.backends.batches.seen import ENDED, Seen
from tinyemo_data.synthesis.backends.batches.service import BatchGoneError, BatchService, patiently
from tinyemo_data.synthesis.budget import Budget
from tinyemo_data.synthesis.failures import SendingError
from tinyemo_data.synthesis.ledger import Ledger

FIRST_WAIT = 0.5  # seconds between two looks; doubled each time
LONG = 30.0  # seconds that people want to be told of

log = logging.getLogger(__name__)


class StillDoubtfulError(SynthesisError):
    """Nobody knows whether a batch was made, and the service can't be asked: its requests wait."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of an intent: its batch (state created), or nothing surely, or it is not known yet."""

    batch: Batch
    absent: bool  # surely: it may be made again
    candidates: int  # batches that may be it, where it is not known yet

    @property
    def is_found(self) -> bool:
        """Tell whether the batch was found."""
        return self.batch.state == "created"


def search(ledger: Ledger, service: BatchService, batch: Batch, patience: float) -> Finding:
    """Look for the batch that an intent may have become, for `patience` seconds; write down what is found.

    Call it only when no process can be posting that batch any more. Raises StillDoubtfulError where the list can't be
    read.
    """
    began, wait = time.monotonic(), FIRST_WAIT
    while True:
        # The last look must come after all of the patience.
        is_last = time.monotonic() - began >= patience
        try:
            candidates = patiently()(_candidates, ledger, service, batch)
        except (SendingError, SynthesisError) as exc:
            raise StillDoubtfulError(
                f"Whether batch {batch.number} ({batch.requests:,} requests, meant to be made {batch.intended_at}) was "
                f"made is not known, and the service can't be asked ({exc}). Its requests wait: run the same again."
            ) from exc
        finding = _judge(ledger, batch, candidates)
        if finding.is_found or finding.candidates:
            return finding
        if is_last:
            return Finding(finding.batch, absent=patience > 0, candidates=0)
        if patience >= LONG and wait == FIRST_WAIT:
            log.warning(
                "The reply to the creation of batch %d (%d requests) was lost and the service does not list it: it is "
                "looked for during %.0f s before it is made again, so that nothing is paid twice.",
                *(batch.number, batch.requests, patience),
            )
        time.sleep(max(0.0, min(wait, began + patience - time.monotonic())))
        wait *= 2


def _judge(ledger: Ledger, batch: Batch, candidates: list[tuple[Seen, bool | None]]) -> Finding:
    """Take the batch that is proven to be ours, or the only one that may be."""
    for seen, is_ours in candidates:
        if is_ours is False:
            batch = write_not_ours(ledger, batch, seen.batch_id)
    proven = [seen for seen, is_ours in candidates if is_ours]
    possible = [seen for seen, is_ours in candidates if is_ours is None]
    if proven or len(possible) == 1:
        return Finding(write_created(ledger, batch, (proven or possible)[0], found=True), False, 0)
    return Finding(batch, False, len(possible))


def _candidates(ledger: Ledger, service: BatchService, batch: Batch) -> list[tuple[Seen, bool | None]]:
    """Return the batches that may be it, each with whether it is, where that can be told."""
    excluded = known_ids(ledger) | set(batch.not_ours)
    return [
        (seen, _proof(ledger, service, batch, seen))
        for seen in service.made_since(batch.before)
        if seen.total == batch.requests and seen.batch_id not in excluded
    ]


def _proof(ledger: Ledger, service: BatchService, batch: Batch, seen: Seen) -> bool | None:
    """Tell by a result's custom_id whether a batch is ours: nobody else could know a digest of ours."""
    if seen.status != ENDED:
        return None
    try:
        for line in service.results(seen.batch_id):
            return holds(ledger, batch, str(orjson.loads(line)["custom_id"]))
    except (BatchGoneError, orjson.JSONDecodeError, KeyError, TypeError):
        return None
    return None


def settle_doubts(ledger: Ledger, service: BatchService, budget: Budget, patience: float) -> list[Finding]:
    """Learn what became of the intents of processes that are no more; those that came to nothing are given up.

    Returns what is found, and what is not known yet. Raises StillDoubtfulError.
    """
    findings = []
    for batch in batches_in(ledger, *IN_DOUBT):
        finding = Finding(batch, True, 0) if batch.state == "intended" else search(ledger, service, batch, patience)
        if finding.absent:
            budget.settle(void(ledger, finding.batch, "no batch was made"), 0.0)
        else:
            findings.append(finding)
    return findings
