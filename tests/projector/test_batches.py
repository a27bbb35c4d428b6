"""What a batch is indexed from: vocabulary, rows, epochs, and what can't be trained on."""

from collections import Counter
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.projector.conftest import MakeLabelled
from tinyemo_data import taxonomy
from tinyemo_data.errors import CheckpointError, TrainingError
from tinyemo_data.features.table import LabelledFeatures, concatenate
from tinyemo_data.projector.batches import (
    batches_of,
    check_trainable,
    digest_of_data,
    drawn_texts,
    epoch_order,
    training_rows,
    vocabulary,
)
from tinyemo_data.projector.prototypes import Prototypes, with_digest


def test_vocabulary_shares_the_prototype_of_a_word_that_two_taxonomies_have(
    make_labelled: MakeLabelled, prototypes: Prototypes
) -> None:
    joint = concatenate([make_labelled(), make_labelled(taxonomy_name="mikels8", dataset="emoset")])
    known = vocabulary(joint.taxonomies, prototypes)
    rows = training_rows(joint, known)
    sadness = {int(rows.labels[row]) for row, emotion in enumerate(joint.emotions) if emotion == "sadness"}
    assert len(sadness) == 1
    assert known.words == tuple(sorted({*taxonomy.get("ekman6").labels, *taxonomy.get("mikels8").labels}))


def test_vocabulary_offers_each_row_the_labels_of_its_own_taxonomy(
    make_labelled: MakeLabelled, prototypes: Prototypes
) -> None:
    joint = concatenate([make_labelled(), make_labelled(taxonomy_name="mikels8", dataset="emoset")])
    known = vocabulary(joint.taxonomies, prototypes)
    rows = training_rows(joint, known)
    for row in (0, 1, 60, 67):
        offered = {word for word, yes in zip(known.words, known.candidates[rows.taxonomies[row]], strict=True) if yes}
        assert offered == set(taxonomy.get(joint.taxonomies[row]).labels)
        assert known.words[int(rows.labels[row])] == joint.emotions[row]


def test_vocabulary_numbers_equal_texts_equally(prototypes: Prototypes) -> None:
    joy = prototypes.for_labels(["joy"])
    doubled = with_digest(
        prototypes.words, prototypes.embeddings, {"surprise": torch.cat([joy, joy + 1])}, "random points", "{emotion}"
    )
    known = vocabulary(["ekman6"], doubled)
    first, second = known.synonyms[known.words.index("surprise")].tolist()
    ids = known.text_ids.tolist()
    assert ids[first] == ids[known.words.index("joy")] != ids[second]
    assert len(set(ids)) == len(ids) - 1


def test_vocabulary_names_the_label_when_it_has_no_prototype(prototypes: Prototypes) -> None:
    with pytest.raises(CheckpointError, match="no prototype of the label"):
        vocabulary(["parrott25"], prototypes)


def test_training_rows_names_the_row_when_its_label_is_of_another_taxonomy(
    labelled: LabelledFeatures, prototypes: Prototypes
) -> None:
    emotions = [*labelled.emotions]
    emotions[7] = "awe"
    wrong = replace(labelled, emotions=emotions)
    with pytest.raises(TrainingError, match=r"'emotion6/7' has the label 'awe'.*ekman6"):
        training_rows(wrong, vocabulary(wrong.taxonomies, prototypes))


@given(rows=st.integers(2, 500), batch_size=st.integers(2, 64))
def test_batches_of_leaves_no_batch_of_one_and_none_too_large(rows: int, batch_size: int) -> None:
    sizes = [len(part) for part in torch.arange(rows).tensor_split(batches_of(rows, batch_size))]
    assert sum(sizes) == rows
    assert min(sizes) >= 2
    assert max(sizes) <= max(batch_size, 3)
    assert max(sizes) - min(sizes) <= 1


def test_epoch_order_visits_every_row_once() -> None:
    order = epoch_order(torch.tensor([0, 0, 1, 2, 0]), False, torch.Generator().manual_seed(0))
    assert sorted(order.tolist()) == [0, 1, 2, 3, 4]


def test_epoch_order_draws_classes_equally_often_when_balancing() -> None:
    labels = torch.tensor([0] * 9000 + [1] * 900 + [4] * 100)
    drawn = Counter(labels[epoch_order(labels, True, torch.Generator().manual_seed(0))].tolist())
    assert all(abs(drawn[label] - 10000 / 3) < 200 for label in (0, 1, 4))


def test_drawn_texts_are_synonyms_of_the_own_label_as_often_as_asked(prototypes: Prototypes) -> None:
    synonyms = {"joy": prototypes.synonyms["joy"], "fear": prototypes.synonyms["fear"][:1]}
    known = vocabulary(["ekman6"], replace(prototypes, synonyms=synonyms))
    labels = torch.arange(6).repeat(2000)
    texts = drawn_texts(labels, known, 0.5, torch.Generator().manual_seed(0))
    joy, fear = known.words.index("joy"), known.words.index("fear")
    of_joy = Counter(texts[labels == joy].tolist())
    assert set(of_joy) == {joy, *known.synonyms[joy].tolist()}
    assert abs(of_joy[joy] - 1000) < 120 and all(abs(of_joy[int(s)] - 500) < 100 for s in known.synonyms[joy])
    assert set(texts[labels == fear].tolist()) == {fear, int(known.synonyms[fear, 0])}
    others = (labels != joy) & (labels != fear)
    assert torch.equal(texts[others], labels[others])
    assert torch.equal(drawn_texts(labels, known, 0.0, torch.Generator()), labels)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(lambda rows: rows.select([]), "no rows to train on", id="no-rows"),
        pytest.param(lambda rows: rows.select([0, 6, 12]), "have the label 'anger'", id="one-class"),
        pytest.param(lambda rows: replace(rows, emotions=rows.emotions[1:]), "59 emotions", id="ragged"),
        pytest.param(lambda rows: replace(rows, features=rows.features[0]), r"shape \(8,\)", id="not-a-matrix"),
    ],
)
def test_check_trainable_says_what_is_wrong(labelled: LabelledFeatures, change: object, message: str) -> None:
    assert callable(change)
    with pytest.raises(TrainingError, match=message):
        check_trainable(change(labelled))


@pytest.mark.parametrize("value", [float("nan"), float("inf")], ids=["nan", "infinity"])
def test_check_trainable_names_the_sample_when_a_feature_is_not_finite(
    labelled: LabelledFeatures, value: float
) -> None:
    labelled.features[11, 3] = value
    with pytest.raises(TrainingError, match=r"1 of 60 rows, first in 'emotion6/11'"):
        check_trainable(labelled)


def test_digest_of_data_changes_with_any_value_or_label(labelled: LabelledFeatures) -> None:
    digest = digest_of_data(labelled)
    features = labelled.features.clone()
    features[0, 0] += 1
    assert digest == digest_of_data(replace(labelled, features=labelled.features.clone()))
    changed = [
        replace(labelled, features=features),
        replace(labelled, emotions=[*labelled.emotions[1:], labelled.emotions[0]]),
        replace(labelled, datasets=["fi", *labelled.datasets[1:]]),
        labelled.select(list(range(59))),
    ]
    assert len({digest, *(digest_of_data(other) for other in changed)}) == 5
