from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyemo_data.audit.interpretability import nearest
from tinyemo_data.audit.interpretability.nearest import Rows, count_above, highest, nearest_rows


def cut(rows: Rows, size: int) -> Iterator[tuple[int, Rows]]:
    for start in range(0, len(rows), size):
        yield start, rows[start : start + size]


@st.composite
def cases(draw: st.DrawFn) -> tuple[Rows, Rows, int, int]:
    """Queries and rows of eighths, whose products are exact in float32 and often equal; block size and count."""
    shape = st.tuples(st.integers(1, 9), st.integers(1, 40))
    queries, rows = draw(shape)
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    parts: list[Rows] = [(rng.integers(-4, 5, (n, 3)) / 8).astype(np.float32) for n in (queries, rows)]
    return parts[0], parts[1], draw(st.integers(1, 45)), draw(st.integers(1, 12))


@given(case=cases(), at_once=st.integers(1, 10))
def test_nearest_rows_gives_what_sorting_all_scores_gives_whatever_the_blocks(
    case: tuple[Rows, Rows, int, int], at_once: int
) -> None:
    queries, rows, size, count = case
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nearest, "QUERIES_AT_ONCE", at_once)
        numbers, scores = nearest_rows(queries, cut(rows, size), count)
    whole = np.round((queries @ rows.T).astype(np.float64), nearest.DIGITS)
    expected = np.argsort(-whole, axis=1, kind="stable")[:, :count]
    assert numbers.tolist() == expected.tolist()
    assert scores == pytest.approx(np.take_along_axis(whole, expected, axis=1), abs=1e-9)


@given(case=cases())
def test_highest_and_count_above_are_those_of_all_scores(case: tuple[Rows, Rows, int, int]) -> None:
    queries, rows, size, _ = case
    whole = (queries @ rows.T).astype(np.float64)
    assert highest(queries, cut(rows, size)) == pytest.approx(whole.max(axis=1), abs=1e-5)
    limits = np.median(whole, axis=1)
    assert count_above(queries, cut(rows, size), limits).tolist() == (whole > limits[:, None]).sum(axis=1).tolist()
