"""The features that one filling has at hand: one array for all wanted contents, wherever they come from."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from tinyemo_data.features.content import Content, Failure
from tinyemo_data.features.shard import Features


class Pool:
    """Rows for the wanted contents, each present or still missing."""

    def __init__(self, contents: list[Content], dimension: int) -> None:
        """Make room for every content; all are missing at first."""
        self.contents = contents
        self.features: Features = np.empty((len(contents), dimension), dtype=np.float16)
        self.failures: dict[str, Failure] = {}
        self._row_of = {content.sha256: row for row, content in enumerate(contents)}
        self._present = np.zeros(len(contents), dtype=bool)
        self._statistics: list[pl.DataFrame] = []

    def put(self, sha256: Sequence[str], features: Features) -> None:
        """Take the rows that are wanted and still missing."""
        found = [(self._row_of.get(digest, -1), place) for place, digest in enumerate(sha256)]
        new = [(row, place) for row, place in found if row >= 0 and not self._present[row]]
        if new:
            rows, places = (np.array(column) for column in zip(*new, strict=True))
            self.features[rows] = features[places]
            self._present[rows] = True

    def put_statistics(self, statistics: pl.DataFrame) -> None:
        """Take pictures' statistics, keyed by `sha256`; the first of a content wins."""
        self._statistics.append(statistics)

    def wants(self, sha256: Sequence[str]) -> bool:
        """Tell whether a missing content is among `sha256`."""
        rows = (self._row_of.get(digest, -1) for digest in sha256)
        return any(row >= 0 and not self._present[row] for row in rows)

    def row(self, sha256: str) -> int | None:
        """Return the row of a content that is present."""
        row = self._row_of.get(sha256)
        return row if row is not None and self._present[row] else None

    def rows(self, sha256: Sequence[str]) -> npt.NDArray[np.intp]:
        """Return the rows of contents that are all present."""
        return np.array([self._row_of[digest] for digest in sha256], dtype=np.intp)

    def missing(self) -> list[Content]:
        """Return the contents that have no feature yet, in order."""
        return [content for row, content in enumerate(self.contents) if not self._present[row]]

    def forget_without_statistics(self) -> None:
        """Count contents without statistics as missing: only their pictures can give them back."""
        known = set(self.statistics()["sha256"].to_list()) if self._statistics else set()
        for row, content in enumerate(self.contents):
            self._present[row] &= content.sha256 in known

    def statistics(self) -> pl.DataFrame:
        """Return the statistics at hand, one row a content."""
        return pl.concat(self._statistics).unique("sha256", keep="first", maintain_order=True)
