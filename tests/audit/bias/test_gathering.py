"""From a trained ensemble, features and a frame of attributes to findings."""

import hashlib

import numpy as np
import polars as pl
import pytest
import torch
from torch.nn import functional

from tinyemo_data import taxonomy
from tinyemo_data.audit.bias.audit import audit_bias
from tinyemo_data.audit.bias.gathering import gather_inputs
from tinyemo_data.audit.bias.pictures import group_numbers
from tinyemo_data.audit.bias.retraining import Retraining
from tinyemo_data.audit.bias.settings import BiasSettings
from tinyemo_data.errors import AuditError
from tinyemo_data.features.table import LabelledFeatures, concatenate
from tinyemo_data.projector.ensemble import ProjectorEnsemble, ensemble_of
from tinyemo_data.projector.prototypes import Prototypes, with_digest
from tinyemo_data.projector.training import TrainedProjector, prototypes_in_use, train_projector
from tinyemo_data.settings import ProjectorSettings

SETTINGS = ProjectorSettings(train_on=["emotion6", "emoset"], epochs=6, batch_size=128, seeds=[0, 1])
NO_GROUPS = pl.DataFrame(schema={"sample_id": pl.String, "group": pl.String})


def labelled(rows: int, name: str, part: str, seed: int, planted: float = 0.0) -> tuple[LabelledFeatures, pl.DataFrame]:
    """Rows of a taxonomy, and whether each has a hat; fear wears it the oftener as `planted` says."""
    rng = np.random.default_rng(seed)
    labels = taxonomy.get(name).labels
    emotions = [labels[row % len(labels)] for row in range(rows)]
    hat = rng.random(rows) < np.where(np.array(emotions) == "fear", 0.15 + planted, 0.15)
    points = np.random.default_rng(len(labels)).normal(size=(len(labels), 16))
    values = (
        0.6 * points[np.arange(rows) % len(labels)] + 3 * hat[:, None] * np.eye(16)[3] + rng.normal(size=(rows, 16))
    )
    ids = [f"{part}/{row}" for row in range(rows)]
    digests = [hashlib.sha256(one.encode()).hexdigest() for one in ids]
    features = torch.from_numpy(values).half()
    other = rng.random(rows) < 0.3
    frame = pl.DataFrame({"sample_id": ids, "hat": hat, "dog": other})
    return LabelledFeatures(features, ids, digests, [part] * rows, [name] * rows, emotions), frame


def trained(train: LabelledFeatures) -> tuple[Prototypes, list[TrainedProjector], ProjectorEnsemble]:
    words = sorted({label for name in ("ekman6", "mikels8") for label in taxonomy.get(name).labels})
    points = torch.randn(len(words), 12, generator=torch.Generator().manual_seed(0))
    prototypes = with_digest(words, points, {}, "random points", "{emotion}")
    courses = [train_projector(train, prototypes, SETTINGS, seed) for seed in SETTINGS.seeds]
    used = prototypes_in_use(prototypes, SETTINGS)
    projectors = [course.projector for course in courses]
    return prototypes, courses, ensemble_of(projectors, SETTINGS.seeds, used, SETTINGS.temperature)


def test_gather_inputs_audits_one_taxonomy_of_a_jointly_trained_ensemble() -> None:
    train, of_train = labelled(2_400, "ekman6", "emotion6", seed=1, planted=0.35)
    others, _ = labelled(800, "mikels8", "emoset", seed=2)
    audited, of_audited = labelled(900, "ekman6", "audited", seed=3)
    joint = concatenate([others, train])
    prototypes, courses, ensemble = trained(joint)
    retraining = Retraining(prototypes, SETTINGS, courses)
    frame = pl.concat([of_audited, of_train])
    captions = {"audited/0": ["a", "hat"], "emotion6/1": ["dog"]}
    inputs = gather_inputs(ensemble, joint, audited, frame, NO_GROUPS, "digest", retraining, captions=captions)
    assert inputs.audit.captions is not None
    assert inputs.audit.captions[:2] == (frozenset({"a", "hat"}), None)
    assert inputs.emotions == taxonomy.get("ekman6").labels
    assert inputs.train.sample_ids == tuple(train.sample_ids)
    assert inputs.model_digest == ensemble.digest
    assert inputs.embeddings is not None
    seed_0 = functional.normalize(courses[0].projector(audited.features[:5]), dim=1).detach().numpy()
    seed_1 = functional.normalize(courses[1].projector(audited.features[:5]), dim=1).detach().numpy()
    assert inputs.embeddings[:5] == pytest.approx((seed_0 + seed_1) / 2, abs=1e-6)
    findings = audit_bias(inputs, BiasSettings(bootstrap=100, permutations=19))
    assert set(findings.flagged.select("attribute", "emotion").iter_rows()) == {("hat", "fear")}
    assert findings.slices["cos"].is_not_null().all()
    assert len(findings.weights) == 2_400


def test_gather_inputs_refuses_pictures_of_two_taxonomies_and_without_attributes() -> None:
    train, of_train = labelled(240, "ekman6", "emotion6", seed=1)
    others, _ = labelled(80, "mikels8", "emoset", seed=2)
    _, _, ensemble = trained(concatenate([train, others]))
    with pytest.raises(AuditError, match="one taxonomy, found ekman6, mikels8"):
        gather_inputs(ensemble, train, concatenate([train, others]), of_train, NO_GROUPS, "digest")
    with pytest.raises(AuditError, match="80 of 80 pictures have no row, first 'emoset/0'"):
        gather_inputs(ensemble, train, others, of_train, NO_GROUPS, "digest")


def test_group_numbers_puts_twins_together_and_every_other_picture_alone() -> None:
    twins = pl.DataFrame({"sample_id": ["s/1", "s/3"], "group": ["s/1", "s/1"]})
    numbers = group_numbers(["s/1", "s/2", "s/3", "s/4"], twins)
    assert numbers[0] == numbers[2]
    assert len(set(numbers.tolist())) == 3
