"""What an import of a released set found: counts, each fault with the first records that have it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from tinyemo_data.synthesis.export.released.faults import FAULTS

EXAMPLES = 5  # of each fault


@dataclass
class ReleasedReport:
    """What an import found; written as `instruct/<set>/import.json`."""

    name: str
    records: int = 0  # that the file holds
    accepted: int = 0
    rejected: int = 0
    pictures: int = 0  # that accepted records are about
    pictures_without_all_tasks: int = 0  # of a pretraining set: not one caption, one VQA and one SQA record
    tasks: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)  # fault -> the first records that have it

    def count(self, fault: str, record_id: str | None, found: str = "") -> None:
        """Count a fault of the record at hand, and keep it while there are few."""
        self.faults[fault] += 1
        if self.faults[fault] <= EXAMPLES:
            named = f" ({record_id})" if record_id else ""
            self.examples.setdefault(fault, []).append(f"record {self.records}{named}{found and f': {found}'}")

    def lines(self) -> Iterator[str]:
        """Yield the report for people, a fault a line."""
        yield f"{self.name}: {self.records} records, {self.accepted} accepted, {self.rejected} rejected; " + ", ".join(
            f"{task} {count}" for task, count in sorted(self.tasks.items())
        )
        for fault, what in FAULTS.items():
            if self.faults[fault]:
                yield f"{fault}: {self.faults[fault]} {what.treatment}: {what.what}; {self.examples[fault][0]}"
