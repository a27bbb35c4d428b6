"""What the linter found in one file, and where."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tinyemo_data.synthesis.export.rulebook import RULES

KEPT = 20  # findings of one rule that are kept whole; all are counted


@dataclass(frozen=True)
class Finding:
    """One break of one rule."""

    rule: str
    file: str
    record: int | None  # its number in the file, from 1; None: the file as a whole
    id: str | None
    found: str

    def __str__(self) -> str:
        rule = RULES[self.rule]
        place = self.file if self.record is None else f"{self.file}, record {self.record}"
        named = f" ({self.id})" if self.id is not None else ""
        return (
            f"{place}{named}: {self.rule}: expected {rule.expected}; found {self.found}. "
            f"Otherwise {rule.otherwise}. {rule.mend}"
        )


@dataclass
class LintReport:
    """What was found in one file."""

    path: Path
    stage: int
    records: int = 0
    text_only: int = 0
    counts: Counter[str] = field(default_factory=Counter)  # rule -> how often it was broken
    findings: list[Finding] = field(default_factory=list)  # in the file's order, at most KEPT a rule

    @property
    def ok(self) -> bool:
        """Tell whether nothing was found."""
        return not self.counts

    def add(self, rule: str, found: str, record: int | None = None, record_id: str | None = None) -> None:
        """Count a break of `rule`, and keep it while there are few."""
        self.counts[rule] += 1
        if self.counts[rule] <= KEPT:
            self.findings.append(Finding(rule, str(self.path), record, record_id, found))

    def lines(self) -> Iterator[str]:
        """Yield the report for people: what was read, each finding, and how many more of its kind there are."""
        verdict = "nothing to mend" if self.ok else f"{self.counts.total()} to mend"
        yield f"{self.path}: stage {self.stage}, {self.records} records, {self.text_only} without picture: {verdict}"
        yield from map(str, self.findings)
        for rule, count in sorted(self.counts.items()):
            if count > KEPT:
                yield f"{self.path}: {rule}: {count - KEPT} more like this"
