"""How far a long step has come, for whoever wants to know: a terminal, a log, a test."""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar


@dataclass(frozen=True)
class Progress:
    """One report of a long step."""

    done: int
    total: int
    rate: float  # items a second since the step began
    seconds_left: float | None  # None while nothing is done yet
    detail: str = ""  # what else people want to see beside it, such as dollars so far


Report = Callable[[Progress], None]


class Meter:
    """Counts what is done and reports it with its rate."""

    def __init__(self, total: int, report: Report | None, clock: Callable[[], float] = time.monotonic) -> None:
        """Start the clock; `report` may be None, then nothing is reported."""
        self.total = total
        self.done = 0
        self._report = report
        self._clock = clock
        self._start = clock()
        self._detail = ""

    @property
    def seconds(self) -> float:
        """Seconds since the step began."""
        return self._clock() - self._start

    @property
    def rate(self) -> float:
        """Items a second since the step began; 0 while none is done."""
        return self.done / self.seconds if self.done and self.seconds > 0 else 0.0

    def advance(self, items: int, detail: str | None = None) -> None:
        """Count `items` more as done and report; `detail` replaces what was told beside it."""
        self.done += items
        self._detail = self._detail if detail is None else detail
        self._tell()

    def finish(self, total: int) -> None:
        """Say that all is done, and how much that was."""
        self.done = self.total = total
        self._tell()

    def _tell(self) -> None:
        if self._report is not None:
            rate = self.rate
            left = (self.total - self.done) / rate if rate and self.total >= self.done else None
            self._report(Progress(self.done, self.total, rate, left, self._detail))


@contextlib.contextmanager
def terminal_progress(description: str, unit: str = "pictures", console: Console | None = None) -> Iterator[Report]:
    """Draw a bar with count, rate and time left; give the function to report to."""
    with terminal_bars(description, console) as bar_of:
        yield bar_of(unit)


@contextlib.contextmanager
def terminal_bars(description: str, console: Console | None = None) -> Iterator[Callable[[str], Report]]:
    """Draw bars one below the other, one for each unit that is asked for; give what returns a unit's report."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]:.0f} {task.fields[unit]}/s"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[detail]}"),
    )
    with Bar(*columns, console=console or Console(stderr=True)) as bars:
        tasks: dict[str, TaskID] = {}

        def bar_of(unit: str) -> Report:
            if unit not in tasks:
                tasks[unit] = bars.add_task(description, total=None, rate=0.0, unit=unit, detail="")

            def report(progress: Progress) -> None:
                bars.update(
                    tasks[unit],
                    completed=progress.done,
                    total=progress.total,
                    rate=progress.rate,
                    detail=progress.detail,
                )

            return report

        yield bar_of
