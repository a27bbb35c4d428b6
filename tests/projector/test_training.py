"""Training one projector: what it learns, what it keeps, and that a seed decides all of it."""

from dataclasses import replace

import pytest
import torch

from tests.projector.conftest import MakeLabelled, MakeSettings
from tinyemo_data.errors import TrainingError
from tinyemo_data.features.table import LabelledFeatures, concatenate
from tinyemo_data.projector.ensemble import ensemble_of, right_rows
from tinyemo_data.projector.partition import held_out_part
from tinyemo_data.projector.prototypes import Prototypes
from tinyemo_data.projector.training import EpochLog, TrainedProjector, train_projector
from tinyemo_data.settings import LossName, ProjectorSettings

LOSSES = ["prototype_softmax", "info_nce", "info_nce_original", "nt_xent", "cosine"]


def top1(course: TrainedProjector, prototypes: Prototypes, labelled: LabelledFeatures) -> float:
    ensemble = ensemble_of([course.projector], [0], prototypes, 0.5)
    return float(right_rows(ensemble, labelled)[-1].float().mean())


@pytest.mark.parametrize("loss", LOSSES)
def test_train_projector_tells_separate_clusters_apart_under_every_loss(
    make_labelled: MakeLabelled, prototypes: Prototypes, make_settings: MakeSettings, loss: LossName
) -> None:
    settings = make_settings(loss=loss, epochs=15, patience=15)
    course = train_projector(make_labelled(rows=240), prototypes, settings, seed=0)
    assert top1(course, prototypes, make_labelled(rows=120, seed=9)) > 0.9


def test_train_projector_gives_equal_bits_for_equal_seeds(
    labelled: LabelledFeatures, prototypes: Prototypes, make_settings: MakeSettings
) -> None:
    settings = make_settings(synonym_probability=0.5, class_balancing=True)
    torch.manual_seed(1)
    one = train_projector(labelled, prototypes, settings, seed=3)
    torch.manual_seed(2)
    same = train_projector(labelled, prototypes, settings, seed=3)
    other = train_projector(labelled, prototypes, settings, seed=4)
    assert one.log == same.log != other.log
    for key, value in one.projector.state_dict().items():
        assert torch.equal(value, same.projector.state_dict()[key])


def test_train_projector_leaves_the_global_random_state(
    labelled: LabelledFeatures, prototypes: Prototypes, make_settings: MakeSettings
) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    train_projector(labelled, prototypes, make_settings(), seed=0)
    assert torch.equal(torch.rand(3), expected)


def test_train_projector_keeps_the_epoch_of_lowest_validation_loss_not_the_last(
    make_labelled: MakeLabelled, prototypes: Prototypes, make_settings: MakeSettings
) -> None:
    """The original's fault 3: its "best" checkpoint was always the last."""
    noisy = make_labelled(rows=48, size=64)
    noisy = replace(noisy, features=torch.randn(48, 64, generator=torch.Generator().manual_seed(0)).half())
    settings = make_settings(epochs=30, patience=4, dropout=0.0)
    course = train_projector(noisy, prototypes, settings, seed=0)
    losses = [line.validation_loss for line in course.log]
    assert course.best_epoch == losses.index(min(losses)) + 1
    assert course.best_epoch < len(losses) == course.best_epoch + 4 < 30
    # The weights are those of that epoch: they give its validation accuracy once more.
    _, held_out = held_out_part(noisy, settings.validation_fraction, 0)
    expected = course.log[course.best_epoch - 1].validation_top1
    assert top1(course, prototypes, noisy.select(held_out)) == pytest.approx(expected)


def test_train_projector_looks_at_no_more_rows_than_it_is_given(
    make_labelled: MakeLabelled, prototypes: Prototypes, make_settings: MakeSettings
) -> None:
    """Early stopping's validation part comes out of the rows themselves: held-out rows take no part in
    training.
    """
    labelled = make_labelled()
    settings = make_settings(epochs=1)
    before = train_projector(labelled, prototypes, settings, seed=0).projector.state_dict()
    _, held_out = held_out_part(labelled, settings.validation_fraction, 0)
    labelled.features[held_out] += 100
    after = train_projector(labelled, prototypes, settings, seed=0).projector.state_dict()
    assert all(torch.equal(before[key], after[key]) for key in before)


