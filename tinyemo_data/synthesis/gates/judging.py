"""Judging: candidates go through the gates that look at one record alone, all at once."""

import polars as pl

from tinyemo_data.synthesis.gates.columns import with_texts
from tinyemo_data.synthesis.gates.limits import Limits
from tinyemo_data.synthesis.gates.registry import RECORD_GATES
from tinyemo_data.synthesis.gates.repetition import measure_repetition
from tinyemo_data.synthesis.gates.words import find_words

VERDICT = pl.Schema({"gate": pl.String(), "reason": pl.String(), "detail": pl.String()})


def look(candidates: pl.DataFrame) -> pl.DataFrame:
    """Return candidates with all the columns that gates look at."""
    looked = with_texts(candidates)
    return looked.hstack(measure_repetition(find_words(looked["gpt"])))


def judge(looked: pl.DataFrame, limits: Limits) -> pl.DataFrame:
    """Return a row a candidate (VERDICT): the first gate that found something, its reason and what it found, or nulls.

    Rows depend on nothing but their own candidate and those of the same draft.
    """
    checks = {
        (gate.name, reason): _for_its_prompts(expression, gate.prompts)
        for gate in RECORD_GATES
        if gate.find is not None
        for reason, expression in gate.find(limits).items()
    }
    found = looked.select(**{str(number): check for number, check in enumerate(checks.values())})
    verdict = pl.DataFrame({name: pl.Series([None] * len(looked), dtype=dtype) for name, dtype in VERDICT.items()})
    for column, (gate, reason) in zip(found.iter_columns(), checks, strict=True):
        if column.null_count() < len(column):
            is_first = column.is_not_null() & verdict["gate"].is_null()
            verdict = verdict.with_columns(
                gate=pl.when(is_first).then(pl.lit(gate)).otherwise("gate"),
                reason=pl.when(is_first).then(pl.lit(reason)).otherwise("reason"),
                detail=pl.when(is_first).then(column).otherwise("detail"),
            )
    return verdict


def _for_its_prompts(expression: pl.Expr, prompts: frozenset[str] | None) -> pl.Expr:
    return expression if prompts is None else pl.when(pl.col("prompt").is_in(sorted(prompts))).then(expression)
