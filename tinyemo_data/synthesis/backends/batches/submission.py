"""Submitting: what is open leaves in batches, never twice, whatever is killed or lost on the way."""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

import anthropic
import orjson

from tinyemo_data.errors import BudgetError, SynthesisError
from tinyemo_data.progress import Meter, Report
from tinyemo_data.synthesis.backends.batches.batch import UNDER_WAY, Batch, Enclosed, batches_in
from tinyemo_data.synthesis.backends.batches.canary import Canaries, Online, Prompt, prompt_of
from tinyemo_data.synthesis.backends.batches.creation import QueueFullError, create_batch
from tinyemo_data.synthesis.backends.batches.entry import Entry, encode_all
from tinyemo_data.synthesis.backends.batches.packing import Limits, Pack, pack_all
from tinyemo_data.synthesis.backends.batches.search import settle_doubts
from tinyemo_data.synthesis.backends.batches.service import BatchService
from tinyemo_data.synthesis.budget import Budget, wall_reached
from tinyemo_data.synthesis.failures import SendingError
from tinyemo_data.synthesis.ledger import Ledger
from tinyemo_data.synthesis.outgoing import Outgoing
from tinyemo_data.synthesis.pricing import price_of


@dataclass
class SubmitReport:
    """What submitting came to."""

    batches: list[str] = field(default_factory=list)  # ids, of batches made or found now
    requests: int = 0  # in those
    settled: int = 0  # that need no batch: answered, failed, or under way already
    held_back: int = 0  # open, but enough batches are under way: submit again when one has been collected
    canaries: int = 0  # asked online, at the full price
    pictures_gone: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)  # for people


def submit(
    outgoing: Iterable[Sequence[Outgoing]],
    ledger: Ledger,
    budget: Budget,
    client: anthropic.Anthropic,
    *,
    online: Online | None = None,
    unpriced: bool = False,
    limits: Limits | None = None,
    report: Report | None = None,
) -> SubmitReport:
    """Put what is open into batches and send them; returns when the last one is made, not when it is answered.

    The caller holds `lock.sole_sender`, and had better `collect` first. `online` makes a backend for canaries, one a
    call; None: no canaries. An unfinished business of an earlier process is settled before anything is sent, which may
    take `limits.patience_seconds`.

    Raises BudgetError at the wall, after what fits was sent; StoppedError where the service takes no batch, or no
    request of some prompt (the other prompts are sent first); SynthesisError where it fails too often, and
    StillDoubtfulError where the outcome of a creation can't be learnt. All of it can be run again.
    """
    try:
        return _Submission(ledger, budget, client, online, unpriced, limits or Limits(), report).run(outgoing)
    except SendingError as exc:
        raise SynthesisError(
            f"The batch service can't be reached or fails: {exc}. What was sent waits there; run the same again."
        ) from exc


