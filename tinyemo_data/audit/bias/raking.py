"""Weights of training pictures under which no attribute goes with any emotion: iterative proportional fitting.

Each pass takes every attribute in turn and scales, within each class, the pictures that have it and those that have
it not, so that its weighted share is that of all pictures (Deming & Stephan 1940). The weight of a class never
changes, nor does an attribute's overall share.
"""

from dataclasses import dataclass

import numpy as np

from tinyemo_data.audit.bias.attributes import ABSENT, PRESENT, Flags, Floats, Integers, Ternary

CLOSE = 1e-4  # largest difference of a class's weighted share from the overall one


@dataclass(frozen=True)
class Raking:
    """Weights of mean 1, and what they cost."""

    weights: Floats  # (M,)
    effective_share: float  # (Σw)² / (M Σw²): part of the pictures that as many equal ones would be
    largest_weight: float
    largest_difference: float  # of a raked share from the overall one after the last pass, 0–1


def rake(labels: Integers, values: Ternary, raked: Flags, passes: int) -> Raking:
    """Return the weights of pictures with `labels` (M,) and attributes (M, p).

    `raked` (E, p) says in which classes an attribute is made even; where a class has too few pictures on one
    side it is left as it is. Unknown attributes weigh as they are.
    """
    weights = np.ones(len(labels))
    difference = 0.0
    for label in range(len(raked)):
        rows = np.flatnonzero(labels == label)
        columns = np.flatnonzero(raked[label])
        if len(rows) and len(columns):
            weights[rows], left = _even_out(values[np.ix_(rows, columns)], _overall(values[:, columns]), passes)
            difference = max(difference, left)
    effective = float(weights.sum() ** 2 / (len(weights) * np.square(weights).sum()))
    return Raking(weights, effective, float(weights.max()), difference)


def _overall(values: Ternary) -> Floats:
    """Return each attribute's share among the pictures in which it is known, (p,)."""
    known = np.maximum((values != -1).sum(axis=0), 1)
    share: Floats = (values == PRESENT).sum(axis=0) / known
    return share


def _even_out(values: Ternary, shares: Floats, passes: int) -> tuple[Floats, float]:
    """Return the weights of one class's pictures, and the largest difference of a share that is left."""
    weights = np.ones(len(values))
    has, has_not = np.asfortranarray(values == PRESENT), np.asfortranarray(values == ABSENT)
    for _ in range(passes):
        for column, share in enumerate(shares):
            with_it, without = has[:, column], has_not[:, column]
            present, absent = weights[with_it].sum(), weights[without].sum()
            weights[with_it] *= share * (present + absent) / present
            weights[without] *= (1 - share) * (present + absent) / absent
        found = weights @ has / (weights @ (has | has_not))
        left = float(np.abs(found - shares).max())
        if left < CLOSE:
            break
    return weights, left
