import tracemalloc

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyemo_data.audit import cosine
from tinyemo_data.audit.cosine import CentredFeatures, pairs_above

Half = npt.NDArray[np.float16]


def draw(n: int, dimension: int, seed: int, mean: float = 3.0) -> Half:
    """Features with a large mean direction, of which every fifth is a noisy copy of its forerunner."""
    rng = np.random.default_rng(seed)
    rows = rng.standard_normal((n, dimension)) + mean
    for row in range(5, n, 5):
        rows[row] = rows[row - 1] + rng.standard_normal(dimension) * rng.uniform(0.05, 0.6)
    return rows.astype(np.float16)


def cosines_by_loops(features: Half) -> npt.NDArray[np.float64]:
    units = np.stack([row / np.linalg.norm(row) for row in features.astype(np.float64)])
    centred = units - units.mean(axis=0)
    return np.array([[a @ b / np.linalg.norm(a) / np.linalg.norm(b) for b in centred] for a in centred])


def found_pairs(features: Half, threshold: float) -> list[tuple[int, int]]:
    blocks = pairs_above(CentredFeatures(features), threshold)
    return [pair for first, second in blocks for pair in zip(first.tolist(), second.tolist(), strict=True)]


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 60), st.sampled_from([2, 16, 200]), st.integers(0, 10**6), st.floats(0.3, 0.99))
def test_pairs_above_misses_nothing_and_adds_nothing(n: int, dimension: int, seed: int, threshold: float) -> None:
    features = draw(n, dimension, seed)
    exact = cosines_by_loops(features)
    found = found_pairs(features, threshold)
    assert len(found) == len(set(found))
    above = {(i, j) for i in range(n) for j in range(i + 1, n) if exact[i, j] >= threshold + 1e-4}
    assert above <= set(found)
    assert all(i < j and exact[i, j] >= threshold - 1e-4 for i, j in found)


def test_pairs_above_is_the_same_whatever_the_blocks_and_directions(monkeypatch: pytest.MonkeyPatch) -> None:
    features = draw(150, 64, seed=1)
    expected = found_pairs(features, 0.7)
    for name, value in {"ROWS": 16, "COLUMNS": 24, "CHUNK": 10, "DIRECTIONS": 5, "SAMPLE": 40}.items():
        monkeypatch.setattr(cosine, name, value)
    assert sorted(found_pairs(features, 0.7)) == sorted(expected)
    assert len(expected) >= 20


@pytest.mark.parametrize("directions", [1, 8, 127])
def test_bounds_are_never_below_the_cosine(directions: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cosine, "DIRECTIONS", directions)
    features = draw(80, 96, seed=2)
    bounds = CentredFeatures(features).bounds().numpy()
    assert (bounds @ bounds.T >= cosines_by_loops(features) - cosine.SLACK).all()


def test_cosines_do_not_depend_on_the_pairs_beside_them() -> None:
    centred = CentredFeatures(draw(60, 768, seed=3))
    first, second = np.arange(50), np.arange(50)[::-1].copy()
    together = centred.cosines(first, second)
    alone = [centred.cosines(first[i : i + 1], second[i : i + 1])[0] for i in range(50)]
    assert together.tolist() == alone
    assert np.abs(together - cosines_by_loops(centred.features)[first, second]).max() < 1e-4


def test_centring_tells_apart_what_shares_a_mean_direction() -> None:
    rng = np.random.default_rng(4)
    features = (rng.standard_normal((300, 64)) + 4).astype(np.float16)
    raw = features.astype(np.float64)
    raw /= np.linalg.norm(raw, axis=1, keepdims=True)
    assert (raw @ raw.T).min() > 0.8
    assert found_pairs(features, 0.7) == []


def test_effective_dimension_counts_independent_directions() -> None:
    rng = np.random.default_rng(5)
    for true in (3, 40):
        rows = rng.standard_normal((4_000, true)) @ np.linalg.qr(rng.standard_normal((128, true)))[0].T
        assert CentredFeatures(rows.astype(np.float16)).effective_dimension == pytest.approx(true, rel=0.05)


@pytest.mark.parametrize("n", [0, 1, 2])
def test_pairs_above_bears_few_features(n: int) -> None:
    features = np.ones((n, 4), dtype=np.float16)
    assert found_pairs(features, 0.9) == []  # all equal their mean: no direction is left


def test_pairs_above_never_holds_all_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cosine, "CHUNK", 512)
    features = np.random.default_rng(6).standard_normal((6_000, 64)).astype(np.float16)
    tracemalloc.start()
    pairs = found_pairs(features, 0.9)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert pairs == []
    assert peak < 30e6  # NumPy's part; all cosines in float32 would be 144 MB (torch's block is 64 MiB at most)
