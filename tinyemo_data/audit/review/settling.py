"""What follows from the rows of a slice: a decision that more than half of its reviewers made, or none."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tinyemo_data.audit.review.file import ReviewFile, Row
from tinyemo_data.audit.review.terms import NO_ACTION, UNSURE


@dataclass(frozen=True)
class Settled:
    """One slice that was decided."""

    slice_id: str
    decision: str
    action: str
    severity: int | None  # 1 to 3, the highest that was given with this decision
    reviewers: list[str]  # who made it
    reason: str


def rows_by_slice(file: ReviewFile) -> dict[str, list[Row]]:
    """Return the rows with a decision, `unsure` too, by slice id in the file's order."""
    found: dict[str, list[Row]] = {}
    for row in file.rows:
        if row["decision"]:
            found.setdefault(row["slice_id"], []).append(row)
    return found


def settle(slice_id: str, rows: Sequence[Row]) -> Settled | None:
    """Return what more than half of the reviewers decided, action included; None where there is no such majority.

    `unsure` is a voice for no decision at all.
    """
    voices = Counter((row["decision"], row["action"] or NO_ACTION) for row in rows)
    if not voices:
        return None
    (decision, action), count = voices.most_common(1)[0]
    if decision == UNSURE or 2 * count <= len(rows):
        return None
    own = [row for row in rows if (row["decision"], row["action"] or NO_ACTION) == (decision, action)]
    severities = [int(row["severity"]) for row in own if row["severity"]]
    return Settled(
        slice_id,
        decision,
        action,
        max(severities, default=None),
        [row["reviewer"] for row in own],
        "; ".join(row["reason"] for row in own if row["reason"]),
    )


def is_disputed(rows: Sequence[Row]) -> bool:
    """Tell whether several people decided and none of their decisions has a majority."""
    return len(rows) > 1 and settle("", rows) is None
