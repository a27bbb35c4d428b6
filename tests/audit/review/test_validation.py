"""What a review may say: each fault is one error that names file, line, what is expected and the mend."""
# ruff: noqa: E501 - each case stands on a line of its own

import pytest

from tinyemo_data.audit.review.file import ReviewFile, Row
from tinyemo_data.audit.review.validation import check_review
from tinyemo_data.errors import ReviewError

KNOWN = {"0123456789abcdef": "dog → fear", "fedcba9876543210": "grave → sadness"}
WHOLE = {
    "slice_id": "0123456789abcdef", "attribute": "dog", "emotion": "fear", "decision": "accepted_bias",
    "severity": "2", "reviewer": "Ada", "date": "2026-01-31", "reason": "dogs are no threat", "action": "reweight",
}  # fmt: skip


def check(*rows: dict[str, str]) -> None:
    columns = tuple(WHOLE)
    check_review(ReviewFile(columns, tuple(Row(n, row) for n, row in enumerate(rows, 2))), KNOWN, "review.csv")


def test_whole_rows_of_several_people_and_rows_that_nobody_touched_are_fine() -> None:
    check(WHOLE, WHOLE | {"reviewer": "Bo", "decision": "legitimate_cue", "action": "none", "severity": ""})
    check({"slice_id": "0123456789abcdef"}, {"slice_id": "fedcba9876543210", "decision": "unsure", "reviewer": "Bo"})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"slice_id": "0123456789abcdee"}, r"line 2: expected the id of a slice .* found '0123456789abcdee'. Did you mean '0123456789abcdef'"),
        ({"slice_id": "x"}, r"found 'x'. The slice dog → fear is 0123456789abcdef\."),
        ({"slice_id": ""}, "found nothing"),
        ({"decision": "acepted_bias"}, r"line 2: the decision is 'acepted_bias'; expected one of accepted_bias, .* Did you mean 'accepted_bias'\?"),
        ({"action": "rewieght"}, r"the action is 'rewieght'; .* Did you mean 'reweight'\?"),
        ({"severity": "4"}, "the severity is '4'; expected one of 1, 2, 3"),
        ({"severity": "high"}, "the severity is 'high'"),
        ({"severity": ""}, "the decision is 'accepted_bias', and the column severity is empty. Write one of 1, 2, 3"),
        ({"date": "31/01/2026"}, "the date is '31/01/2026'; expected year-month-day"),
        ({"date": ""}, "the column date is empty"),
        ({"reviewer": ""}, "the column reviewer is empty. Write a name"),
        ({"reason": ""}, "the column reason is empty"),
        ({"action": ""}, "the column action is empty. Write one of none, reweight"),
        ({"decision": "legitimate_cue"}, "the action 'reweight' goes with the decision 'accepted_bias' alone, found 'legitimate_cue'"),
        ({"decision": ""}, "the action 'reweight' and no decision"),
    ],
    ids=str,
)  # fmt: skip
def test_a_fault_is_named_with_line_expectation_and_mend(changes: dict[str, str], message: str) -> None:
    with pytest.raises(ReviewError, match=message) as caught:
        check(WHOLE | changes)
    assert str(caught.value).startswith("review.csv, line 2: ")


@pytest.mark.parametrize("reviewer", ["Ada", ""])
def test_two_rows_of_one_person_about_one_slice_are_refused(reviewer: str) -> None:
    row = WHOLE | {"reviewer": reviewer} if reviewer else {"slice_id": "0123456789abcdef"}
    with pytest.raises(ReviewError, match=r"line 3: the slice 0123456789abcdef has a row .* in line 2 already"):
        check(row, row)
