"""When several people decide: a majority settles, everything else stays open."""

import pytest

from tinyemo_data.audit.review.file import Row
from tinyemo_data.audit.review.settling import is_disputed, settle


def row(reviewer: str, decision: str, action: str = "", severity: str = "") -> Row:
    cells = {"reviewer": reviewer, "decision": decision, "action": action, "severity": severity, "reason": reviewer}
    return Row(2, cells)


def test_settle_takes_the_decision_of_more_than_half_with_its_highest_severity() -> None:
    rows = [row("Ada", "accepted_bias", "reweight", "1"), row("Bo", "legitimate_cue"), row("Cy", "accepted_bias", "reweight", "3")]  # fmt: skip # noqa: E501
    settled = settle("id", rows)
    assert settled is not None
    assert (settled.decision, settled.action, settled.severity) == ("accepted_bias", "reweight", 3)
    assert settled.reviewers == ["Ada", "Cy"]
    assert not is_disputed(rows)


@pytest.mark.parametrize(
    "rows",
    [
        [row("Ada", "accepted_bias", "none"), row("Bo", "legitimate_cue")],
        [row("Ada", "accepted_bias", "none"), row("Bo", "accepted_bias", "reweight")],
        [row("Ada", "legitimate_cue"), row("Bo", "unsure")],
        [row("Ada", "unsure"), row("Bo", "unsure")],
    ],
    ids=["two decisions", "two actions", "one is unsure", "both are"],
)
def test_settle_leaves_open_what_has_no_majority(rows: list[Row]) -> None:
    assert settle("id", rows) is None
    assert is_disputed(rows)


def test_settle_takes_unsure_and_nothing_for_undecided() -> None:
    assert settle("id", []) is None
    assert settle("id", [row("Ada", "unsure")]) is None
    assert not is_disputed([row("Ada", "unsure")])


def test_settle_takes_no_action_where_none_is_given() -> None:
    settled = settle("id", [row("Ada", "legitimate_cue"), row("Bo", "legitimate_cue", "none")])
    assert settled is not None
    assert settled.action == "none"
