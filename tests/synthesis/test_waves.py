from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from tinyemo_data.synthesis.waves import Key, Waves

KEYS: list[Key] = [("joy", "hq/reasoning"), ("fear", "hq/reasoning"), (None, "pretrain/caption")]


@given(
    st.integers(1, 20),
    st.dictionaries(st.sampled_from(KEYS), st.integers(0, 60), min_size=1),
    st.integers(0, 2**32),
)
def test_waves_end_with_enough_or_with_an_empty_pool(wanted: int, pool: dict[Key, int], chance: int) -> None:
    # Draft n of a key is accepted or not once and for all, as replies in a ledger are.
    def accepted(waves: Waves) -> Counter[Key]:
        return Counter({key: sum(hash((chance, key, n)) % 3 == 0 for n in range(waves.asked[key])) for key in pool})

    waves = Waves(wanted, pool)
    added, rounds = waves.first_wave(), 0
    assert added == sum(min(wanted, count) for count in pool.values())
    while waves.next_wave(accepted(waves)):
        rounds += 1
        assert rounds <= sum(pool.values())
    for key, count in pool.items():
        assert accepted(waves)[key] >= wanted or waves.asked[key] == count
        assert waves.asked[key] <= count
    assert set(waves.short(accepted(waves))) == {key for key in pool if accepted(waves)[key] < wanted}


def test_a_wave_asks_as_many_as_the_accepted_share_says() -> None:
    waves = Waves(10, {KEYS[0]: 1_000})
    waves.first_wave()
    assert waves.next_wave({KEYS[0]: 5}) == 10


def test_no_more_is_asked_when_all_were_accepted() -> None:
    waves = Waves(10, {KEYS[0]: 1_000})
    waves.first_wave()
    assert waves.next_wave({KEYS[0]: 10}) == 0
