"""What `evaluation/reasoning` measured of the very language model that is staged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tinyemo_data.errors import StoreError
from tinyemo_data.evaluation.naming import percent
from tinyemo_data.evaluation.reasoning.conditions import MODEL_TITLES
from tinyemo_data.evaluation.reasoning.report import JSON_KEY, read_json
from tinyemo_data.store import Store

HEADER = ["asked", "N", "top-1", "95 %", "macro-F1", "agrees with projector", "hallucinated mentions", "cut off"]
STATEMENTS_HEADER = ["model", "pairs", "both right", "95 %", "says yes"]


@dataclass(frozen=True)
class Reasoned:
    """The tables' rows, under HEADER and STATEMENTS_HEADER. `why_not` says why there are none."""

    rows: list[list[str]]
    statements: list[list[str]]
    context: dict[str, Any]
    notes: list[str]
    why_not: str | None = None


def read_reasoning(store: Store, identity: str | None) -> Reasoned:
    """Return what was measured of the model with an identity; of another model's figures none are taken."""
    try:
        report = read_json(store)
    except StoreError:
        return _nothing("`evaluation/reasoning` was not materialized.")
    if identity is None or report["context"]["models"].get("finetuned") != identity:
        return _nothing(f"{JSON_KEY} is of another model. Materialize evaluation/reasoning again.")
    return Reasoned(
        [_line(row) for row in report["rows"]],
        [_statement(model, of) for model, of in report["statements"].items()],
        report["context"],
        report["notes"],
    )


def _nothing(why_not: str) -> Reasoned:
    return Reasoned([], [], {}, [], why_not)


def _line(row: Mapping[str, Any]) -> list[str]:
    label, projector = row["consistency"]["with_label"], row["consistency"]["with_projector"]
    return [
        row["title"], f"{row['n']:,}", percent(label["top1"]), _interval(label["ci95"]), percent(label["macro_f1"]),
        percent(projector["top1"]), percent(row["grounding"]["rate"]), f"{row['cut']:,}",
    ]  # fmt: skip


def _statement(model: Any, found: Mapping[str, Any]) -> list[str]:
    return [
        MODEL_TITLES[model], f"{found['n']:,}", percent(found["both_right"]), _interval(found["both_right_ci95"]),
        percent(found["yes_rate"]),
    ]  # fmt: skip


def _interval(ends: Sequence[float]) -> str:
    return f"{percent(ends[0])} to {percent(ends[1])}"
