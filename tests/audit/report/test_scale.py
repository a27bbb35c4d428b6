"""Axes in per cent: whatever the values, ticks lie within, and order is kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyemo_data.audit.report.scale import scale_over
from tinyemo_data.audit.report.words import interval, plural, signed, small

VALUES = st.lists(st.floats(-1e6, 1e6), max_size=20)


@given(values=VALUES, count=st.integers(2, 8))
def test_ticks_are_few_round_and_within_the_axis(values: list[float], count: int) -> None:
    scale = scale_over(values)
    ticks = scale.ticks(count)
    assert 1 <= len(ticks) <= count + 1
    assert all(scale.low <= tick <= scale.high for tick in ticks)
    assert 0 in ticks


@given(values=VALUES)
def test_positions_keep_the_order_of_values(values: list[float]) -> None:
    scale = scale_over(values, 5, 95)
    places = [scale.at(value) for value in sorted(values)]
    assert places == sorted(places)
    assert all(5 <= place <= 95 for place in places)


@pytest.mark.parametrize(
    ("value", "text"), [(0.4, "+0.40"), (-1.234, "−1.23"), (-0.001, "+0.00"), (None, "–")], ids=str
)
def test_signed_numbers_read_well(value: float | None, text: str) -> None:
    assert signed(value) == text


def test_other_words_read_well() -> None:
    assert interval(-1, 2) == "−1.00 to +2.00"
    assert interval(None, 2) == ""
    assert (small(0.0001), small(0.04), small(None)) == ("< 0.001", "0.040", "–")
    assert (plural(1, "pair"), plural(2000, "pair"), plural(2, "body", "bodies")) == (
        "1 pair",
        "2,000 pairs",
        "2 bodies",
    )
