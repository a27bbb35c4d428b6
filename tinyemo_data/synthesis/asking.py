"""Asking a set's questions through whichever backend its recipe names, within one budget a ledger."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tinyemo_data.errors import BudgetError, SettingsError
from tinyemo_data.progress import Report
from tinyemo_data.settings import SynthesisSettings
from tinyemo_data.synthesis.backends.online import OnlineBackend
from tinyemo_data.synthesis.budget import Budget
from tinyemo_data.synthesis.engine import TOLD, Asker, AskReport
from tinyemo_data.synthesis.ledger import Ledger
from tinyemo_data.synthesis.outgoing import Outgoing
from tinyemo_data.synthesis.recipe import Recipe

CANARY_SLOTS = 2


@dataclass
class Asked:
    """What asking a set came to, over all its waves."""

    answered: int = 0
    cached: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    given_up: dict[str, int] = field(default_factory=dict)
    retries: dict[str, int] = field(default_factory=dict)
    pictures_gone: int = 0
    first_gone: list[str] = field(default_factory=list)
    spent_usd: float = 0.0
    seconds: float = 0.0
    under_way: int = 0  # requests in batches that are not collected
    batches: str = ""  # those batches, for people
    notes: list[str] = field(default_factory=list)
    stopped: str = ""  # why asking ended before all was asked: the budget

    def add(self, report: AskReport) -> None:
        """Count one wave."""
        self.answered += report.answered
        self.cached = report.cached
        for mine, theirs in (
            (self.refused, report.refused),
            (self.given_up, report.given_up),
            (self.retries, report.retries),
        ):
            for kind, count in theirs.items():
                mine[kind] = mine.get(kind, 0) + count
        self.pictures_gone += report.pictures_gone
        self.first_gone += report.first_gone
        self.spent_usd += report.spent_usd
        self.seconds += report.seconds


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
    asker = Asker(
        ledger,
        open_backend(settings, recipe, settings.concurrency),
        budget_of(ledger, settings, recipe),
        settings.concurrency,
        unpriced=settings.unpriced,
        report=report,
    )
    try:
        asker.run(chunks, total)
    except BudgetError as exc:
        asked.stopped = str(exc)
    finally:
        asked.add(asker.result)


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

    before = ledger.accounts().spent_usd
    client = batches.open_batches_client()
    budget = budget_of(ledger, settings, recipe)
    collected = batches.collect(ledger, client, budget, unpriced=settings.unpriced, report=report)
    try:
        submitted = batches.submit(
            chunks,
            ledger,
            budget,
            client,
            online=lambda: open_backend(settings, recipe, CANARY_SLOTS),
            unpriced=settings.unpriced,
            report=report,
        )
        asked.notes += submitted.notes
        asked.pictures_gone += len(submitted.pictures_gone)
        asked.first_gone += submitted.pictures_gone[:TOLD]
    except BudgetError as exc:
        asked.stopped = str(exc)
    states = batches.states(ledger)
    asked.answered += collected.answered
    asked.refused |= collected.failed
    asked.given_up |= collected.released
    asked.notes += collected.gone
    asked.under_way = sum(state.requests for state in states)
    asked.batches = batches.describe(states) if states else ""
    asked.spent_usd += ledger.accounts().spent_usd - before
