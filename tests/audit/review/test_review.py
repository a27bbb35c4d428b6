"""The review over a store: what people wrote stays, what is new is added, what moved is told."""

import csv
import io

import numpy as np
import polars as pl
import pytest

from tests.audit.conftest import write_made_up
from tinyemo_data.audit.bias.written import REPORT_KEY, SLICES_KEY, read_slices
from tinyemo_data.audit.review.materialize import materialize_review
from tinyemo_data.audit.review.state import STATE_KEY, read_state
from tinyemo_data.audit.review.terms import COLUMNS, REVIEW_KEY
from tinyemo_data.errors import ReviewError, StoreError
from tinyemo_data.store import Store

DECIDED = {
    "decision": "accepted_bias", "severity": "2", "reviewer": "Ada", "date": "2026-01-31", "reason": "so, \"it\" is",
    "action": "reweight",
}  # fmt: skip


def rows_of(store: Store) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(store.read_bytes(REVIEW_KEY).decode())))


def write_rows(store: Store, rows: list[dict[str, str]]) -> None:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    store.write_bytes(REVIEW_KEY, buffer.getvalue().encode())


def decide(store: Store, **changes: str) -> None:
    """Write a decision into the first row, as a person would."""
    rows = rows_of(store)
    rows[0] |= DECIDED | changes
    write_rows(store, rows)


def change_slices(store: Store, *columns: pl.Expr) -> None:
    """Write other figures into the audit's table, as another audit of the same pictures and model would."""
    store.write_table(SLICES_KEY, read_slices(store).with_columns(*columns))
    store.write_json(REPORT_KEY, store.read_json(REPORT_KEY) | {"slices_sha256": store.digest(SLICES_KEY)})


def test_flagged_slices_are_listed_undecided_with_their_figures(audited_store: Store) -> None:
    state = materialize_review(audited_store)
    (row,) = rows_of(audited_store)
    flagged = read_slices(audited_store).filter("flagged").row(0, named=True)
    assert state.undecided == [row["slice_id"]] == [flagged["slice_id"]]
    assert tuple(row) == COLUMNS
    assert (row["dataset"], row["attribute"], row["emotion"]) == ("emoset", "a0", "anger")
    assert float(row["d"]) == pytest.approx(flagged["d"], abs=5e-4)
    assert row["decision"] == ""
    assert read_state(audited_store) == state


def test_a_second_run_changes_no_byte(audited_store: Store) -> None:
    materialize_review(audited_store)
    before = {key: audited_store.read_bytes(key) for key in audited_store.keys("audit")}
    materialize_review(audited_store)
    assert {key: audited_store.read_bytes(key) for key in audited_store.keys("audit")} == before


def test_a_decision_counts_and_nothing_that_a_person_wrote_changes(audited_store: Store) -> None:
    materialize_review(audited_store)
    decide(audited_store, reason='  two\nlines, "quoted"  ')
    rows = rows_of(audited_store)
    rows[0]["my notes"] = "see mail"
    write_rows(audited_store, rows)
    before = audited_store.read_bytes(REVIEW_KEY)
    state = materialize_review(audited_store)
    assert audited_store.read_bytes(REVIEW_KEY) == before
    assert state.undecided == []
    assert [one.slice_id for one in state.to_reweight] == [rows[0]["slice_id"]]
    assert state.second_look == [rows[0]["slice_id"]]


def test_a_file_of_two_columns_alone_is_completed(audited_store: Store) -> None:
    name = read_slices(audited_store).filter("flagged")["slice_id"][0]
    audited_store.write_bytes(REVIEW_KEY, f"decision,slice_id\n,{name}\n".encode())
    materialize_review(audited_store)
    (row,) = rows_of(audited_store)
    assert list(row)[:2] == ["decision", "slice_id"]
    assert row["attribute"] == "a0"


def test_a_person_may_decide_about_a_pair_that_was_not_flagged(audited_store: Store) -> None:
    materialize_review(audited_store)
    other = read_slices(audited_store).filter(~pl.col("flagged"))["slice_id"][0]
    rows = rows_of(audited_store)
    write_rows(audited_store, [*rows, dict.fromkeys(COLUMNS, "") | {"slice_id": other} | DECIDED])
    state = materialize_review(audited_store)
    assert [one.slice_id for one in state.settled] == [other]
    assert state.no_longer_flagged == [other]
    assert rows_of(audited_store)[1]["attribute"] != ""


def test_a_fault_leaves_the_file_and_the_state_as_they_are(audited_store: Store) -> None:
    materialize_review(audited_store)
    state = audited_store.read_bytes(STATE_KEY)
    decide(audited_store, decision="acepted_bias")
    before = audited_store.read_bytes(REVIEW_KEY)
    with pytest.raises(ReviewError, match=r"review.csv, line 2: the decision is 'acepted_bias'"):
        materialize_review(audited_store)
    assert audited_store.read_bytes(REVIEW_KEY) == before
    assert audited_store.read_bytes(STATE_KEY) == state
    with pytest.raises(ReviewError, match=r"made of another audit/review.csv than there is now"):
        read_state(audited_store)


