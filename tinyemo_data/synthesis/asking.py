"""Asking a set's questions through whichever backend its recipe names, within one budget a ledger."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import orjson

from tinyemo_data.errors import BudgetError, PriceError, SettingsError, SynthesisError
from tinyemo_data.progress import Report
from tinyemo_data.settings import SynthesisSettings
from tinyemo_data.synthesis.backends.online import OnlineBackend
from tinyemo_data.synthesis.budget import Budget
from tinyemo_data.synthesis.engine import TOLD, Asker, AskReport
from tinyemo_data.synthesis.ledger import Ledger, timestamp
from tinyemo_data.synthesis.outgoing import Outgoing
from tinyemo_data.synthesis.recipe import Recipe

if TYPE_CHECKING:
    from tinyemo_data.synthesis.backends.batches import CollectReport

CANARY_SLOTS = 2


@dataclass
class Asked:
    """What asking a set came to, over all its waves, and all rounds of waiting for batches."""

    began: str = field(default_factory=timestamp)
    answered: int = 0
    cached: int = 0  # drafts whose question was answered, or given up for good, before this began
    refused: dict[str, int] = field(default_factory=dict)
    given_up: dict[str, int] = field(default_factory=dict)
    retries: dict[str, int] = field(default_factory=dict)
    pictures_gone: int = 0
    first_gone: list[str] = field(default_factory=list)
    spent_usd: float = 0.0
    seconds: float = 0.0
    under_way: int = 0  # requests in batches that are not collected
    batches: str = ""  # those batches, for people
    lost: set[str] = field(default_factory=set)  # ids of those whose results the service no longer has
    notes: list[str] = field(default_factory=list)
    stopped: str = ""  # why asking ended before all was asked: the budget

    def add(self, report: AskReport) -> None:
        """Count one wave."""
        self.answered += report.answered
        _count(self.refused, report.refused)
        _count(self.given_up, report.given_up)
        _count(self.retries, report.retries)
        self.meet_gone(report.pictures_gone, report.first_gone)
        self.spent_usd += report.spent_usd
        self.seconds += report.seconds

    def add_collected(self, collected: "CollectReport") -> None:
        """Count what batches brought; what they did not answer is asked again at once."""
        self.answered += collected.answered
        _count(self.refused, collected.failed)
        _count(self.retries, collected.released)
        self.lost |= set(collected.gone_ids)
        self.note(collected.gone)

    def meet_gone(self, count: int, first: Sequence[str]) -> None:
        """Hear of pictures that are gone; a later wave meets those of the earlier ones again."""
        if count > self.pictures_gone:
            self.pictures_gone, self.first_gone = count, list(first[:TOLD])

    def note(self, lines: Iterable[str]) -> None:
        """Keep what people should read, each line once."""
        self.notes += [line for line in lines if line not in self.notes]


def _count(mine: dict[str, int], theirs: Mapping[str, int]) -> None:
    for kind, count in theirs.items():
        mine[kind] = mine.get(kind, 0) + count


def takes_unpriced(settings: SynthesisSettings, recipe: Recipe) -> bool:
    """Tell whether a model without a price is taken as free: on a server of one's own, never where it is billed."""
    return settings.unpriced and recipe.backend == "openai_compatible"


def budget_of(ledger: Ledger, settings: SynthesisSettings, recipe: Recipe) -> Budget:
    """Return the budget as the ledger's history leaves it; what costs nothing has no wall."""
    accounts = ledger.accounts()
    wall = None if recipe.backend == "rules" else settings.budget_usd
    return Budget(wall, accounts.spent_usd, accounts.at_risk_usd)


def open_backend(settings: SynthesisSettings, recipe: Recipe, concurrency: int) -> OnlineBackend:
    """Return the backend that answers this recipe online. Raises StoppedError where its key is missing."""
    if recipe.backend == "rules":
        from tinyemo_data.synthesis.backends.offline import Rules

        return Rules()
    if recipe.backend == "openai_compatible":
        from tinyemo_data.synthesis.backends.openai_compatible import OpenAICompatible

        if not settings.base_url:
            raise SettingsError("synthesis.base_url is empty: openai_compatible needs the server's address.")
        return OpenAICompatible(settings.base_url, concurrency)
    from tinyemo_data.synthesis.backends.anthropic_messages import AnthropicMessages

    return AnthropicMessages(concurrency)


