"""Candidate attributes: those that vary, with near-copies merged into one."""

from dataclasses import dataclass

import numpy as np

from tinyemo_data.audit.bias.attributes import ABSENT, PRESENT, TIERS, AttributeTable, Flags, Floats
from tinyemo_data.audit.bias.support import NotTestable


@dataclass(frozen=True)
class Merged:
    """An attribute that another one stands for."""

    attribute: str
    kept: str
    phi: float  # negative: it is the other's opposite


@dataclass(frozen=True)
class Candidates:
    """What is tested, by column of the attribute table, and what is not."""

    columns: list[int]
    merged: list[Merged]
    constant: list[NotTestable]


def choose_candidates(table: AttributeTable, largest_phi: float) -> Candidates:
    """Leave out attributes without variation, and all but one of those that agree in |phi| > `largest_phi`.

    Of two that agree the one of the earlier tier stays, then the one that more pictures have, then the one
    whose name comes first.
    """
    has, has_not = (table.values == PRESENT).sum(axis=0), (table.values == ABSENT).sum(axis=0)
    constant = [
        NotTestable(name, None, "all", f"no variation: {has[column]} pictures have it, {has_not[column]} have it not")
        for column, name in enumerate(table.names)
        if not (has[column] and has_not[column])
    ]
    varying = [column for column in range(len(table.names)) if has[column] and has_not[column]]
    order = sorted(varying, key=lambda column: (TIERS.index(table.tiers[column]), -has[column], table.names[column]))
    phi = phi_matrix(table)
    kept: list[int] = []
    merged: list[Merged] = []
    for column in order:
        closest = max(kept, key=lambda other: abs(phi[column, other]), default=None)
        if closest is not None and abs(phi[column, closest]) > largest_phi:
            merged.append(Merged(table.names[column], table.names[closest], round(float(phi[column, closest]), 6)))
        else:
            kept.append(column)
    return Candidates(sorted(kept), merged, constant)


def phi_matrix(table: AttributeTable) -> Floats:
    """Return the correlation of every two attributes over the pictures in which both are known, (p, p).

    It is 0 where one of the two does not vary there.
    """
    has, known = _products(table.values == PRESENT), _products(table.values != -1)
    n, both = known, has
    one = _cross(table.values == PRESENT, table.values != -1)  # (p, p): has i, j known
    other = one.T
    with np.errstate(divide="ignore", invalid="ignore"):
        phi: Floats = (n * both - one * other) / np.sqrt(one * (n - one) * other * (n - other))
    return np.where(np.isfinite(phi), phi, 0.0)


def _products(flags: Flags) -> Floats:
    return _cross(flags, flags)


def _cross(left: Flags, right: Flags, rows: int = 8_192) -> Floats:
    """Return leftᵀ right in float64: float32 blocks of counts below 2²⁴ are exact."""
    total = np.zeros((left.shape[1], right.shape[1]))
    for start in range(0, len(left), rows):
        part = slice(start, start + rows)
        total += left[part].T.astype(np.float32) @ right[part].astype(np.float32)
    return total
