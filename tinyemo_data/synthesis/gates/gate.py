"""What a gate is: a name, a sentence for people, and what it looks for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl

from tinyemo_data.synthesis.gates.limits import Limits

SHOWN = 80  # characters of what was found

# Reason -> text that says what was found, null where there is nothing of the kind.
Findings = Mapping[str, pl.Expr]
Find = Callable[[Limits], Findings]


@dataclass(frozen=True)
class Gate:
    """One thing that records must not have.

    `find` is pure: expressions over the columns that `columns.py` describes. It is None for gates that are no
    matter of one record alone: those of replies (`replies.py`) and near-duplicates (`near_duplicates.py`).
    """

    name: str
    keeps_out: str  # one sentence, for docs and the UI
    find: Find | None = None
    prompts: frozenset[str] | None = None  # None: records of every prompt

    def applies_to(self, prompt: str) -> bool:
        """Tell whether records of `prompt` go through it."""
        return self.prompts is None or prompt in self.prompts


def quote(column: str, pattern: str) -> pl.Expr:
    """Return the first match of a pattern (Rust's `regex` syntax) in quotes; null where there is none."""
    return pl.format("'{}'", pl.col(column).str.extract(pattern, 0).str.head(SHOWN))


def say_if(condition: pl.Expr, text: str, *values: pl.Expr) -> pl.Expr:
    """Return `text`, its braces filled with values, where a condition holds; null elsewhere."""
    return pl.when(condition).then(pl.format(text, *values) if values else pl.lit(text))
