"""How faults and latencies are written down, and when they fall."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tinyemo_data.synthesis.rehearsal.faults import Faults
from tinyemo_data.synthesis.rehearsal.when import draw


def met(plan: object, count: int = 12, **more: object) -> list[int]:
    faults = Faults.model_validate({"overloaded": plan, **more})
    return [number for number in range(1, count + 1) if faults.meet("overloaded", number)]


@pytest.mark.parametrize(
    ("plan", "numbers"),
    [
        ("nth:3,7", [3, 7]),
        ("every:5", [5, 10]),
        ("from:10", [10, 11, 12]),
        ("0", []),
        (0, []),
        ("1", list(range(1, 13))),
        ({"nth": [2], "every": 6}, [2, 6, 12]),
    ],
    ids=str,
)
def test_a_plan_names_requests(plan: object, numbers: list[int]) -> None:
    assert met(plan) == numbers


@given(share=st.floats(0.05, 0.95), seed=st.integers(0, 1_000))
def test_a_share_falls_on_about_that_many_and_always_on_the_same(share: float, seed: int) -> None:
    found = met(share, 400, seed=seed)
    assert abs(len(found) / 400 - share) < 0.15
    assert found == met(share, 400, seed=seed)


def test_two_faults_of_one_share_do_not_fall_together() -> None:
    faults = Faults(overloaded=0.5, rate_limited=0.5)
    both = [faults.meet("overloaded", n) and faults.meet("rate_limited", n) for n in range(400)]
    assert 60 < sum(both) < 140


@given(seed=st.integers(), name=st.text(), key=st.integers() | st.text())
def test_what_is_drawn_is_from_zero_to_one(seed: int, name: str, key: int | str) -> None:
    assert 0 <= draw(seed, name, key) < 1


@pytest.mark.parametrize(
    "value", ["nth", "nth:", "nth:a", "every:2,3", "often", "1.5", -0.1, "last:3", True, None, [1]], ids=str
)
def test_a_plan_that_is_none_is_refused(value: object) -> None:
    with pytest.raises(ValidationError):
        Faults.model_validate({"overloaded": value})


@pytest.mark.parametrize(
    ("latency", "low", "high"),
    [("0.2", 0.2, 0.2), (0.3, 0.3, 0.3), ("0.1-0.4", 0.1, 0.4), ("lognormal:0.2,0.5", 0.02, 2.0), (0, 0, 0)],
)
def test_a_latency_is_fixed_or_spread(latency: object, low: float, high: float) -> None:
    faults = Faults.model_validate({"latency": latency})
    delays = [faults.delay(number) for number in range(300)]
    assert low <= min(delays) <= max(delays) <= high
    assert (len(set(delays)) > 100) == (low != high)
    assert sorted(delays)[150] == pytest.approx(0.25 if latency == "0.1-0.4" else min(max(low, 0.2), high), rel=0.15)


@pytest.mark.parametrize("latency", ["fast", "-1", "0.1-", "lognormal:1", -0.5], ids=str)
def test_a_latency_that_is_none_is_refused(latency: object) -> None:
    with pytest.raises(ValidationError):
        Faults.model_validate({"latency": latency})


def test_faults_survive_being_written_as_json() -> None:
    faults = Faults(latency="lognormal:1,0.5", refused="nth:3,4", thinking=0.25, spend_limit="contract")
    assert Faults.model_validate_json(faults.model_dump_json()) == faults