def ask_online(
    chunks: Iterable[Sequence[Outgoing]],
    total: int,
    ledger: Ledger,
    settings: SynthesisSettings,
    recipe: Recipe,
    asked: Asked,
    report: Report | None,
) -> None:
    """Ask and wait for every answer; the budget's wall is noted in `asked`, not raised: what was bought is rendered."""
    asked.stopped = ""
    uncollected = _collect_first(ledger, settings, recipe, asked, report)
    asker = Asker(
        ledger,
        open_backend(settings, recipe, settings.concurrency),
        budget_of(ledger, settings, recipe),
        settings.concurrency,
        unpriced=takes_unpriced(settings, recipe),
        report=report,
    )
    try:
        asker.run(_counted(chunks, ledger, asked), total)
    except BudgetError as exc:
        asked.stopped = str(exc)
    finally:
        asked.add(asker.result)
    if asked.under_way:
        _tell_of_batches(ledger, asked, uncollected)


def _collect_first(
    ledger: Ledger, settings: SynthesisSettings, recipe: Recipe, asked: Asked, report: Report | None
) -> str:
    """Collect what was asked in batches before the set was switched to single messages; return why it can't be."""
    if recipe.backend != "anthropic":
        return ""  # the questions name the model: no other backend's are in a batch
    from tinyemo_data.synthesis.backends import batches

    if not batches.states(ledger):
        return ""
    before = ledger.accounts().spent_usd
    try:
        client = batches.open_batches_client()
        asked.add_collected(batches.collect(ledger, client, budget_of(ledger, settings, recipe), report=report))
    except (SynthesisError, PriceError) as exc:
        return str(exc)
    finally:
        asked.spent_usd += ledger.accounts().spent_usd - before
    return ""


def _tell_of_batches(ledger: Ledger, asked: Asked, uncollected: str) -> None:
    from tinyemo_data.synthesis.backends import batches

    asked.batches = batches.describe(batches.states(ledger))
    trouble = f" Collecting failed now: {uncollected}" if uncollected else ""
    asked.note(
        [
            f"{asked.under_way:,} requests of this set are in message batches that are not collected, and are not "
            "asked a second time. `tinyemo batches` says when they have ended; with ANTHROPIC_API_KEY set, run the "
            f"same again then: it collects them first.{trouble}"
        ]
    )


def ask_in_batches(
    chunks: Iterable[Sequence[Outgoing]],
    ledger: Ledger,
    settings: SynthesisSettings,
    recipe: Recipe,
    asked: Asked,
    report: Report | None,
) -> None:
    """Collect what has ended, submit what is open, and leave; nothing waits here for a batch."""
    from tinyemo_data.synthesis.backends import batches

    asked.stopped = ""
    before = ledger.accounts().spent_usd
    client = batches.open_batches_client()
    budget = budget_of(ledger, settings, recipe)
    asked.add_collected(batches.collect(ledger, client, budget, report=report))
    try:
        submitted = batches.submit(
            _counted(chunks, ledger, asked),
            ledger,
            budget,
            client,
            online=lambda: open_backend(settings, recipe, CANARY_SLOTS),
            report=report,
        )
        asked.note(submitted.notes)
        asked.answered += submitted.canaries
        asked.meet_gone(len(submitted.pictures_gone), submitted.pictures_gone)
    except BudgetError as exc:
        asked.stopped = str(exc)
    states = batches.states(ledger)
    asked.under_way = sum(state.requests for state in states)
    asked.batches = batches.describe(states) if states else ""
    asked.spent_usd += ledger.accounts().spent_usd - before


def _counted(chunks: Iterable[Sequence[Outgoing]], ledger: Ledger, asked: Asked) -> Iterator[Sequence[Outgoing]]:
    """Pass the chunks on, counting whose question was settled before this began, and whose is in a batch.

    A later wave meets what the earlier ones asked again, so that the counts are those of the wave that asks most.
    """
    cached = asked.under_way = 0
    for chunk in chunks:
        settled, in_batches = _look_up(ledger, chunk, asked.began)
        cached += settled
        asked.cached = max(asked.cached, cached)
        asked.under_way += in_batches
        yield chunk


def _look_up(ledger: Ledger, chunk: Sequence[Outgoing], began: str) -> tuple[int, int]:
    digests = orjson.dumps([one.digest for one in chunk]).decode()
    with ledger.transaction() as connection:
        settled, in_batches = connection.execute(
            "SELECT coalesce(sum(r.state = 'answered' AND r.answered_at < ? OR r.state = 'failed' AND NOT EXISTS "
            "(SELECT 1 FROM attempts AS a WHERE a.digest = r.digest AND a.event = 'failed' AND a.at >= ?)), 0), "
            "count(DISTINCT CASE WHEN r.state = 'submitted' AND r.batch_id IS NOT NULL THEN r.digest END) "
            "FROM json_each(?) AS j JOIN requests AS r ON r.digest = j.value",
            (began, began, digests),
        ).fetchone()
    return settled, in_batches
