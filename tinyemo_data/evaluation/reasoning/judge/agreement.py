"""How far the judge agrees with people: quadratically weighted kappa, by criterion (Cohen 1968)."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from tinyemo_data.errors import TableError
from tinyemo_data.evaluation.metrics import Codes, confusion_matrix
from tinyemo_data.evaluation.reasoning.judge.verdicts import CRITERIA, Score
from tinyemo_data.evaluation.reasoning.resampling import rounded

LEVELS = 5
COLUMNS = ("row", "sample_id", *CRITERIA)


@dataclass(frozen=True)
class Agreed:
    """Agreement on one criterion."""

    n: int  # texts that both scored
    kappa: float | None  # 1: equal, 0: as by chance; None where there is no text, or both always say the same one thing


def read_human_scores(path: Path) -> dict[tuple[str, str], Score]:
    """Read people's scores: a CSV with COLUMNS, scores from 1 to 5.

    `row` and `sample_id` are those of `reports/reasoning_answers.parquet`. Raises TableError naming file, line and
    column.
    """
    try:
        table = pl.read_csv(path, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as exc:
        raise TableError(f"{path} can't be read as a CSV of human scores: {exc}") from exc
    missing = [name for name in COLUMNS if name not in table.columns]
    if missing:
        raise TableError(f"{path}: column '{missing[0]}' is missing; expected {', '.join(COLUMNS)}.")
    found: dict[tuple[str, str], Score] = {}
    for line, row in enumerate(table.iter_rows(named=True), start=2):
        key = (str(row["row"]), str(row["sample_id"]))
        if key in found:
            raise TableError(f"{path}, line {line}: {key[1]} of {key[0]} is scored twice. Keep one line of it.")
        found[key] = {name: _read_score(row[name], path, line, name) for name in CRITERIA}
    return found


def agree(judge: Mapping[tuple[str, str], Score | None], people: Mapping[tuple[str, str], Score]) -> dict[str, Agreed]:
    """Return the agreement on each criterion, of the texts that both scored."""
    both = [(score, people[key]) for key, score in judge.items() if score is not None and key in people]
    found = {}
    for name in CRITERIA:
        ours, theirs = (np.array([pair[side][name] - 1 for pair in both], dtype=np.int64) for side in (0, 1))
        found[name] = Agreed(len(both), weighted_kappa(ours, theirs))
    return found


def weighted_kappa(first: Codes, second: Codes) -> float | None:
    """Return 1 − Σ w O / Σ w E with w = (i − j)², of scores 0 to 4, int64 (N,) each; None where Σ w E is 0."""
    if not len(first):
        return None
    observed = confusion_matrix(first, second, LEVELS)
    expected = np.outer(observed.sum(axis=1), observed.sum(axis=0)) / len(first)
    apart = np.subtract.outer(np.arange(LEVELS), np.arange(LEVELS)) ** 2
    by_chance = float((apart * expected).sum())
    return rounded(1 - float((apart * observed).sum()) / by_chance) if by_chance else None


def _read_score(value: str | None, path: Path, line: int, column: str) -> int:
    text = (value or "").strip()
    if text not in {str(score) for score in range(1, LEVELS + 1)}:
        raise TableError(f"{path}, line {line}, {column}: expected a score from 1 to 5, found '{text}'.")
    return int(text)
