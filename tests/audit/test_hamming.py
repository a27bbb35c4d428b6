import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyemo_data.audit import hamming
from tinyemo_data.audit.hamming import pairs_within, parse_hashes
from tinyemo_data.errors import TableError


def pairs_by_loops(hashes: list[int], radius: int) -> list[tuple[int, int]]:
    return [
        (i, j)
        for i in range(len(hashes))
        for j in range(i + 1, len(hashes))
        if (hashes[i] ^ hashes[j]).bit_count() <= radius
    ]


def found_pairs(hashes: list[int], radius: int) -> list[tuple[int, int]]:
    bands = pairs_within(np.array(hashes, dtype=np.uint64), radius)
    return [pair for first, second in bands for pair in zip(first.tolist(), second.tolist(), strict=True)]


# Few distinct words and flips of single bits: pairs at every small distance, and equal ones.
near_hashes = st.lists(
    st.builds(
        lambda word, flips: word ^ sum(1 << flip for flip in flips),
        st.sampled_from([0, 2**64 - 1, 0x0123456789ABCDEF]),
        st.sets(st.integers(0, 63), max_size=20),
    ),
    max_size=60,
)


@given(near_hashes, st.integers(0, 64))
def test_pairs_within_equals_the_double_loop_over_python_integers(hashes: list[int], radius: int) -> None:
    assert sorted(found_pairs(hashes, radius)) == pairs_by_loops(hashes, radius)


@given(near_hashes, st.integers(0, 20))
def test_pairs_within_is_the_same_whatever_the_blocks(hashes: list[int], radius: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hamming, "ROWS", 3)
        patch.setattr(hamming, "COLUMNS", 5)
        patch.setattr(hamming, "BAND", 7)
        assert sorted(found_pairs(hashes, radius)) == pairs_by_loops(hashes, radius)


def test_pairs_within_gives_each_pair_once_when_bands_and_columns_overlap() -> None:
    count = hamming.BAND + 100
    pairs = found_pairs([7] * 5 + list(range(1 << 40, (1 << 40) + count)), 0)
    assert pairs == pairs_by_loops([7] * 5, 0)


def test_pairs_within_holds_no_more_than_its_blocks_when_hashes_are_many() -> None:
    hashes = np.random.default_rng(0).integers(0, 2**64, 20_000, dtype=np.uint64)
    tracemalloc.start()
    found = sum(len(first) for first, _ in pairs_within(hashes, 8))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found == 0
    assert peak < 20e6  # all pairs at a byte each would be 400 MB


def test_pairs_within_reports_every_row_when_asked() -> None:
    done: list[int] = []
    hashes = np.arange(hamming.BAND * 2, dtype=np.uint64) << np.uint64(40)
    assert len(list(pairs_within(hashes, 0, done.append))) == 2
    assert sum(done) == len(hashes)


def test_parse_hashes_reads_the_most_significant_digit_first() -> None:
    assert parse_hashes(["00000000000000ff", "8000000000000000"]).tolist() == [255, 2**63]
    assert parse_hashes([]).shape == (0,)


@pytest.mark.parametrize(
    ("text", "found"),
    [("12", "2 digits"), ("zzzzzzzzzzzzzzzz", "not hexadecimal"), ("12345678 90abcde", "blanks|hexadecimal")],
    ids=["short", "letters", "blank"],
)
def test_parse_hashes_names_what_is_wrong_when_a_hash_is_none(text: str, found: str) -> None:
    with pytest.raises(TableError, match=found):
        parse_hashes(["0123456789abcdef", text])