def test_train_projector_learns_two_taxonomies_jointly(
    make_labelled: MakeLabelled, prototypes: Prototypes, make_settings: MakeSettings
) -> None:
    joint = concatenate([make_labelled(rows=240), make_labelled(rows=320, taxonomy_name="mikels8", dataset="emoset")])
    course = train_projector(joint, prototypes, make_settings(epochs=15, patience=15), seed=0)
    fresh = [
        make_labelled(rows=60, seed=8),
        make_labelled(rows=80, taxonomy_name="mikels8", dataset="emoset", seed=8),
    ]
    assert all(top1(course, prototypes, part) > 0.9 for part in fresh)


def test_train_projector_learns_from_centred_prototypes_when_asked(
    labelled: LabelledFeatures, prototypes: Prototypes, make_settings: MakeSettings
) -> None:
    shifted = replace(prototypes, embeddings=prototypes.embeddings + torch.randn(12))
    given_centred = train_projector(labelled, shifted.centred(), make_settings(), seed=0)
    centring = train_projector(labelled, shifted, make_settings(center_prototypes=True), seed=0)
    plain = train_projector(labelled, shifted, make_settings(), seed=0)
    assert centring.log == given_centred.log != plain.log


def test_class_balancing_helps_the_rare_class(
    make_labelled: MakeLabelled, prototypes: Prototypes, make_settings: MakeSettings
) -> None:
    rows = make_labelled(rows=600, size=6)
    rows = replace(rows, features=rows.features + torch.randn_like(rows.features))
    common = [row for row, emotion in enumerate(rows.emotions) if emotion == "joy"]
    rare = [row for row, emotion in enumerate(rows.emotions) if emotion == "fear"]
    skewed = rows.select([*common, *rare[:12]])
    fresh = rows.select(rare[50:])
    plain, balanced = (
        train_projector(skewed, prototypes, make_settings(class_balancing=flag, epochs=6, patience=6), seed=0)
        for flag in (False, True)
    )
    assert top1(balanced, prototypes, fresh) > top1(plain, prototypes, fresh)


def test_train_projector_computes_small_steps_on_one_thread_and_gives_the_threads_back(
    labelled: LabelledFeatures, prototypes: Prototypes, make_settings: MakeSettings
) -> None:
    threads: list[int] = []
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        train_projector(labelled, prototypes, make_settings(), 0, lambda _: threads.append(torch.get_num_threads()))
        assert set(threads) == {1}
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_progress_is_told_each_epoch_in_turn(
    labelled: LabelledFeatures, prototypes: Prototypes, make_settings: MakeSettings
) -> None:
    told: list[EpochLog] = []
    course = train_projector(labelled, prototypes, make_settings(epochs=3, patience=3), 0, told.append)
    assert told == course.log
    assert [(line.epoch, line.epochs) for line in told] == [(1, 3), (2, 3), (3, 3)]
    assert all(line.seconds > 0 for line in told)
    assert told[0].learning_rate > told[1].learning_rate > told[2].learning_rate > 0


def test_train_projector_says_what_to_lower_when_the_loss_is_no_number(
    labelled: LabelledFeatures, prototypes: Prototypes, make_settings: MakeSettings
) -> None:
    settings: ProjectorSettings = make_settings(max_learning_rate=1e38)
    with pytest.raises(TrainingError, match=r"loss is nan in epoch 1 of seed 0.*max_learning_rate"):
        train_projector(labelled, prototypes, settings, seed=0)


def test_train_projector_trains_on_as_few_as_four_rows(
    make_labelled: MakeLabelled, prototypes: Prototypes, make_settings: MakeSettings
) -> None:
    course = train_projector(make_labelled(rows=12).select([0, 1, 6, 7]), prototypes, make_settings(), seed=0)
    assert all(torch.isfinite(value).all() for value in course.projector.state_dict().values())
