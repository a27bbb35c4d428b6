import dataclasses

import polars as pl
import pytest

from tinyemo_data.synthesis.diversity import TaskDiversity
from tinyemo_data.synthesis.funnel import ACCEPTED, WAITING, Funnel
from tinyemo_data.synthesis.judgement import Finding, SetLimits, judge_set

VARIED = TaskDiversity(100, 100, 0.6, 0.3, "the red boat", 0.05, 0.8, 0.99)


def counted(**outcomes: int) -> Funnel:
    """Count so many drafts of one task by how they ended."""
    funnel = Funnel("s", drafts=sum(outcomes.values()))
    rows = [("s/a", "awe", outcome, None, 0.0) for outcome, count in outcomes.items() for _ in range(count)]
    funnel.add(pl.DataFrame(rows, schema=["prompt", "emotion", "outcome", "reason", "usd"], orient="row"))
    return funnel


def broken(findings: list[Finding]) -> dict[str, bool]:
    """Return what did not pass, and whether it blocks."""
    return {one.name: one.blocking for one in findings if not one.passed}


def test_a_varied_set_passes_all_that_is_looked_at() -> None:
    findings = judge_set(counted(accepted=90, length=10), {"s/a": VARIED})
    assert broken(findings) == {}
    assert {one.name for one in findings} >= {"has_records", "acceptance", "distinct_2", "self_bleu", "modal_opening"}
    assert all(one.sentence.endswith((".", ".'")) for one in findings)


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ({"length": 100}, {"has_records": True, "acceptance": True}),
        ({ACCEPTED: 40, "length": 60}, {"acceptance": True}),
        ({ACCEPTED: 4, "length": 6}, {"acceptance": False}),
        ({ACCEPTED: 80, "refused": 20}, {"refusals": False}),
        ({ACCEPTED: 90, WAITING: 10}, {"is_complete": False}),
        ({ACCEPTED: 40, "surplus": 60}, {}),
        ({WAITING: 10}, {"has_records": True, "is_complete": False}),
    ],
)
def test_counts_are_judged(outcomes: dict[str, int], expected: dict[str, bool]) -> None:
    assert broken(judge_set(counted(**outcomes), {})) == expected


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"distinct_2": 0.05}, {"distinct_2": True}),
        ({"self_bleu": 0.9}, {"self_bleu": True}),
        ({"modal_opening_share": 0.6}, {"modal_opening": False}),
        ({"smallest_class": 0.01}, {"smallest_class": False}),
        ({"self_bleu": 0.9, "sampled": 8}, {"self_bleu": False}),
    ],
)
def test_diversity_is_judged(change: dict[str, float], expected: dict[str, bool]) -> None:
    found = dataclasses.replace(VARIED, **change)  # type: ignore[arg-type]
    assert broken(judge_set(counted(accepted=90), {"s/a": found})) == expected


def test_limits_are_data() -> None:
    funnel = counted(accepted=40, length=60)
    assert broken(judge_set(funnel, {}, SetLimits(accepted=0.3))) == {}
