"""The design of the joint regression: attributes less their class mean, a block of pictures at a time.

Taking out class means is the same as giving every class an intercept (Frisch & Waugh 1933, Lovell 1963), and it
makes one class's cross products serve the regressions of all emotions, which differ by the classes they leave out.
An unknown attribute counts as the class mean, and each pattern of what is unknown gets a column of its own, so that
pictures which were annotated may differ from those which were not.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tinyemo_data.audit.bias.attributes import PRESENT, UNKNOWN, Flags, Floats, Integers, Ternary
from tinyemo_data.audit.bias.pictures import Pictures

ROWS = 8_192  # of a block; with 200 attributes 13 MB
# Pictures on either side of a pattern of unknowns: fewer would leave their pictures no residual.
LEAST_UNKNOWN = 10


@dataclass(frozen=True)
class Piece:
    """Some pictures, none of whose image groups goes on in another piece."""

    rows: Integers  # (n,) of the pictures
    labels: Integers  # (n,)
    groups: Integers  # (n,) ascending


@dataclass(frozen=True)
class Block(Piece):
    """A piece with its rows of the design."""

    x: Floats  # (n, p + k): centred attributes, then centred patterns of what is unknown


class Design:
    """Attributes (p) and patterns of unknowns (k) of N pictures of E classes."""

    def __init__(self, pictures: Pictures, classes: int) -> None:
        """Take pictures; their matrix is widened block by block."""
        self.classes = classes
        self.labels, self.groups = pictures.labels, pictures.groups
        self.values = pictures.attributes.values
        self.attributes = self.values.shape[1]
        self.patterns = _patterns(self.values)
        self.counts = np.bincount(self.labels, minlength=classes)  # (E,)
        self.order = np.argsort(self.groups, kind="stable")
        self.means = self._class_means()

    @property
    def columns(self) -> int:
        """Width p + k of the design."""
        return int(self.attributes + self.patterns.shape[1])

    def blocks(self) -> Iterator[Block]:
        """Yield all pictures, sorted by group, with their rows of the design."""
        for piece in self.pieces():
            yield Block(piece.rows, piece.labels, piece.groups, self.centred(piece.rows))

    def pieces(self) -> Iterator[Piece]:
        """Yield all pictures, sorted by group."""
        groups = self.groups[self.order]
        ends = np.flatnonzero(np.r_[np.diff(groups) != 0, True]) + 1
        start = 0
        while start < len(self.order):
            last = min(int(np.searchsorted(ends, start + ROWS)), len(ends) - 1)
            end = int(ends[last])
            rows = self.order[start:end]
            yield Piece(rows, self.labels[rows], groups[start:end])
            start = end

    def centred(self, rows: Integers) -> Floats:
        """Return the design's rows, float64."""
        values = self.values[rows]
        x = np.where(values == UNKNOWN, 0.0, values - self.means[self.labels[rows], : self.attributes])
        patterns = self.patterns[rows] - self.means[self.labels[rows], self.attributes :]
        return np.concatenate([x, patterns], axis=1)

    def _class_means(self) -> Floats:
        means = np.zeros((self.classes, self.columns))
        for label in range(self.classes):
            rows = self.labels == label
            known = np.maximum((self.values[rows] != UNKNOWN).sum(axis=0), 1)
            means[label, : self.attributes] = (self.values[rows] == PRESENT).sum(axis=0) / known
            if rows.any():
                means[label, self.attributes :] = self.patterns[rows].mean(axis=0)
        return means


def _patterns(values: Ternary) -> Flags:
    """Return the distinct columns of what is unknown, (N, k): attributes annotated together share one."""
    unknown = values == UNKNOWN
    distinct: dict[bytes, int] = {}
    for column in np.flatnonzero(unknown.any(axis=0)):
        distinct.setdefault(unknown[:, column].tobytes(), int(column))
    patterns: Flags = unknown[:, sorted(distinct.values())]
    return patterns
