"""Predicting with several projectors at once."""

import pytest
import torch
from torch.nn import functional

from tests.projector.conftest import MakeLabelled
from tinyemo_data import taxonomy
from tinyemo_data.errors import CheckpointError
from tinyemo_data.features.table import concatenate
from tinyemo_data.projector import ensemble as module
from tinyemo_data.projector.ensemble import ProjectorEnsemble, ensemble_of, right_rows
from tinyemo_data.projector.model import initial_projector
from tinyemo_data.projector.prototypes import Prototypes

LABELS = taxonomy.get("ekman6").labels


@pytest.fixture
def ensemble(prototypes: Prototypes) -> ProjectorEnsemble:
    return ensemble_of([initial_projector(8, 12, 0.2, seed) for seed in (3, 5)], [3, 5], prototypes, 0.5)


@torch.no_grad()
def test_similarities_are_the_cosines_of_each_seed(
    ensemble: ProjectorEnsemble, make_labelled: MakeLabelled, prototypes: Prototypes
) -> None:
    features = make_labelled(rows=10).features
    found = ensemble.similarities(features, LABELS)
    assert found.shape == (2, 10, 6)
    for number, projector in enumerate(ensemble.projectors):
        for column, label in enumerate(LABELS):
            v, t = projector(features), prototypes.for_labels([label])
            torch.testing.assert_close(found[number, :, column], functional.cosine_similarity(v, t))


def test_similarities_do_not_depend_on_how_many_rows_go_at_once(
    ensemble: ProjectorEnsemble, make_labelled: MakeLabelled, monkeypatch: pytest.MonkeyPatch
) -> None:
    features = make_labelled(rows=10).features
    whole = ensemble.similarities(features, LABELS)
    monkeypatch.setattr(module, "ROWS_AT_ONCE", 3)
    torch.testing.assert_close(ensemble.similarities(features, LABELS), whole)
    assert ensemble.similarities(features[:0], LABELS).shape == (2, 0, 6)


def test_predict_takes_the_largest_mean_similarity(ensemble: ProjectorEnsemble, make_labelled: MakeLabelled) -> None:
    features = make_labelled(rows=30).features
    mean = ensemble.similarities(features, LABELS).mean(dim=0)
    predicted = ensemble.predict(features, LABELS)
    probabilities = ensemble.probabilities(features, LABELS)
    assert predicted.tolist() == [max(range(6), key=row.__getitem__) for row in mean.tolist()]
    torch.testing.assert_close(probabilities, torch.exp(mean / 0.5) / torch.exp(mean / 0.5).sum(1, keepdim=True))


def test_right_rows_predicts_each_row_among_the_labels_of_its_own_taxonomy(
    ensemble: ProjectorEnsemble, make_labelled: MakeLabelled
) -> None:
    parts = [make_labelled(rows=30), make_labelled(rows=40, taxonomy_name="mikels8", dataset="fi")]
    right = right_rows(ensemble, concatenate(parts))
    assert right.shape == (3, 70)
    for part, rows in zip(parts, (right[:, :30], right[:, 30:]), strict=True):
        labels = taxonomy.get(part.taxonomies[0]).labels
        truth = [labels.index(emotion) for emotion in part.emotions]
        assert rows[2].tolist() == (ensemble.predict(part.features, labels) == torch.tensor(truth)).tolist()
        single = ensemble.similarities(part.features, labels)[1].argmax(dim=1)
        assert rows[1].tolist() == (single == torch.tensor(truth)).tolist()


def test_similarities_says_both_sizes_when_the_features_are_of_another_encoder(
    ensemble: ProjectorEnsemble,
) -> None:
    with pytest.raises(CheckpointError, match=r"size 8; found a tensor of shape \(2, 512\)"):
        ensemble.similarities(torch.zeros(2, 512), LABELS)


def test_digest_changes_with_weights_seeds_prototypes_and_temperature(
    ensemble: ProjectorEnsemble, prototypes: Prototypes
) -> None:
    projectors = ensemble.projectors
    others = [
        ensemble_of(projectors, [3, 6], prototypes, 0.5),
        ensemble_of(projectors[::-1], [3, 5], prototypes, 0.5),
        ensemble_of(projectors, [3, 5], prototypes.centred(), 0.5),
        ensemble_of(projectors, [3, 5], prototypes, 0.4),
    ]
    assert ensemble.digest == ensemble_of(projectors, [3, 5], prototypes, 0.5).digest
    assert len({ensemble.digest, *(other.digest for other in others)}) == 5
