"""What a set of records comes to: counted in one pass, so that the memory that it needs does not grow with the set."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

NANO = 10**9
# Records that agree in all of these are counted together.
KEYS = ["task", "variant", "emotion", "taxonomy", "label_origin", "dataset", "generator", "model", "prompt_digest"]
MEASURES = ["records", "input_tokens", "output_tokens", "nano_usd"]


@dataclass
class Counts:
    """Counts of records by KEYS, and the pictures that they are about."""

    cells: pl.DataFrame  # KEYS and MEASURES, sorted
    records_of: dict[str, int] = field(repr=False)  # sample_id -> its records

    @property
    def records(self) -> int:
        """How many records there are."""
        return int(self.cells["records"].sum())

    def by(self, *keys: str) -> list[dict[str, Any]]:
        """Return the measures summed over all but `keys`, with `usd`, sorted by `keys`; null sorts first."""
        summed = self.cells.group_by(*keys).agg(pl.col(name).sum() for name in MEASURES).sort(*keys)
        return summed.with_columns(usd=pl.col("nano_usd") / NANO).drop("nano_usd").to_dicts()

    def values(self, key: str) -> list[str]:
        """Return the values of a key that is never null, sorted."""
        found: list[str] = self.cells[key].cast(pl.String).unique().drop_nulls().sort().to_list()
        return found

    def table(self, rows: Sequence[str], columns: str) -> tuple[list[str], list[list[str | int]]]:
        """Return the records by keys as a table for people: the values of `columns`, and its lines; null is `none`."""
        cells = {(*(cell[key] for key in rows), cell[columns]): cell["records"] for cell in self.by(*rows, columns)}
        lines, ordered = {cell[:-1] for cell in cells}, sorted({cell[-1] for cell in cells}, key=_none_last)
        return [str(name or "none") for name in ordered], [
            [*(str(value or "none") for value in line), *(cells.get((*line, name), 0) for name in ordered)]
            for line in sorted(lines, key=lambda line: [_none_last(value) for value in line])
        ]


def _none_last(value: str | None) -> tuple[bool, str]:
    return value is None, value or ""


def counting(parts: Iterable[pl.DataFrame], counts: list[Counts]) -> Iterator[pl.DataFrame]:
    """Yield `parts` of records unchanged; when they end, put what was counted of them into `counts`."""
    cells, records_of = [], Counter[str]()
    for part in parts:
        cells.append(_count(part))
        records_of.update(part["sample_id"].to_list())
        yield part
    summed = pl.concat(cells).group_by(KEYS).agg(pl.col(name).sum() for name in MEASURES) if cells else _count(None)
    counts.append(Counts(summed.sort(KEYS), dict(records_of)))


def _count(part: pl.DataFrame | None) -> pl.DataFrame:
    if part is None:
        return pl.DataFrame(schema=dict.fromkeys(KEYS, pl.String) | dict.fromkeys(MEASURES, pl.Int64))
    # Integers: their sums know no order.
    nano = (pl.col("usd") * NANO).round().cast(pl.Int64).sum()
    measured = [pl.len().cast(pl.Int64).alias("records"), pl.col("input_tokens", "output_tokens").sum(), nano]
    return part.group_by(pl.col(KEYS).cast(pl.String)).agg(*measured[:-1], nano_usd=nano)
