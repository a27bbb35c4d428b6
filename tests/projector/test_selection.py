"""Choosing settings by paired cross-validation on train."""

import pytest

from tests.projector.conftest import MakeLabelled, MakeSettings
from tinyemo_data.errors import SettingsError
from tinyemo_data.features.table import LabelledFeatures
from tinyemo_data.projector.cross_validation import cross_validate
from tinyemo_data.projector.prototypes import Prototypes
from tinyemo_data.projector.selection import choose


def test_choose_trains_nothing_when_there_are_no_candidates(
    labelled: LabelledFeatures, prototypes: Prototypes, make_settings: MakeSettings
) -> None:
    settings = make_settings()
    told: list[int] = []
    selection = choose(labelled, prototypes, settings, progress=lambda done, _: told.append(done))
    assert selection.settings is settings
    assert selection.as_rows() == []
    assert told == []


def test_choose_takes_the_candidate_of_best_held_out_accuracy_on_shared_folds(
    make_labelled: MakeLabelled, prototypes: Prototypes, make_settings: MakeSettings
) -> None:
    labelled = make_labelled(rows=180)
    candidates = [{"max_learning_rate": 1e-7}, {"max_learning_rate": 0.02, "epochs": 6}]
    settings = make_settings(seeds=[0], epochs=1, max_learning_rate=1e-6, candidates=candidates, folds=3)
    told: list[tuple[int, int]] = []
    selection = choose(labelled, prototypes, settings, 5, lambda done, total: told.append((done, total)))
    expected = [
        cross_validate(labelled, prototypes, settings.model_copy(update=overrides), 3, 5)
        for overrides in ({}, *candidates)
    ]
    assert [row.fold_top1 for row in selection.table] == [result.top1 for result in expected]
    assert [row.chosen for row in selection.table] == [False, False, True]
    assert (selection.settings.max_learning_rate, selection.settings.epochs) == (0.02, 6)
    assert selection.table[0].standard_error is None
    assert selection.table[2].difference == pytest.approx(expected[2].mean - expected[0].mean)
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_choose_keeps_the_settings_as_they_stand_when_candidates_tie(
    labelled: LabelledFeatures, prototypes: Prototypes, make_settings: MakeSettings
) -> None:
    settings = make_settings(seeds=[0], candidates=[{"margin": 0.1}], folds=2)
    selection = choose(labelled, prototypes, settings)
    assert selection.table[0].top1 == selection.table[1].top1
    assert [row.chosen for row in selection.table] == [True, False]


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        pytest.param({"epoch": 3}, r"'epoch' is no setting to choose\. Did you mean 'epochs'\?", id="misspelt"),
        pytest.param({"train_on": ["fi"]}, "'train_on' is no setting to choose", id="another-train-set"),
        pytest.param({"grounding_text": "a {emotion} scene"}, "'grounding_text' is no setting", id="other-prototypes"),
        pytest.param({"temperature": -1}, "temperature: Input should be greater than 0; found -1", id="out-of-range"),
    ],
)
def test_choose_names_the_key_when_a_candidate_is_no_setting(
    labelled: LabelledFeatures,
    prototypes: Prototypes,
    make_settings: MakeSettings,
    overrides: dict[str, object],
    message: str,
) -> None:
    with pytest.raises(SettingsError, match=message):
        choose(labelled, prototypes, make_settings(candidates=[overrides]))
