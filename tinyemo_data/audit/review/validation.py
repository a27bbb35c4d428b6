"""What a row of the review file may say. The first fault is one error that names file, line, and what to write."""

import datetime
from collections.abc import Collection, Mapping

from tinyemo_data.audit.review.file import ReviewFile, Row
from tinyemo_data.audit.review.terms import ACCEPTED, ACTIONS, DECISIONS, REWEIGHT, SEVERITIES, UNSURE
from tinyemo_data.errors import ReviewError, nearest


def check_review(file: ReviewFile, known: Mapping[str, str], where: str) -> None:
    """Raise ReviewError for the first row that says something that can't be followed.

    `known` maps the ids of all slices that were ever found to what they are, such as `dog → fear`.
    """
    seen: dict[tuple[str, str], int] = {}
    for row in file.rows:
        place = f"{where}, line {row.line}"
        _check_slice(row, known, place)
        pair = (row["slice_id"], row["reviewer"])
        if pair in seen:
            who = f"of the reviewer '{row['reviewer']}'" if row["reviewer"] else "without a reviewer"
            raise ReviewError(
                f"{place}: the slice {row['slice_id']} has a row {who} in line {seen[pair]} already. Keep one; a "
                "second person's decision needs another name in the column reviewer."
            )
        seen[pair] = row.line
        if not row.is_untouched:
            _check_words(row, place)
            _check_complete(row, place)


def _check_slice(row: Row, known: Mapping[str, str], place: str) -> None:
    name = row["slice_id"]
    if name in known:
        return
    close = nearest(name, known)
    of_pair = [found for found, pair in known.items() if pair == f"{row['attribute']} → {row['emotion']}"]
    hint = close or (f" The slice {row['attribute']} → {row['emotion']} is {of_pair[-1]}." if of_pair else "")
    found = f"'{name}'" if name else "nothing"
    raise ReviewError(
        f"{place}: expected the id of a slice that the audit found, found {found}.{hint} Ids are in audit/report.html "
        "and audit/slices.parquet; delete the row where it is of no use any more."
    )


def _check_words(row: Row, place: str) -> None:
    _one_of(row, "decision", (*DECISIONS, ""), place)
    _one_of(row, "action", (*ACTIONS, ""), place)
    _one_of(row, "severity", (*SEVERITIES, ""), place)
    date = row["date"]
    try:
        if date:
            datetime.date.fromisoformat(date)
    except ValueError as exc:
        raise ReviewError(f"{place}: the date is '{date}'; expected year-month-day, such as 2026-01-31.") from exc


def _check_complete(row: Row, place: str) -> None:
    decision, action = row["decision"], row["action"]
    if not decision:
        if action and action != ACTIONS[0]:
            raise ReviewError(
                f"{place}: there is the action '{action}' and no decision. Write one of {_listed(DECISIONS)}."
            )
        return
    needed = ["reviewer"] if decision == UNSURE else ["reviewer", "date", "reason"]
    needed += ["severity", "action"] if decision == ACCEPTED else []
    for name in needed:
        if not row[name]:
            allowed = {"severity": SEVERITIES, "action": ACTIONS}.get(name)
            what = f" one of {_listed(allowed)}" if allowed else " a name" if name == "reviewer" else ""
            raise ReviewError(
                f"{place}: the decision is '{decision}', and the column {name} is empty. Write{what or ' it'} there: a "
                "decision is of use to others only with it."
            )
    if action == REWEIGHT and decision != ACCEPTED:
        raise ReviewError(
            f"{place}: the action '{REWEIGHT}' goes with the decision '{ACCEPTED}' alone, found '{decision}'. Change "
            "one of the two."
        )


def _one_of(row: Row, column: str, allowed: Collection[str], place: str) -> None:
    if row[column] not in allowed:
        words = [word for word in allowed if word]
        raise ReviewError(
            f"{place}: the {column} is '{row[column]}'; expected one of {_listed(words)}, or nothing as long as nobody "
            f"decided.{nearest(row[column], words)}"
        )


def _listed(words: Collection[str]) -> str:
    return ", ".join(words)
