"""Progress: what is done, how fast, and how long it will take."""

import io

import pytest
from rich.console import Console

from tinyemo_data.progress import Meter, Progress, terminal_progress


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_meter_reports_rate_and_time_left_since_it_began() -> None:
    clock, seen = Clock(), list[Progress]()
    meter = Meter(100, seen.append, clock)
    clock.now += 2
    meter.advance(10)
    clock.now += 2
    meter.advance(30)
    assert seen[0] == Progress(10, 100, 5.0, 18.0)
    assert seen[1] == Progress(40, 100, 10.0, 6.0)
    assert meter.seconds == pytest.approx(4)


def test_meter_knows_no_rate_before_anything_is_done() -> None:
    seen = list[Progress]()
    meter = Meter(5, seen.append, Clock())
    meter.advance(0)
    assert seen == [Progress(0, 5, 0.0, None)] and meter.rate == 0.0


def test_meter_without_a_listener_only_counts() -> None:
    meter = Meter(5, None)
    meter.advance(3)
    assert meter.done == 3


def test_terminal_progress_draws_count_rate_and_unit() -> None:
    screen = io.StringIO()
    with terminal_progress("features/fi", "pictures", Console(file=screen, force_terminal=True, width=100)) as report:
        report(Progress(7, 20, 12.4, 1.0))
    assert "features/fi" in screen.getvalue() and "7/20" in screen.getvalue()
    assert "12 pictures/s" in screen.getvalue()
