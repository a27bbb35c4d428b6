"""Collecting: the results of ended batches become replies on disk, each once, wherever this is cut short."""

from collections import Counter
from dataclasses import dataclass, field

import anthropic

from tinyemo_data.errors import SynthesisError
from tinyemo_data.progress import Meter, Report
from tinyemo_data.synthesis.backends.batches.batch import NAME, Batch, batches_in, errors_of, requests_of
from tinyemo_data.synthesis.backends.batches.intent import AT_ONCE, write_collected, write_not_ours, write_seen
from tinyemo_data.synthesis.backends.batches.results import ERRORED
from tinyemo_data.synthesis.backends.batches.search import settle_doubts
from tinyemo_data.synthesis.backends.batches.seen import ENDED, Seen
from tinyemo_data.synthesis.backends.batches.service import BatchGoneError, BatchService, patiently
from tinyemo_data.synthesis.backends.batches.state import describe_gone
from tinyemo_data.synthesis.backends.batches.taking import Taking
from tinyemo_data.synthesis.budget import Budget
from tinyemo_data.synthesis.failures import SendingError, TransientError
from tinyemo_data.synthesis.ledger import Ledger, Settlement
from tinyemo_data.synthesis.pricing import Price, price_of

NOT_TOLD = "the results do not tell of it"


@dataclass
class CollectReport:
    """What collecting came to."""

    collected: list[str] = field(default_factory=list)  # ids of batches
    under_way: int = 0  # batches that have not ended, or are in doubt
    answered: int = 0
    failed: Counter[str] = field(default_factory=Counter)  # given up for good, by what the service said
    released: Counter[str] = field(default_factory=Counter)  # asked again next time: expired, canceled, or the error
    not_told: int = 0  # requests without a row: asked again next time, and still at risk
    strays: int = 0  # rows that belong to no request of their batch, or can't be read; kept aside in the ledger
    spent_usd: float = 0.0
    gone: list[str] = field(default_factory=list)  # for people: batches whose results are no longer kept
    gone_ids: list[str] = field(default_factory=list)  # of those


def collect(
    ledger: Ledger,
    client: anthropic.Anthropic,
    budget: Budget,
    *,
    unpriced: bool = False,
    report: Report | None = None,
) -> CollectReport:
    """Take in the results of all batches that have ended; the caller holds `lock.sole_sender`.

    Killed at any moment it is run again, and takes in what is missing. Raises StoppedError, or SynthesisError where the
    service goes on failing, after all other batches.
    """
    return _Collection(ledger, client, budget, unpriced, report).run()


class _Collection:
    """One run."""

    def __init__(
        self, ledger: Ledger, client: anthropic.Anthropic, budget: Budget, unpriced: bool, report: Report | None
    ) -> None:
        self._ledger, self._budget, self._unpriced = ledger, budget, unpriced
        self._service = BatchService(client)
        self._prices: dict[str, Price] = {}
        self._meter = Meter(0, report)
        self._failures: list[str] = []
        self.result = CollectReport()

    def run(self) -> CollectReport:
        for finding in settle_doubts(self._ledger, self._service, self._budget, patience=0):
            self.result.under_way += not finding.is_found
        for batch in batches_in(self._ledger, "created"):
            try:
                self._collect_if_ended(batch)
            except BatchGoneError:
                self.result.gone.append(describe_gone(batch))
                self.result.gone_ids.append(batch.key)
            except SendingError as exc:
                self._failures.append(f"{batch.batch_id}: {exc}")
        if self._failures:
            raise SynthesisError(
                f"{len(self._failures)} batches could not be collected, first {self._failures[0]}. What came is kept; "
                "run the same again when the service is well."
            )
        return self.result

    def _collect_if_ended(self, batch: Batch) -> None:
        assert batch.batch_id is not None  # it is created
        seen = patiently()(self._service.look, batch.batch_id)
        write_seen(self._ledger, batch, seen)
        if seen.archived_at is not None:
            raise BatchGoneError(f"the results of {batch.batch_id} were given up on {seen.archived_at}")
        if seen.status != ENDED:
            self.result.under_way += 1
            return
        self._meter.total += seen.total
        patiently()(self._take_in, batch, seen)

    def _take_in(self, batch: Batch, seen: Seen) -> None:
        """Read all rows; those that were taken in before are passed over. Raises TransientError where some lack."""
        errors = errors_of(self._ledger, batch, ERRORED)
        taking = Taking(seen.batch_id, requests_of(self._ledger, batch), self._price, errors)
        for line in self._service.results(seen.batch_id):
            taking.take(line)
            if len(taking.settlements) >= AT_ONCE:
                self._settle(taking)
        self._settle(taking)
        if taking.rows < seen.total:
            raise TransientError(f"{taking.rows:,} of the {seen.total:,} results of {seen.batch_id} came")
        if batch.found and not taking.known:
            # It was taken for ours by its count alone.
            write_not_ours(self._ledger, batch, seen.batch_id)
            self.result.under_way += 1
            return
        self._close(batch, seen, taking)

    def _settle(self, taking: Taking) -> None:
        settlements, taking.settlements = taking.settlements, []
        self._ledger.settle(settlements)
        for one in settlements:
            self._budget.settle(one.released_usd, one.usd)
            self.result.spent_usd += one.usd
            self.result.answered += one.event == "answered"
            if one.event in ("failed", "released"):
                tally = self.result.failed if one.event == "failed" else self.result.released
                tally[one.detail or ""] += 1
        self._meter.advance(len(settlements), f"${self.result.spent_usd:,.2f}")

    def _close(self, batch: Batch, seen: Seen, taking: Taking) -> None:
        missing = taking.waiting
        self._ledger.settle([Settlement(digest, "unknown", 0.0, NAME, detail=NOT_TOLD) for digest in missing])
        write_collected(self._ledger, batch, taking.kept_aside)
        self.result.collected.append(seen.batch_id)
        self.result.not_told += len(missing)
        self.result.strays += taking.strays

    def _price(self, model: str) -> Price:
        if model not in self._prices:
            self._prices[model] = price_of(model, self._unpriced)
        return self._prices[model]
