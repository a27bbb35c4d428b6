"""Weights under which an accepted attribute says nothing about its emotion, and nothing else changes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyemo_data.audit.mitigation.weighing import Wanted, effective_share, weigh, weighted_odds_ratio
from tinyemo_data.errors import AuditError

EMOTIONS = ("anger", "fear", "joy")


def drawn(seed: int, rows: int = 600, width: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Labels, and attributes that go with emotion 0; every fifth value is unknown."""
    rng = np.random.default_rng(seed)
    labels = np.arange(rows) % 3
    values = (rng.random((rows, width)) < np.where(labels == 0, 0.5, 0.2)[:, None]).astype(np.int8)
    values[rng.random((rows, width)) < 0.2] = -1
    return labels, values


@given(seed=st.integers(0, 1000), count=st.integers(1, 3))
def test_odds_ratios_become_one_and_other_emotions_keep_their_weights(seed: int, count: int) -> None:
    labels, values = drawn(seed)
    wanted = [Wanted(f"a{n}", 0, values[:, n]) for n in range(count)]
    weights = weigh(labels, wanted, EMOTIONS)
    for one in wanted:
        assert weighted_odds_ratio(labels, one, np.ones(len(labels))) > 1.5
        assert weighted_odds_ratio(labels, one, weights) == pytest.approx(1, abs=1e-3)
    assert (weights[labels != 0] == 1).all()
    assert weights[labels == 0].mean() == pytest.approx(1)
    assert (weights > 0).all()
    assert 0 < effective_share(weights) < 1


def test_two_emotions_are_made_even_each_against_all_others() -> None:
    labels, values = drawn(1)
    values[:, 0] = np.where(labels == 2, values[::-1, 0], values[:, 0])
    wanted = [Wanted("a0", 0, values[:, 0]), Wanted("a0", 2, values[:, 0]), Wanted("a1", 2, values[:, 1])]
    weights = weigh(labels, wanted, EMOTIONS)
    for one in wanted:
        assert weighted_odds_ratio(labels, one, weights) == pytest.approx(1, abs=1e-3)
    assert (weights[labels == 1] == 1).all()


def test_an_attribute_that_is_even_already_changes_no_weight() -> None:
    labels = np.arange(600) % 3
    values = (np.arange(600) % 2).astype(np.int8)
    assert weigh(labels, [Wanted("a0", 0, values)], EMOTIONS) == pytest.approx(np.ones(600))


def test_attributes_that_no_weight_can_make_even_are_refused_by_name() -> None:
    labels, values = drawn(2)
    own, elsewhere = values[:, 0].copy(), values[:, 0].copy()
    own[labels == 0], elsewhere[labels != 0] = 1, 0
    with pytest.raises(AuditError, match=r"Of the training pictures of 'anger' 200 have 'dog' and 0 have it not"):
        weigh(labels, [Wanted("dog", 0, own)], EMOTIONS)
    with pytest.raises(AuditError, match=r"of other emotions than 'anger' 0 have 'dog' and 400 have it not"):
        weigh(labels, [Wanted("dog", 0, elsewhere)], EMOTIONS)
