"""The funnel: how many drafts became how many records, and where the others were lost, in the order of the gates."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import polars as pl

from tinyemo_data.errors import StoreError
from tinyemo_data.store import Store
from tinyemo_data.synthesis.gates.registry import GATES
from tinyemo_data.synthesis.records import funnel_key

WAITING, SURPLUS, ACCEPTED = "waiting", "surplus", "accepted"
# Every draft, or record made of it, ends in one of these.
OUTCOMES = (WAITING, *(gate.name for gate in GATES), SURPLUS, ACCEPTED)
EXPLAINED = {
    WAITING: "drafts without a reply yet",
    SURPLUS: "records over the number that was asked for",
    ACCEPTED: "records that were written",
} | {gate.name: gate.keeps_out for gate in GATES}
NANO = 10**9


class Cell(NamedTuple):
    """What is counted together."""

    task: str  # <set>/<task>
    emotion: str | None
    outcome: str  # of OUTCOMES
    reason: str | None  # that a gate gave


class Stage(NamedTuple):
    """One step of the funnel: what came to it, and what it held back."""

    name: str
    explained: str
    entered: int
    held_back: int


@dataclass
class Funnel:
    """Counts of drafts and records by task, emotion, outcome and reason, and what they cost."""

    name: str  # of the set
    drafts: int = 0
    counts: Counter[Cell] = field(default_factory=Counter)
    nano_usd: Counter[Cell] = field(default_factory=Counter)  # integers: their sums know no order

    def add(self, rows: pl.DataFrame) -> None:
        """Count rows with the columns `prompt`, `emotion`, `outcome`, `reason` and `usd`."""
        nano = (pl.col("usd").fill_null(0) * NANO).round().cast(pl.Int64).sum()
        keys = ["prompt", "emotion", "outcome", "reason"]
        for *key, count, cost in rows.group_by(keys).agg(pl.len(), nano).iter_rows():
            self.counts[Cell(*key)] += count
            self.nano_usd[Cell(*key)] += cost

    def total(self, outcome: str | None = None, task: str | None = None, emotion: str | None = None) -> int:
        """Return how many ended so; None stands for any."""
        wanted = (outcome, task, emotion)
        return sum(
            count
            for cell, count in self.counts.items()
            if all(
                want in (None, has) for want, has in zip(wanted, (cell.outcome, cell.task, cell.emotion), strict=True)
            )
        )

    def usd(self, outcome: str | None = None) -> float:
        """Return what drafts and records that ended so cost, in dollars; None: all of them."""
        return sum(cost for cell, cost in self.nano_usd.items() if outcome in (None, cell.outcome)) / NANO

    def stages(self, task: str | None = None, emotion: str | None = None) -> list[Stage]:
        """Return the steps in their order; one reply can give two records, so a step may be entered by more."""
        ends = {outcome: self.total(outcome, task, emotion) for outcome in OUTCOMES}
        left = sum(ends.values())
        stages = []
        for outcome in OUTCOMES[:-1]:
            stages.append(Stage(outcome, EXPLAINED[outcome], left, ends[outcome]))
            left -= ends[outcome]
        return stages

    def accepted(self) -> dict[tuple[str | None, str], int]:
        """Return the number of records by emotion and task."""
        counts: Counter[tuple[str | None, str]] = Counter()
        for cell, count in self.counts.items():
            if cell.outcome == ACCEPTED:
                counts[cell.emotion, cell.task] += count
        return dict(sorted(counts.items(), key=lambda entry: (entry[0][0] or "", entry[0][1])))

    def reasons(self) -> dict[str, dict[str, int]]:
        """Return how often each gate gave each of its reasons, the commonest first."""
        found: dict[str, Counter[str]] = {gate.name: Counter() for gate in GATES}
        for cell, count in self.counts.items():
            if cell.reason is not None:
                found[cell.outcome][cell.reason] += count
        return {
            gate: dict(sorted(reasons.items(), key=lambda entry: (-entry[1], entry[0])))
            for gate, reasons in found.items()
            if reasons
        }

    def tasks(self) -> list[str]:
        """Return the tasks that were counted, sorted."""
        return sorted({cell.task for cell in self.counts})

    def emotions(self) -> list[str]:
        """Return the emotions that were counted, sorted."""
        return sorted({cell.emotion for cell in self.counts if cell.emotion is not None})

    def as_json(self) -> dict[str, Any]:
        """Return the counts, and for readers the stages, as JSON can hold them."""
        return {
            "set": self.name,
            "drafts": self.drafts,
            "accepted": self.total(ACCEPTED),
            "usd": {"all": self.usd(), ACCEPTED: self.usd(ACCEPTED)},
            "stages": [stage._asdict() for stage in self.stages()],
            "stages_by_task": {task: [s._asdict() for s in self.stages(task=task)] for task in self.tasks()},
            "stages_by_emotion": {
                emotion: [s._asdict() for s in self.stages(emotion=emotion)] for emotion in self.emotions()
            },
            "reasons": self.reasons(),
            "counts": [{**cell._asdict(), "count": n, "nano_usd": self.nano_usd[cell]} for cell, n in self._cells()],
        }

    def _cells(self) -> Iterator[tuple[Cell, int]]:
        def order(cell: Cell) -> tuple[str, str, int, str]:
            return cell.task, cell.emotion or "", OUTCOMES.index(cell.outcome), cell.reason or ""

        yield from ((cell, self.counts[cell]) for cell in sorted(self.counts, key=order))


def read_funnel(store: Store, name: str) -> Funnel:
    """Read a set's counts. Raises StoreError where there are none, or other ones than this version writes."""
    content: Mapping[str, Any] = store.read_json(funnel_key(name))
    try:
        funnel = Funnel(content["set"], content["drafts"])
        for row in content["counts"]:
            cell = Cell(row["task"], row["emotion"], row["outcome"], row["reason"])
            funnel.counts[cell], funnel.nano_usd[cell] = row["count"], row["nano_usd"]
    except (KeyError, TypeError) as exc:
        raise StoreError(
            f"{store.path(funnel_key(name))} holds no counts of this version ({exc!r} is missing). "
            "Materialize the set again."
        ) from exc
    return funnel
