"""The order of an epoch depends on seed and epoch alone, holds every record, and groups lengths."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyemo_data.mm_llm.order import EpochOrder, padding_share


@settings(deadline=None)
@given(
    count=st.integers(1, 300), update=st.integers(1, 40), seed=st.integers(0, 9), epoch=st.integers(0, 5),
    grouped=st.booleans(),
)  # fmt: skip
def test_epoch_holds_every_record_in_whole_updates(
    count: int, update: int, seed: int, epoch: int, grouped: bool
) -> None:
    order = EpochOrder(np.arange(1, count + 1), update, seed, grouped)
    found = order.order(epoch)
    assert len(found) == len(order) == -(-count // update) * update
    counts = np.bincount(found, minlength=count)
    assert counts.min() >= 1
    assert counts.max() - counts.min() <= 1
    assert np.array_equal(found, EpochOrder(np.arange(1, count + 1), update, seed, grouped).order(epoch))
    assert order.tokens_by_update(epoch).sum() == (found + 1).sum()


def test_epochs_and_seeds_differ() -> None:
    lengths = np.random.default_rng(0).integers(50, 500, 400)
    order = EpochOrder(lengths, 16, 0, True)
    assert not np.array_equal(order.order(0), order.order(1))
    assert not np.array_equal(order.order(0), EpochOrder(lengths, 16, 1, True).order(0))
    order.set_epoch(1)
    assert list(order) == order.order(1).tolist()


def test_grouping_by_length_saves_padding_without_sorting_the_epoch() -> None:
    lengths = np.random.default_rng(0).lognormal(5, 0.6, 4000).astype(np.int64) + 1
    grouped, mixed = (EpochOrder(lengths, 32, 0, flag).order(0) for flag in (True, False))
    assert padding_share(lengths, grouped, 32) < 0.1 < 0.4 < padding_share(lengths, mixed, 32)
    means = lengths[grouped].reshape(-1, 32).mean(axis=1)
    assert abs(np.corrcoef(np.arange(len(means)), means)[0, 1]) < 0.3
