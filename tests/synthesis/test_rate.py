import random

import pytest

from tinyemo_data.synthesis.rate import LIMIT, RateControl


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Service:
    """A bucket that refills continuously: what one may hope for is `rate` requests a second."""

    def __init__(self, rate: float, burst: float) -> None:
        self.rate, self.level, self.burst, self.at = rate, burst, burst, 0.0

    def takes(self, now: float) -> bool:
        self.level = min(self.burst, self.level + (now - self.at) * self.rate)
        self.at = now
        if self.level < 1:
            return False
        self.level -= 1
        return True


def send(control: RateControl, clock: Clock, takes: object, seconds: float, eager: float) -> tuple[int, int]:
    """Send as `control` allows, at most `eager` requests a second; return taken and refused."""
    taken = refused = 0
    while clock.now < seconds:
        clock.now += max(control.seconds_left(), 1 / eager)
        control.leave()
        if takes(clock.now):  # type: ignore[operator]
            taken += 1
            control.took({})
        else:
            refused += 1
            control.refused()
    return taken, refused


def test_pace_comes_within_5_percent_of_a_limit_that_nobody_told() -> None:
    clock = Clock()
    taken, _ = send(RateControl(clock), clock, Service(rate=66.7, burst=10).takes, seconds=60, eager=1_280)
    assert taken == pytest.approx(66.7 * 60 + 10, rel=0.05)


def test_pace_follows_a_limit_that_is_raised() -> None:
    clock = Clock()
    control, service = RateControl(clock), Service(rate=20, burst=5)
    send(control, clock, service.takes, seconds=30, eager=500)
    service.rate = 60
    taken, _ = send(control, clock, service.takes, seconds=180, eager=500)
    assert taken / 150 > 40


def test_random_refusals_do_not_slow_the_rest_down() -> None:
    clock, dice = Clock(), random.Random(0)
    control = RateControl(clock)
    send(control, clock, lambda _: dice.random() > 0.1, seconds=30, eager=1_000)
    assert control.pace is None


def test_pace_is_the_limit_of_the_headers_when_they_tell_one() -> None:
    control = RateControl(Clock())
    control.took({LIMIT: "4000"})
    assert control.pace == pytest.approx(4000 / 60)


@pytest.mark.parametrize("said", ["", "many", "-5", "0"])
def test_pace_is_not_troubled_by_headers_that_say_nothing(said: str) -> None:
    control = RateControl(Clock())
    control.took({LIMIT: said})
    assert control.pace is None


def test_pace_recovers_within_seconds_from_an_outage() -> None:
    clock = Clock()
    control = RateControl(clock)
    taken, _ = send(control, clock, lambda now: not 10 < now < 13, seconds=10, eager=200)
    assert control.pace is None
    send(control, clock, lambda _: False, seconds=13, eager=200)
    taken, _ = send(control, clock, lambda _: True, seconds=43, eager=200)
    assert taken > 0.3 * 200 * 30
