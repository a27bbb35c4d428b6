"""With fewer datasets on the machine than the profile names, the graph does the part that it can and names the rest."""

from pathlib import Path

import dagster as dg
import pytest

from tests.integration.test_materialize_demo import materialize
from tinyemo_data import settings
from tinyemo_data.errors import CheckpointError
from tinyemo_data.evaluation.materialize import materialize_classification
from tinyemo_data.evaluation.report import read_report
from tinyemo_data.features.identity import encoder_slug
from tinyemo_data.ingest import ingest_into
from tinyemo_data.sample_corpus.layouts.corpus import draw_corpus
from tinyemo_data.settings import DatasetSettings
from tinyemo_data.sources import get
from tinyemo_data.store import Store

Run = tuple[settings.Settings, dg.ExecuteInProcessResult]


@pytest.fixture(scope="module")
def run(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A profile of emotion6, fi and OASIS, of which fi is not on the machine."""
    folder = tmp_path_factory.mktemp("at-hand")
    demo = settings.load("demo")
    draw_corpus(folder / "raw", ["emotion6"], demo.sample_corpus.model_copy(update={"pictures_per_emotion": 12}))
    (folder / "raw" / "oasis").symlink_to(shared_data / "oasis")
    names = ["emotion6", "fi", "oasis"]
    projector = {"train_on": ["emotion6", "fi"], "seeds": [0], "epochs": 4}
    chosen = demo.model_copy(
        update={
            "pictures": "real",
            "raw": str(folder / "raw"),
            "store": str(folder / "store"),
            "datasets": {name: DatasetSettings() for name in names},
            "projector": demo.projector.model_copy(update=projector),
            "evaluation": demo.evaluation.model_copy(update={"datasets": names}),
            "synthesis": demo.synthesis.model_copy(update={"sets": {}}),
        }
    )
    return chosen, materialize(chosen)


def test_missing_dataset_fails_alone_and_says_where_to_get_it(run: Run) -> None:
    _, result = run
    failed = {event.step_key: event for event in result.all_events if event.is_step_failure}
    assert set(failed) == {"samples__fi"}
    error = failed["samples__fi"].step_failure_data.error
    assert error is not None
    assert "DatasetMissingError: " in str(error.cause or error)


def test_report_uses_what_is_there_and_names_the_rest(run: Run) -> None:
    chosen, _ = run
    report = read_report(Store(chosen.store))
    assert {row.dataset for row in report.rows} == {"emotion6"}
    assert report.context["datasets_missing"] == ["fi"]
    assert any(note.startswith("fi is not at hand") for note in report.notes)


def test_dataset_with_dimensions_only_has_features_and_is_left_out_of_accuracies(run: Run) -> None:
    chosen, result = run
    made = {event.asset_key.to_user_string() for event in result.get_asset_materialization_events() if event.asset_key}
    assert {"samples/oasis", "features/oasis"} <= made
    notes = read_report(Store(chosen.store)).notes
    assert any(note.startswith("oasis was left out") for note in notes)


def test_projector_of_another_split_is_refused_before_it_is_measured(run: Run) -> None:
    chosen, _ = run
    store = Store(chosen.store)
    ingest_into(store, get("emotion6"), Path(chosen.raw) / "emotion6", DatasetSettings(split_seed=1))
    with pytest.raises(CheckpointError, match="learnt from other train rows of emotion6"):
        materialize_classification(store, chosen, encoder_slug(chosen.encoder))
