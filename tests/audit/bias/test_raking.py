import numpy as np
import pytest

from tinyemo_data.audit.bias.raking import rake
from tinyemo_data.audit.bias.support import counts_of


def planted(rows: int = 6_000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 4, rows)
    first = rng.random(rows) < np.where(labels == 1, 0.4, 0.1)
    second = rng.random(rows) < np.where(first, 0.6, 0.2)
    return labels, np.column_stack([first, second, rng.random(rows) < 0.3]).astype(np.int8)


def shares(labels: np.ndarray, values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The weighted share of each attribute among its known pictures, a class a row."""
    return np.array(
        [
            [np.average(values[rows, a] == 1, weights=weights[rows]) for a in range(values.shape[1])]
            for rows in (labels == c for c in range(4))
        ]
    )


def test_raked_weights_leave_no_attribute_associated_with_any_class() -> None:
    labels, values = planted()
    found = rake(labels, values, np.ones((4, 3), bool), passes=20)
    assert np.ptp(shares(labels, values, np.ones(6_000))[:, 0]) > 0.25
    assert np.ptp(shares(labels, values, found.weights), axis=0).max() < 2e-4
    assert found.largest_difference < 1e-4


def test_classes_and_overall_shares_keep_their_weight() -> None:
    labels, values = planted()
    weights = rake(labels, values, np.ones((4, 3), bool), passes=20).weights
    assert np.bincount(labels, weights) == pytest.approx(np.bincount(labels))
    assert np.average(values, axis=0, weights=weights) == pytest.approx(values.mean(axis=0), abs=1e-4)
    assert weights.mean() == pytest.approx(1)


def test_weights_cost_pictures_as_the_association_grows() -> None:
    labels, values = planted()
    even = rake(labels, values[:, 2:], np.ones((4, 1), bool), 6)
    uneven = rake(labels, values, np.ones((4, 3), bool), 6)
    weights = uneven.weights
    assert even.effective_share > 0.99 > uneven.effective_share > 0.6
    assert uneven.effective_share == pytest.approx(weights.sum() ** 2 / len(weights) / (weights**2).sum())
    assert uneven.largest_weight == weights.max()


def test_cells_without_support_and_unknown_values_are_left_as_they_are() -> None:
    labels, values = planted()
    raked = np.ones((4, 3), bool)
    raked[1] = False
    weights = rake(labels, values, raked, 6).weights
    assert (weights[labels == 1] == 1).all()
    values[:, 0] = np.where(np.random.default_rng(3).random(6_000) < 0.5, -1, values[:, 0])
    only = np.zeros((4, 3), bool)
    only[:, 0] = True
    weights = rake(labels, values, only, 6).weights
    assert (weights[values[:, 0] == -1] == 1).all()
    present, absent = counts_of(labels, values, 4)
    for c in range(4):
        known = (labels == c) & (values[:, 0] >= 0)
        share = np.average(values[known, 0], weights=weights[known])
        assert share == pytest.approx(present[:, 0].sum() / (present + absent)[:, 0].sum())
