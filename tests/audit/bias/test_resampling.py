"""Bootstrap and permutation against their slow and obvious forms, and against the closed form that they check."""

import numpy as np
import pytest

from tests.audit.bias.conftest import Draw
from tinyemo_data.audit.bias.attributes import Floats
from tinyemo_data.audit.bias.bootstrap import bootstrap_intervals
from tinyemo_data.audit.bias.design import Design
from tinyemo_data.audit.bias.pair_scores import PairScores, pair_scores
from tinyemo_data.audit.bias.permutation import permutation_p
from tinyemo_data.audit.bias.reliance import Reliance, measure_reliance


def scored(
    drawn: object, pairs: list[tuple[int, int]], delta: float = 0.2
) -> tuple[Design, Reliance, list[PairScores]]:
    design = Design(drawn.pictures, 3)  # type: ignore[attr-defined]
    outcome: Floats = drawn.outcomes[0]  # type: ignore[attr-defined]
    reliance = measure_reliance(design, outcome, np.ones((3, 4), bool), delta)
    scale = 1 / reliance.effects.deviations[0][:, None]
    coefficients = reliance.effects.all_coefficients[0] * scale
    scores = pair_scores(design, pairs, outcome * scale, outcome * scale, reliance.effects.inverses, coefficients)
    return design, reliance, scores


def test_pair_scores_give_the_joint_coefficient_back(make_drawn: Draw) -> None:
    drawn = make_drawn(unknown=0.1)
    _, reliance, scores = scored(drawn, [(a, e) for a in range(4) for e in range(3)])
    for score in scores:
        alone = score.x @ score.partial / (score.x @ score.x)
        assert alone == pytest.approx(reliance.d[score.emotion, score.attribute])
        assert score.effect == pytest.approx(alone)
        assert score.residual @ score.x == pytest.approx(0, abs=1e-8)


def test_bootstrap_interval_is_that_of_refitting_the_whole_regression(make_drawn: Draw) -> None:
    drawn = make_drawn(rows=600, group_size=2)
    design, _, scores = scored(drawn, [(1, 0)])
    (low, high) = bootstrap_intervals(scores, design.groups, 2_000, seed=0)[0]
    rng = np.random.default_rng(1)
    refitted = []
    labels, values, groups = design.labels, design.values, design.groups
    members = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    for _ in range(600):
        rows = np.concatenate([members[g] for g in rng.integers(0, len(members), len(members))])
        rows = rows[labels[rows] != 0]
        dummies = [labels[rows] == c for c in (1, 2)]
        x = np.column_stack([values[rows], *dummies]).astype(float)
        y = drawn.outcomes[0, 0, rows]
        within = np.concatenate([y[labels[rows] == c] - y[labels[rows] == c].mean() for c in (1, 2)])
        refitted.append(np.linalg.lstsq(x, y, rcond=None)[0][1] / within.std())
    expected = np.quantile(refitted, [0.025, 0.975])
    width = expected[1] - expected[0]
    assert low == pytest.approx(expected[0], abs=0.1 * width)
    assert high == pytest.approx(expected[1], abs=0.1 * width)


def test_bootstrap_interval_agrees_with_the_closed_form_and_the_seed_alone_moves_it(make_drawn: Draw) -> None:
    drawn = make_drawn(rows=3_000, group_size=3)
    design, reliance, scores = scored(drawn, [(2, 1), (0, 2)])
    found = bootstrap_intervals(scores, design.groups, 2_000, seed=0)
    assert found == bootstrap_intervals(scores, design.groups, 2_000, seed=0)
    assert found != bootstrap_intervals(scores, design.groups, 2_000, seed=1)
    for score, (low, high) in zip(scores, found, strict=True):
        place = (score.emotion, score.attribute)
        # The bootstrap also moves the deviation, which the closed form takes as known.
        width = reliance.high[place] - reliance.low[place]
        assert low == pytest.approx(reliance.low[place], abs=0.1 * width)
        assert high == pytest.approx(reliance.high[place], abs=0.1 * width)


def test_nothing_flagged_needs_no_resamples(make_drawn: Draw) -> None:
    assert bootstrap_intervals([], make_drawn().pictures.groups, 100, 0) == []


def test_stratified_permutation_agrees_with_the_closed_form_over_many_pairs(make_drawn: Draw) -> None:
    """Both test d > 0.2; unequal variances included."""
    pairs = [(a, e) for a in range(4) for e in range(3)]
    closed, permuted = [], []
    for seed in range(4):
        drawn = make_drawn(rows=800, seed=seed)
        drawn.outcomes[:] = drawn.outcomes / 3  # effects near the minimum
        design, reliance, scores = scored(drawn, pairs)
        permuted += permutation_p(scores, design.labels, 0.2, 399, seed)
        closed += [reliance.p[e, a] for a, e in pairs]
    assert np.abs(np.array(closed) - np.array(permuted)).max() < 0.08
    assert min(permuted) >= 1 / 400


def test_permutation_p_is_uniform_at_the_minimum() -> None:
    rng = np.random.default_rng(0)
    found = []
    for seed in range(200):
        labels = rng.integers(0, 3, 120)
        x = rng.normal(size=120)
        y = 0.2 * x + rng.normal(size=120) * (1 + (labels == 1))
        rows = np.arange(120)
        beta = float(x @ y / (x @ x))
        score = PairScores(0, 3, rows, x, y - beta * x, np.ones(120), beta)
        found += permutation_p([score], labels, 0.2, 99, seed)
    assert (np.array(found) <= 0.05).mean() == pytest.approx(0.05, abs=0.035)
    assert (np.array(found) <= 0.5).mean() == pytest.approx(0.5, abs=0.1)
