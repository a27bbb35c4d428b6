"""Pairs of features with a high cosine, found without computing most cosines and without missing one.

CLIP features share a large mean direction: unrelated pictures have a raw cosine of 0.6. So features are
brought to unit length, centred on their mean and brought to unit length again; all cosines here are of that.

Let `p` be a unit vector's coordinates along the k main directions and `r` the length of what remains of it.
By the Cauchy-Schwarz inequality `cos(x, y) <= p_x · p_y + r_x r_y`, which is the inner product of vectors of
k + 1 numbers. Its blocked products are a sixth of the arithmetic of 768 dimensions; only the few pairs whose
bound reaches the threshold are computed exactly. The result depends on neither the blocks nor the directions.
"""

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
import torch

from tinyemo_data.audit.hamming import Indices

DIRECTIONS = 127  # and one number for what remains: 128 suit the processor's vectors
SAMPLE = 8_192  # rows that the main directions are computed of
CHUNK = 8_192  # rows that are made float32 at a time
ROWS, COLUMNS = 2_048, 8_192  # of one block of bounds: 64 MiB
SLACK = 1e-4  # of the bound: above float32's rounding over 128 products
RESIDUAL_SLACK = 1e-6  # keeps the root of a rounded small difference from falling short
DECIMALS = 6  # of a reported cosine, which decisions are taken on

Floats = npt.NDArray[np.float32]


class CentredFeatures:
    """Features of N pictures, the mean of their unit vectors, and their main directions."""

    def __init__(self, features: npt.NDArray[np.float16]) -> None:
        """Take finite (N, D) features as they are stored; nothing is copied."""
        self.features = features
        self.mean = self._mean()
        moment, self.effective_dimension = self._second_moment()
        self.directions = np.linalg.eigh(moment)[1][:, ::-1][:, :DIRECTIONS].astype(np.float32)  # (D, k)

    def __len__(self) -> int:
        return len(self.features)

    def rows(self, positions: Indices | slice) -> Floats:
        """Return centred unit vectors, (n, D) float32; a feature that is zero or equal to the mean stays zero."""
        return _unit(_unit(self.features[positions].astype(np.float32)) - self.mean)

    def cosines(self, first: Indices, second: Indices) -> npt.NDArray[np.float64]:
        """Return the cosines of pairs of positions, (n,), rounded to 6 decimals."""
        cosines = np.empty(len(first), dtype=np.float64)
        for start in range(0, len(first), CHUNK):
            part = slice(start, start + CHUNK)
            left, right = self.rows(first[part]), self.rows(second[part])
            # einsum's order of summation is the same for a row wherever it stands: equal input, equal bytes.
            cosines[part] = np.einsum("ij,ij->i", left, right, dtype=np.float64)
        return np.round(cosines, DECIMALS)

    def bounds(self) -> torch.Tensor:
        """Return (N, k + 1) float32 vectors whose inner products are upper bounds of the cosines."""
        bounds = np.empty((len(self), self.directions.shape[1] + 1), dtype=np.float32)
        for start in range(0, len(self), CHUNK):
            part = slice(start, start + CHUNK)
            along = self.rows(part) @ self.directions
            left_over = np.maximum(1.0 - np.square(along).sum(axis=1), 0.0)
            bounds[part, :-1], bounds[part, -1] = along, np.sqrt(left_over + RESIDUAL_SLACK)
        return torch.from_numpy(bounds)

    def _mean(self) -> Floats:
        total = np.zeros(self.features.shape[1], dtype=np.float64)
        for start in range(0, len(self), CHUNK):
            total += _unit(self.features[start : start + CHUNK].astype(np.float32)).sum(axis=0, dtype=np.float64)
        return (total / max(len(self), 1)).astype(np.float32)

    def _second_moment(self) -> tuple[npt.NDArray[np.float64], float]:
        """Return (D, D) E[x xᵀ] of evenly spread rows, and the effective dimension of all pairs of them.

        That is 1 / E[cos²], the dimension of the sphere on which independent directions have that mean
        square of cosines (the participation ratio of the spectrum).
        """
        n = min(len(self), SAMPLE)
        spread = np.linspace(0, max(len(self) - 1, 0), n).astype(np.int64)
        sample = self.rows(spread).astype(np.float64)
        moment = sample.T @ sample / max(n, 1)
        squares = n * float(np.square(moment).sum()) - 1.0  # less those of each row with itself
        return moment, (n - 1) / squares if squares > 0 else 0.0


def pairs_above(
    features: CentredFeatures, threshold: float, advance: Callable[[int], None] | None = None
) -> Iterator[tuple[Indices, Indices]]:
    """Yield positions (first < second) of features whose cosine is at least `threshold`, a block at a time.

    Every such pair comes exactly once; at most one block of bounds is in memory. `advance` is told the rows
    that are done.
    """
    bounds = features.bounds()
    buffer = torch.empty(ROWS * COLUMNS, dtype=torch.float32)
    for top in range(0, len(features), ROWS):
        rows = bounds[top : top + ROWS]
        for left in range(top, len(features), COLUMNS):
            columns = bounds[left : left + COLUMNS]
            block = buffer[: len(rows) * len(columns)].view(len(rows), len(columns))
            torch.mm(rows, columns.T, out=block)
            yield from _confirm(features, threshold, *_candidates(block, threshold - SLACK, top, left))
        if advance is not None:
            advance(len(rows))


def _candidates(block: torch.Tensor, limit: float, top: int, left: int) -> tuple[Indices, Indices]:
    """Return the positions above the diagonal whose bound reaches `limit`; rows without any are passed over."""
    promising = (block.amax(dim=1) >= limit).nonzero().flatten()
    row, column = (block[promising] >= limit).nonzero(as_tuple=True)
    first, second = promising[row].numpy() + top, column.numpy() + left
    keep = first < second
    return first[keep], second[keep]


def _confirm(
    features: CentredFeatures, threshold: float, first: Indices, second: Indices
) -> Iterator[tuple[Indices, Indices]]:
    if len(first):
        keep = features.cosines(first, second) >= threshold
        yield first[keep], second[keep]


def _unit(rows: Floats) -> Floats:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: Floats = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)
    return unit
