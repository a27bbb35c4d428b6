"""Parts of train: stratified, seeded, and no picture on both sides."""

from collections import Counter
from dataclasses import replace

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.projector.conftest import MakeLabelled
from tinyemo_data.errors import TrainingError
from tinyemo_data.features.table import LabelledFeatures, concatenate
from tinyemo_data.projector.partition import fold_numbers, held_out_part


def test_held_out_part_takes_the_fraction_of_every_label(labelled: LabelledFeatures) -> None:
    kept, held_out = held_out_part(labelled, 0.2, seed=0)
    assert sorted([*kept.tolist(), *held_out.tolist()]) == list(range(60))
    assert set(Counter(labelled.select(held_out).emotions).values()) == {2}


def test_held_out_part_depends_on_the_seed_alone(labelled: LabelledFeatures) -> None:
    assert torch.equal(held_out_part(labelled, 0.2, 3)[1], held_out_part(labelled, 0.2, 3)[1])
    assert not torch.equal(held_out_part(labelled, 0.2, 3)[1], held_out_part(labelled, 0.2, 4)[1])


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.integers(12, 80), fraction=st.floats(0.01, 0.49), twins=st.integers(0, 12), seed=st.integers(0, 9))
def test_parts_never_share_a_picture_and_never_empty_a_label(
    make_labelled: MakeLabelled, rows: int, fraction: float, twins: int, seed: int
) -> None:
    first = make_labelled(rows=rows)
    # The same pictures once more, as EmotionROI holds Emotion6's.
    again = replace(first.select(list(range(twins))), datasets=["emotionroi"] * twins)
    both = concatenate([first, again])
    kept, held_out = held_out_part(both, fraction, seed)
    assert not {both.sha256[row] for row in kept.tolist()} & {both.sha256[row] for row in held_out.tolist()}
    assert {both.emotions[row] for row in kept.tolist()} == set(both.emotions)
    numbers = fold_numbers(both, 3, seed)
    folds_of: dict[str, set[int]] = {}
    for row, number in enumerate(numbers.tolist()):
        folds_of.setdefault(both.sha256[row], set()).add(number)
    assert all(len(folds) == 1 for folds in folds_of.values())


def test_fold_numbers_deal_each_label_out_evenly(make_labelled: MakeLabelled) -> None:
    labelled = make_labelled(rows=73)
    numbers = fold_numbers(labelled, 5, seed=1)
    sizes = Counter(numbers.tolist())
    assert max(sizes.values()) - min(sizes.values()) <= 1
    for label in set(labelled.emotions):
        counts = Counter(
            number for number, emotion in zip(numbers.tolist(), labelled.emotions, strict=True) if emotion == label
        )
        assert max(counts.values()) - min(counts[fold] for fold in range(5)) <= 1


def test_held_out_part_says_so_when_every_label_has_one_picture(make_labelled: MakeLabelled) -> None:
    with pytest.raises(TrainingError, match="every label has one picture"):
        held_out_part(make_labelled(rows=6), 0.2, seed=0)


def test_fold_numbers_says_so_when_pictures_are_fewer_than_folds(make_labelled: MakeLabelled) -> None:
    with pytest.raises(TrainingError, match=r"3 distinct pictures can't be dealt out to 5 folds"):
        fold_numbers(make_labelled(rows=3), 5, seed=0)
