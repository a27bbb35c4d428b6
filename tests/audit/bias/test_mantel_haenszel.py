"""The pooled odds ratio and test against statsmodels, the risk difference against Sato's formula spelt out."""

import numpy as np
import pytest
from statsmodels.stats.contingency_tables import StratifiedTable

from tinyemo_data.audit.bias.mantel_haenszel import risk_difference

CLASSES = 4


@pytest.fixture
def drawn() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, CLASSES, 3_000)
    values = (rng.random((3_000, 2)) < 0.25).astype(np.int8)
    predicted = np.where(rng.random(3_000) < 0.5, labels, rng.integers(0, CLASSES, 3_000))
    predicted = np.where((values[:, 0] == 1) & (rng.random(3_000) < 0.2), 1, predicted)
    values[rng.random((3_000, 2)) < 0.05] = -1
    return labels, predicted, values


def tables(labels: np.ndarray, predicted: np.ndarray, column: np.ndarray, e: int) -> list[np.ndarray]:
    """One table a stratum: rows have the attribute or not, columns are predicted to be e or not."""
    found = []
    for c in range(CLASSES):
        if c != e:
            here = labels == c
            found.append(
                np.array(
                    [[(here & (column == v) & said).sum() for said in (predicted == e, predicted != e)] for v in (1, 0)]
                )
            )
    return found


@pytest.mark.parametrize("e", range(CLASSES))
@pytest.mark.parametrize("attribute", [0, 1])
def test_odds_ratio_and_test_equal_statsmodels(
    drawn: tuple[np.ndarray, np.ndarray, np.ndarray], attribute: int, e: int
) -> None:
    labels, predicted, values = drawn
    found = risk_difference(labels, predicted, values, CLASSES)
    stratified = StratifiedTable([table.astype(float) for table in tables(labels, predicted, values[:, attribute], e)])
    assert found.odds_ratio[e, attribute] == pytest.approx(stratified.oddsratio_pooled)
    assert found.p[e, attribute] == pytest.approx(stratified.test_null_odds(correction=False).pvalue)


def test_risk_difference_equals_satos_formula_in_a_loop(drawn: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    labels, predicted, values = drawn
    found = risk_difference(labels, predicted, values, CLASSES)
    weight = total = p = q = 0.0
    for (a, c), (b, d) in tables(labels, predicted, values[:, 0], 1):
        n1, n0, n = a + c, b + d, a + b + c + d
        weight += n1 * n0 / n
        total += (a * n0 - b * n1) / n
        p += (n1**2 * b - n0**2 * a + n1 * n0 * (n0 - n1) / 2) / n**2
        q += (a * (n0 - b) + b * (n1 - a)) / (2 * n)
    difference = total / weight
    reach = 1.959964 * np.sqrt(difference * p + q) / weight
    assert found.difference[1, 0] == pytest.approx(difference)
    assert (found.low[1, 0], found.high[1, 0]) == pytest.approx((difference - reach, difference + reach))


def test_satos_interval_covers_the_true_difference_nineteen_times_in_twenty() -> None:
    rng = np.random.default_rng(1)
    covered = 0
    for _ in range(400):
        labels = rng.integers(1, 3, 400)
        values = (rng.random((400, 1)) < 0.3).astype(np.int8)
        chance = 0.1 + 0.1 * labels / 2 + 0.15 * values[:, 0]
        predicted = np.where(rng.random(400) < chance, 0, labels)
        found = risk_difference(labels, predicted, values, 3)
        covered += bool(found.low[0, 0] <= 0.15 <= found.high[0, 0])
    assert 0.92 <= covered / 400 <= 0.98


def test_nothing_to_compare_gives_no_number() -> None:
    labels, predicted = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    found = risk_difference(labels, predicted, np.ones((4, 1), np.int8), 2)
    assert np.isnan(found.difference).all()
