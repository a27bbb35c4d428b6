import numpy as np
import pytest

from tinyemo_data.audit.interpretability.plane import fit_plane


@pytest.mark.parametrize("rows", [30, 300], ids=["fewer-pictures-than-dimensions", "more"])
def test_fit_plane_finds_the_two_directions_of_most_variance(rows: int) -> None:
    rng = np.random.default_rng(0)
    points = (rng.normal(size=(rows, 40)) * np.r_[9.0, 4.0, np.full(38, 0.1)] + 3).astype(np.float32)
    plane = fit_plane(points)
    assert abs(plane.axes[0, 0]) > 0.99 and abs(plane.axes[1, 1]) > 0.99
    assert plane.axes.max(axis=1) == pytest.approx(np.abs(plane.axes).max(axis=1))
    assert plane.shares[0] > plane.shares[1] > 0.05
    assert 0.9 < sum(plane.shares) <= 1
    places = plane.coordinates(points)
    assert places.mean(axis=0) == pytest.approx([0, 0], abs=1e-4)
    assert places.var(axis=0)[0] / points.var(axis=0).sum() == pytest.approx(plane.shares[0], abs=1e-3)


def test_fit_plane_gives_a_second_axis_of_no_variance_when_points_lie_on_a_line() -> None:
    points = np.outer(np.arange(5), np.ones(3)).astype(np.float32)
    plane = fit_plane(points)
    assert plane.shares == (1.0, 0.0)
    assert plane.coordinates(points)[:, 1].tolist() == [0.0] * 5


def test_fit_plane_takes_one_picture() -> None:
    plane = fit_plane(np.ones((1, 4), np.float32))
    assert plane.shares == (0.0, 0.0)
    assert plane.coordinates(np.ones((1, 4), np.float32)).tolist() == [[0.0, 0.0]]
