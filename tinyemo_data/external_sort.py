"""Sorting more rows than memory should hold: batches become sorted blocks on disk, then one merge reads them.

An external merge sort (Knuth, The Art of Computer Programming, vol. 3, section 5.4). The blocks lie in a file
that has no name: the system frees it with the process, however that ends, so that nothing is ever left behind.
"""

import io
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import polars as pl

BLOCK = 128  # rows that are read at once; of each batch that was added, the merge holds one block at most
MERGED = 8_192  # rows that the merge gathers before it gives away those that no later block can precede


@dataclass(frozen=True)
class Block:
    """Where some rows lie, and the key of the first of them."""

    first: str
    offset: int  # bytes
    length: int  # bytes


class ExternalSort:
    """Rows of one schema, added in batches of any order, given back sorted."""

    def __init__(self, by: tuple[str, ...], folder: Path | None = None) -> None:
        """Sort by the columns `by`, of which the first holds text without nulls.

        The blocks go to `folder`, or to the system's folder for temporary files.
        """
        self._by = by
        self._blocks: list[Block] = []
        self._rows = 0
        self._file = tempfile.TemporaryFile(prefix=".tinyemo-", dir=folder)  # noqa: SIM115 (closed by __exit__)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    def __len__(self) -> int:
        """Return the number of rows that were added."""
        return self._rows

    def add(self, rows: pl.DataFrame) -> None:
        """Take a batch: the larger it is, the fewer blocks are open when all are merged."""
        for part in rows.sort(self._by).iter_slices(BLOCK):
            packed = io.BytesIO()
            part.write_ipc_stream(packed, compression="lz4")
            offset = self._file.seek(0, io.SEEK_END)
            self._blocks.append(Block(part[self._by[0]][0], offset, self._file.write(packed.getbuffer())))
        self._rows += len(rows)

    def in_order(self) -> Iterator[pl.DataFrame]:
        """Give all rows, sorted, in tables of about MERGED; rows that share their first key are in one table."""
        held: list[pl.DataFrame] = []
        waiting, enough = 0, MERGED
        for block in sorted(self._blocks, key=lambda block: block.first):
            if waiting >= enough:
                settled, held = self._split(held, block.first)
                waiting = sum(map(len, held))
                enough = MERGED + waiting
                yield from self._merge(settled)
            held.append(self._read(block))
            waiting += len(held[-1])
        yield from self._merge(held)

    def _split(self, blocks: list[pl.DataFrame], bound: str) -> tuple[list[pl.DataFrame], list[pl.DataFrame]]:
        """Return the blocks' rows before `bound`, which no block to come can precede, and the rows that must wait."""
        cuts = [int((rows[self._by[0]] < bound).sum()) for rows in blocks]
        settled = [rows[:cut] for rows, cut in zip(blocks, cuts, strict=True) if cut]
        return settled, [rows[cut:] for rows, cut in zip(blocks, cuts, strict=True) if cut < len(rows)]

    def _merge(self, blocks: list[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        if blocks:
            yield pl.concat(blocks).sort(self._by)

    def _read(self, block: Block) -> pl.DataFrame:
        self._file.seek(block.offset)
        return pl.read_ipc_stream(io.BytesIO(self._file.read(block.length)))