class _Submission:
    """One run."""

    def __init__(
        self,
        ledger: Ledger,
        budget: Budget,
        client: anthropic.Anthropic,
        online: Online | None,
        unpriced: bool,
        limits: Limits,
        report: Report | None,
    ) -> None:
        self._ledger, self._budget, self._limits, self._unpriced = ledger, budget, limits, unpriced
        self._service = BatchService(client)
        self._canaries = Canaries(ledger, budget, online, unpriced)
        self._meter = Meter(0, report)
        self._packed: set[str] = set()  # digests that are reserved for and not yet in the ledger's batches
        self._is_full = False
        self._refused: dict[Prompt, SynthesisError] = {}
        self._wall: BudgetError | None = None
        self.result = SubmitReport()

    def run(self, outgoing: Iterable[Sequence[Outgoing]]) -> SubmitReport:
        for finding in settle_doubts(self._ledger, self._service, self._budget, self._limits.patience_seconds):
            self._note_made(finding.batch)
        self._check_room()
        for pack in pack_all(self._affordable(outgoing), self._ledger.path.parent, self._limits):
            with contextlib.closing(pack):
                self._send(pack)
        self.result.canaries = self._canaries.sent
        self.result.notes += self._canaries.notes
        if self._wall is not None:
            raise self._wall
        if self._refused:
            raise next(iter(self._refused.values()))
        return self.result

    def _affordable(self, outgoing: Iterable[Sequence[Outgoing]]) -> Iterator[tuple[Enclosed, bytes]]:
        """Yield what goes into batches, each reserved for."""
        for part in outgoing:
            fresh = self._open_of(part)
            entries = encode_all(fresh, self._limits.threads)
            for at, _ in enumerate(fresh):
                if self._is_full or self._wall is not None:
                    self.result.held_back += len(fresh) - at
                    break
                entry = next(entries)
                enclosed = self._admit(entry, islice(fresh, at, None))
                if enclosed is not None and entry.content is not None:
                    yield enclosed, entry.content

    def _open_of(self, part: Sequence[Outgoing]) -> list[Outgoing]:
        by_digest = {one.digest: one for one in part}
        still_open = [digest for digest in self._ledger.open_of(list(by_digest)) if digest not in self._packed]
        self._ledger.plan((digest, by_digest[digest].canonical) for digest in still_open)
        self.result.settled += len(part) - len(still_open)
        self._meter.total += len(part)
        self._meter.advance(len(part) - len(still_open))
        return [by_digest[digest] for digest in still_open]

    def _admit(self, entry: Entry, following: Iterable[Outgoing]) -> Enclosed | None:
        """Reserve for one request; None where it goes into no batch now."""
        digest = entry.one.digest
        if digest in self._packed:
            return None
        if entry.content is None:
            self.result.pictures_gone.append(entry.flaw)
            return None
        if not self._is_sound(entry, following):
            return None
        bound = price_of(entry.body["model"], self._unpriced).bound(entry.body, len(entry.one.canonical), batch=True)
        if not self._budget.reserve(bound):
            self._reach_wall(wall_reached(self._budget, self.result.settled, self._meter.total, bound))
            return None
        self._packed.add(digest)
        return Enclosed(digest, entry.body["model"], bound)

    def _is_sound(self, entry: Entry, following: Iterable[Outgoing]) -> bool:
        """Tell whether a request may go into a batch; asks a canary where its prompt is new, which may be itself."""
        prompt = prompt_of(entry.body)
        if prompt in self._refused:
            return False
        if self._canaries.is_sound(prompt):
            return True
        try:
            self._packed |= self._canaries.ask(prompt, _of_prompt(prompt, following))
        except BudgetError as exc:
            self._reach_wall(exc)
        except SynthesisError as exc:
            self._refused[prompt] = exc
        else:
            return entry.one.digest not in self._packed
        return False

    def _reach_wall(self, error: BudgetError) -> None:
        self._wall = error
        self.result.held_back += 1

    def _send(self, pack: Pack) -> None:
        """Make one batch of a pack, or put it back where enough are under way."""
        if self._is_full:
            self._budget.settle(sum(one.reserved_usd for one in pack.enclosed), 0.0)
            self.result.held_back += len(pack)
            return
        try:
            batch = create_batch(self._ledger, self._service, self._budget, pack, self._limits)
        except QueueFullError as exc:
            self._is_full = True
            self.result.held_back += len(pack)
            self.result.notes.append(str(exc))
            return
        finally:
            # From here on the ledger knows whether they are open.
            self._packed.difference_update(one.digest for one in pack.enclosed)
        self._note_made(batch)
        self._check_room()

    def _note_made(self, batch: Batch) -> None:
        if batch.batch_id is None:
            self.result.notes.append(_undecided(batch))
            return
        self.result.batches.append(batch.batch_id)
        self.result.requests += batch.requests
        self._meter.advance(batch.requests, f"{len(self.result.batches)} batches")

    def _check_room(self) -> None:
        self._is_full = len(batches_in(self._ledger, *UNDER_WAY)) >= self._limits.under_way


def _of_prompt(prompt: Prompt, outgoing: Iterable[Outgoing]) -> Iterator[Outgoing]:
    return (one for one in outgoing if prompt_of(orjson.loads(one.canonical)) == prompt)


def _undecided(batch: Batch) -> str:
    return (
        f"Batch {batch.number} ({batch.requests:,} requests, meant to be made {batch.intended_at}) may be any of "
        "several batches of as many requests. Its own wait until one of these has ended and can be looked into."
    )
