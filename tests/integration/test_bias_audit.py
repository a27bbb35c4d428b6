"""From drawn pictures through findings and decisions to a mitigated projector, as the assets make them."""

import csv
import io
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from tests.audit.report.outline import Outline
from tests.integration.test_materialize_demo import demo_settings, materialize
from tinyemo_data import settings
from tinyemo_data.audit.bias.written import read_examples, read_slices
from tinyemo_data.audit.mitigation.materialize import DONE, FOLDER, JSON_KEY, NOTHING, WAITING
from tinyemo_data.audit.report.page import PAGE_KEY
from tinyemo_data.audit.review.terms import REVIEW_KEY
from tinyemo_data.projector.checkpoint import load_checkpoint
from tinyemo_data.projector.prototypes import read_prototypes
from tinyemo_data.store import Store

AUDIT = 'key:"audit/bias" or key:"audit/review" or key:"audit/mitigated"'
REVIEWED = 'key:"audit/review" or key:"audit/mitigated"'
Demo = tuple[settings.Settings, dg.ExecuteInProcessResult]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """The audited demo, with limits so low that a few pictures give flagged slices."""
    plain = demo_settings(tmp_path_factory.mktemp("audit"), pictures=12)
    low = {"min_support": 3, "q": 0.9, "odds_ratio": 1.0, "delta_contrast": 0.0, "bootstrap": 100, "permutations": 19}
    names = ["fi", "artphoto", "emoset", "webemo"]
    few = {
        "datasets": {name: plain.datasets[name] for name in names},
        "audit": plain.audit.model_copy(update={**low, "datasets": ["fi", "artphoto", "webemo"]}),
        "projector": plain.projector.model_copy(update={"train_on": ["emoset", "webemo"]}),
        "evaluation": plain.evaluation.model_copy(update={"datasets": ["fi"]}),
        "synthesis": settings.SynthesisSettings(),
    }
    chosen = plain.model_copy(update=few)
    return chosen, materialize(chosen, '+key:"audit/mitigated"')


def rows_of(store: Store) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(store.read_bytes(REVIEW_KEY).decode())))


def write_rows(store: Store, rows: list[dict[str, str]]) -> None:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    store.write_bytes(REVIEW_KEY, buffer.getvalue().encode())


def test_undecided_slices_fail_no_run_and_are_told(demo: Demo) -> None:
    chosen, result = demo
    assert result.success
    store = Store(chosen.store)
    flagged = read_slices(store).filter("flagged")
    assert len(flagged) >= 2
    assert {row["slice_id"] for row in rows_of(store)} == set(flagged["slice_id"])
    told = store.read_json(JSON_KEY)
    assert (told["status"], told["undecided"]) == (NOTHING, len(flagged))
    checks = {check.check_name: check for check in result.get_asset_check_evaluations()}
    assert not checks["all_decided"].passed
    assert checks["decisions_hold"].passed
    assert checks["review_is_complete"].passed


def test_page_shows_pictures_of_the_slice_and_controls(demo: Demo) -> None:
    chosen, _ = demo
    store = Store(chosen.store)
    outline = Outline(store.read_bytes(PAGE_KEY).decode())
    assert outline.unbalanced == []
    pictures = outline.root.within("img")
    shown = [one for evidence in read_examples(store).values() for one in (*evidence.examples, *evidence.controls)]
    assert pictures
    assert all(one.attributes["src"].startswith("data:image/jpeg;base64,") for one in pictures)
    assert {one.attributes["alt"].partition(":")[0] for one in pictures} <= set(shown)


def test_audited_pictures_were_not_learnt_from_and_examples_are_ids_alone(demo: Demo) -> None:
    chosen, _ = demo
    examples = Store(chosen.store).read_bytes("audit/examples.jsonl").decode()
    assert "webemo/train" not in examples
    assert "base64" not in examples
    assert str(Path(chosen.store)) not in examples


def test_a_half_finished_review_waits_and_a_whole_one_is_carried_out(demo: Demo) -> None:
    chosen, _ = demo
    store = Store(chosen.store)
    rows = rows_of(store)
    word = {"reviewer": "Ada", "date": "2026-01-31", "reason": "it is so"}
    rows[0] |= word | {"decision": "accepted_bias", "severity": "2", "action": "reweight"}
    write_rows(store, rows)
    result = materialize(chosen, REVIEWED)
    assert result.success
    assert store.read_json(JSON_KEY)["status"] == WAITING
    checks = {check.check_name: check for check in result.get_asset_check_evaluations()}
    assert not checks["review_is_complete"].passed
    assert not store.exists(f"{FOLDER}/config.json")

    write_rows(store, [rows[0], *(row | word | {"decision": "legitimate_cue"} for row in rows[1:])])
    assert materialize(chosen, REVIEWED).success
    told = store.read_json(JSON_KEY)
    assert told["status"] == DONE
    (accepted,) = told["slices"]
    found = read_slices(store).row(by_predicate=pl.col("slice_id") == accepted["slice_id"], named=True)
    assert accepted["before"] == pytest.approx(found["d"], abs=1e-9)
    assert accepted["change"] is not None
    (weighed,) = told["weights"]
    assert weighed["pairs"][0]["odds_ratio_after"] == pytest.approx(1, abs=1e-3)
    assert {row["seed"] for row in told["accuracy"]} == {0, 1, None}
    assert all(row["n"] > 0 for row in told["accuracy"])
    mitigated = load_checkpoint(store, read_prototypes(store), FOLDER)
    assert mitigated.digest == told["model_after"] != told["model_before"]


def test_the_audit_again_gives_equal_bytes_and_keeps_decisions(demo: Demo) -> None:
    chosen, _ = demo
    store = Store(chosen.store)
    keys = [key for key in store.keys("audit") if "interpretability" not in key]
    before = {key: store.digest(key) for key in keys}
    assert materialize(chosen, AUDIT).success
    assert {key: store.digest(key) for key in keys} == before


def test_a_typo_in_the_review_fails_its_asset_with_the_line(demo: Demo) -> None:
    chosen, _ = demo
    store = Store(chosen.store)
    rows = rows_of(store)
    write_rows(store, [rows[0] | {"decision": "acepted_bias"}, *rows[1:]])
    result = materialize(chosen, REVIEWED)
    assert not result.success
    failure = next(event for event in result.all_events if event.is_step_failure)
    text = failure.step_failure_data.error.message if failure.step_failure_data.error else ""
    assert "line 2: the decision is 'acepted_bias'" in text
    assert "Did you mean 'accepted_bias'?" in text
    write_rows(store, rows)
