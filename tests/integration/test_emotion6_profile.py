"""The `emotion6` profile from the command line, on the real released features: the README's own command."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tinyemo_data.evaluation.report import read_report
from tinyemo_data.store import Store

CHECKOUT = Path(__file__).parents[2]


def command_line(folder: Path, *selection: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `dagster asset materialize` with raw and store in `folder`, as a user would."""
    environment = {
        **os.environ,
        "DAGSTER_HOME": str(folder),
        "TINYEMO_PROFILE": "emotion6",
        "TINYEMO_RAW": str(folder / "raw"),
        "TINYEMO_STORE": str(folder / "store"),
        **variables,
    }
    command = [sys.executable, "-m", "dagster", "asset", "materialize", "-m", "pipelines.definitions", "--select"]
    return subprocess.run(
        [*command, *selection], cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def finished(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the whole chain ran once."""
    folder = tmp_path_factory.mktemp("emotion6")
    (folder / "raw").mkdir()
    (folder / "raw" / "emotion6").symlink_to(shared_data / "emotion6_clip_features")
    run = command_line(folder, "*evaluation/classification")
    assert run.returncode == 0, run.stderr
    return folder


def test_real_features_give_a_table_with_the_projector_over_the_majority(finished: Path) -> None:
    report = read_report(Store(finished / "store"))
    rows = {row.method: row for row in report.rows if row.seed is None}
    assert {row.n for row in rows.values()} == {292}
    assert {row.split for row in rows.values()} == {"validation"}
    assert rows["projector_ensemble"].ci95[0] > rows["majority"].ci95[1]


def test_report_says_that_validation_is_evaluated_and_that_the_language_model_is_made_on_the_spot(
    finished: Path,
) -> None:
    report = read_report(Store(finished / "store"))
    assert any("there is no test folder: validation is the evaluated split" in note for note in report.notes)
    assert report.context["language_model_made_on_the_spot"]
    assert "made on the spot" in (finished / "store/reports/classification.md").read_text()


def test_own_weights_are_imported_and_evaluated_in_place_of_training(finished: Path) -> None:
    weights = finished / "store" / "models" / "projector" / "model.safetensors"
    copy = finished / "own.safetensors"
    copy.write_bytes(weights.read_bytes())
    trained = {row.seed: row.top1 for row in read_report(Store(finished / "store")).rows if row.method == "projector"}
    run = command_line(finished, "projector/model,evaluation/classification", TINYEMO_PROJECTOR__CHECKPOINT=str(copy))
    assert run.returncode == 0, run.stderr
    rows = [row for row in read_report(Store(finished / "store")).rows if row.method == "projector_ensemble"]
    assert rows[0].top1 == trained[0]


def test_missing_dataset_exits_with_1_and_says_where_to_get_it(tmp_path: Path) -> None:
    run = command_line(tmp_path, "samples/emotion6")
    assert run.returncode == 1
    told = " ".join(run.stderr.split())
    assert "DatasetMissingError: Emotion6 is not on this machine" in told
    assert "licence" in told


def test_misspelt_variable_exits_with_1_and_names_the_one_it_may_have_meant(tmp_path: Path) -> None:
    run = command_line(tmp_path, "samples/emotion6", TINYEMO_STROE="x")
    assert run.returncode == 1
    assert "Did you mean 'TINYEMO_STORE'" in run.stderr