def test_an_effect_outside_its_old_interval_is_told_until_somebody_decides_again(audited_store: Store) -> None:
    materialize_review(audited_store)
    decide(audited_store)
    assert materialize_review(audited_store).moved == []
    shown = rows_of(audited_store)[0]
    change_slices(audited_store, pl.col("d") + 5, pl.col("d_low") + 5, pl.col("d_high") + 5)
    (moved,) = materialize_review(audited_store).moved
    assert moved.was is not None
    assert moved.now == pytest.approx(moved.was + 5)
    assert rows_of(audited_store)[0] == shown
    decide(audited_store, date="2026-03-01")
    assert materialize_review(audited_store).moved == []


def test_an_effect_within_its_interval_has_not_moved(audited_store: Store) -> None:
    materialize_review(audited_store)
    decide(audited_store)
    materialize_review(audited_store)
    change_slices(audited_store, pl.col("d_low").alias("d"))
    assert materialize_review(audited_store).moved == []


def test_undecided_rows_are_told_anew_and_go_when_their_slice_does(audited_store: Store) -> None:
    materialize_review(audited_store)
    change_slices(audited_store, pl.lit(9.0).alias("d"))
    materialize_review(audited_store)
    assert rows_of(audited_store)[0]["d"] == "9.000"
    change_slices(audited_store, pl.lit(False).alias("flagged"))
    state = materialize_review(audited_store)
    assert rows_of(audited_store) == []
    assert (state.flagged, state.undecided) == (0, [])


def test_a_decision_about_another_projector_is_kept_and_shown_and_counts_no_more(audited_store: Store) -> None:
    materialize_review(audited_store)
    decide(audited_store)
    materialize_review(audited_store)
    write_made_up(audited_store, "retrained")
    state = materialize_review(audited_store)
    old, new = rows_of(audited_store)
    assert state.earlier == [old["slice_id"]]
    assert state.undecided == [new["slice_id"]]
    assert state.settled == []
    assert old["reason"] == DECIDED["reason"]
    assert new["earlier"].startswith("accepted_bias (Ada, 2026-01-31, d was ")


def test_two_reviewers_who_differ_leave_the_slice_open_and_get_a_kappa(audited_store: Store) -> None:
    materialize_review(audited_store)
    decide(audited_store)
    rows = rows_of(audited_store)
    other = rows[0] | {"reviewer": "Bo", "decision": "legitimate_cue", "action": "", "severity": ""}
    write_rows(audited_store, [*rows, other])
    state = materialize_review(audited_store)
    assert state.undecided == state.disputed == [rows[0]["slice_id"]]
    assert [(one.first, one.second, one.slices, one.agreed) for one in state.agreement] == [("Ada", "Bo", 1, 0.0)]
    assert state.second_look == []


def test_without_an_audit_and_with_an_altered_one_it_is_said(store: Store) -> None:
    with pytest.raises(StoreError, match=r"bias_report\.json is not there"):
        materialize_review(store)
    write_made_up(store)
    store.write_table(SLICES_KEY, store.read_table(SLICES_KEY).head(1))
    with pytest.raises(StoreError, match=r"is not the file that audit/bias_report\.json was written with"):
        materialize_review(store)


def test_no_random_edit_of_the_file_loses_a_persons_words(audited_store: Store) -> None:
    """Random decisions, orders, doublings and audits: what was written is there after each run, or it was refused."""
    rng = np.random.default_rng(0)
    materialize_review(audited_store)
    for trial in range(12):
        rows = rows_of(audited_store) or [dict.fromkeys(COLUMNS, "")]
        number = int(rng.integers(len(rows)))
        decision = str(rng.choice(["", "unsure", "legitimate_cue", "typo"]))
        rows[number] |= {"reason": f"words {trial}", "reviewer": f"r{rng.integers(3)}", "decision": decision}
        rows[number] |= {"date": "2026-01-01", "action": ""}
        rng.shuffle(rows)
        write_rows(audited_store, rows)
        write_made_up(audited_store, f"model {rng.integers(2)}")
        written = sorted(row["reason"] for row in rows if row["reason"])
        try:
            materialize_review(audited_store)
        except ReviewError:
            assert rows_of(audited_store) == rows
            rows[[row["reason"] for row in rows].index(f"words {trial}")]["decision"] = "unsure"
            write_rows(audited_store, rows)
        assert sorted(row["reason"] for row in rows_of(audited_store) if row["reason"]) == written
