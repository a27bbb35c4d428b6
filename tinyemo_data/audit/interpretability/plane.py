"""A plane to look at projected pictures and prototypes in: their first two principal components."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tinyemo_data.audit.interpretability.nearest import DIGITS, Rows, Scores

ROWS_AT_ONCE = 4096


@dataclass(frozen=True)
class Plane:
    """The two directions (2, h) in which the pictures' points spread most."""

    mean: npt.NDArray[np.float64]  # (h,)
    axes: npt.NDArray[np.float64]  # (2, h), of length 1
    shares: tuple[float, float]  # of the points' variance along each

    def coordinates(self, points: Rows) -> Scores:
        """Return where points (n, h) lie in the plane, (n, 2)."""
        found: Scores = np.round((points.astype(np.float64) - self.mean) @ self.axes.T, DIGITS) + 0.0
        return found


def fit_plane(points: Rows) -> Plane:
    """Return the plane of points (N, h), by singular value decomposition.

    A singular vector's sign is arbitrary: its largest component is made positive. Points that spread in one direction
    or in none have zeros for the axes that they lack.
    """
    mean = points.mean(axis=0, dtype=np.float64)
    variances, axes = _spread(points, mean)
    total = variances.sum()
    kept, shares = np.zeros((2, points.shape[1])), [0.0, 0.0]
    for number in range(min(2, len(axes))):
        if total > 0 and variances[number] > total * np.finfo(np.float32).eps:
            largest = axes[number, np.abs(axes[number]).argmax()]
            kept[number] = axes[number] * (-1.0 if largest < 0 else 1.0)
            shares[number] = round(float(variances[number] / total), DIGITS)
    return Plane(mean, kept, (shares[0], shares[1]))


def _spread(points: Rows, mean: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return squared singular values and right singular vectors of the centred points, largest first."""
    if len(points) <= points.shape[1]:
        _, strengths, axes = np.linalg.svd(points - mean, full_matrices=False)
        return strengths**2, axes
    # Of many points the scatter matrix (h, h) is the smaller one, and its eigenvectors are the same.
    scatter = np.zeros((points.shape[1], points.shape[1]))
    for start in range(0, len(points), ROWS_AT_ONCE):
        part = points[start : start + ROWS_AT_ONCE] - mean
        scatter += part.T @ part
    variances, axes = np.linalg.eigh(scatter)
    return np.maximum(variances[::-1], 0.0), axes.T[::-1]
