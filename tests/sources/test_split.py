import hashlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyemo_data.errors import SettingsError
from tinyemo_data.sources.split import FRACTIONS, assign_split, draw

IDS = [f"fi/emotion_dataset/awe/{number}" for number in range(20_000)]


def test_assign_split_shares_out_near_the_fractions() -> None:
    found = [assign_split(sample_id, 0) for sample_id in IDS]
    for split, fraction in FRACTIONS.items():
        error = math.sqrt(fraction * (1 - fraction) / len(IDS))
        assert abs(found.count(split) / len(IDS) - fraction) < 4 * error


def test_assign_split_follows_the_written_down_formula() -> None:
    key = hashlib.blake2b(b"7", digest_size=16).digest()
    value = int(hashlib.blake2b(b"fi/a", digest_size=8, key=key).hexdigest(), 16) / 2**64
    expected = "train" if value < 0.7 else "validation" if value < 0.8 else "test"
    assert assign_split("fi/a", 7) == expected
    assert draw("fi/a", 7) == pytest.approx(value)


@given(st.text(max_size=30), st.integers())
def test_assign_split_is_a_pure_function_of_id_and_seed(sample_id: str, seed: int) -> None:
    assert assign_split(sample_id, seed) == assign_split(sample_id, seed)
    assert 0 <= draw(sample_id, seed) < 1


def test_assign_split_differs_between_seeds() -> None:
    first = [assign_split(sample_id, 0) for sample_id in IDS[:2_000]]
    second = [assign_split(sample_id, 1) for sample_id in IDS[:2_000]]
    agreement = sum(a == b for a, b in zip(first, second, strict=True)) / 2_000
    assert 0.48 < agreement < 0.60  # by chance .7² + .1² + .2² = .54


def test_assign_split_moves_a_sample_only_into_a_part_that_grew() -> None:
    wider = {"train": 0.8, "validation": 0.1, "test": 0.1}
    assert all(
        assign_split(sample_id, 0, wider) == "train"
        for sample_id in IDS[:2_000]
        if assign_split(sample_id, 0) == "train"
    )


@pytest.mark.parametrize(
    "fractions",
    [{"train": 0.7, "test": 0.2}, {"train": 0.5, "dev": 0.5}, {"train": 1.5, "test": -0.5}, {}],
    ids=["sums-to-0.9", "unknown-split", "negative", "empty"],
)
def test_assign_split_refuses_fractions_that_share_out_no_whole(fractions: dict[str, float]) -> None:
    with pytest.raises(SettingsError, match="Split fractions"):
        assign_split("fi/a", 0, fractions)


def test_assign_split_uses_one_part_alone_when_it_is_the_whole() -> None:
    assert {assign_split(sample_id, 0, {"test": 1.0}) for sample_id in IDS[:200]} == {"test"}
