"""What the report's own figures say of it: does the model look at the picture?"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tinyemo_data.errors import StoreError
from tinyemo_data.evaluation.naming import percent
from tinyemo_data.evaluation.reasoning.conditions import SHUFFLED, WITHHELD, Condition


@dataclass(frozen=True)
class Finding:
    """One thing that must hold, whether it does, and a sentence for people."""

    passed: bool
    sentence: str
    figures: dict[str, float]


def judge_withheld(report: Mapping[str, Any]) -> Finding:
    """Tell whether the label withheld is stated more often than chance: the interval lies above it."""
    top1, (low, high) = _top1(report, WITHHELD)
    chance = report["context"]["chance"]
    sentence = f"label withheld: top-1 {_told(top1, low, high)}; answers that don't look: {percent(chance)} %"
    return Finding(low > chance, sentence, {"top1": top1, "low": low, "high": high, "chance": chance})


def judge_shuffled(report: Mapping[str, Any]) -> Finding:
    """Tell whether with shuffled pictures it is stated no more often than chance: its interval begins no higher."""
    top1, (low, high) = _top1(report, SHUFFLED)
    chance = report["context"]["chance"]
    sentence = f"pictures shuffled: top-1 {_told(top1, low, high)}; answers that don't look: {percent(chance)} %"
    return Finding(low <= chance, sentence, {"top1": top1, "low": low, "high": high, "chance": chance})


def _top1(report: Mapping[str, Any], condition: Condition) -> tuple[float, tuple[float, float]]:
    found = next((row for row in report["rows"] if row["key"] == condition.key), None)
    if found is None:
        raise StoreError(f"The reasoning report has no row {condition.key}. Materialize evaluation/reasoning again.")
    agreement = found["consistency"]["with_label"]
    low, high = agreement["ci95"]
    return agreement["top1"], (low, high)


def _told(top1: float, low: float, high: float) -> str:
    return f"{percent(top1)} % ({percent(low)}–{percent(high)})"
