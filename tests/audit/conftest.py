"""A store that holds a finished audit of made-up pictures, with one flagged pair: a0 → anger."""

import functools
from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.audit.bias.test_audit import inputs
from tinyemo_data.audit.bias.audit import audit_bias
from tinyemo_data.audit.bias.audited import Audited, NotAudited
from tinyemo_data.audit.bias.findings import BiasFindings
from tinyemo_data.audit.bias.inputs import BiasInputs
from tinyemo_data.audit.bias.settings import BiasSettings
from tinyemo_data.audit.bias.written import AuditedDataset, write_audit
from tinyemo_data.features.table import LabelledFeatures
from tinyemo_data.store import Store

QUICK = BiasSettings(bootstrap=100, permutations=19)
CONTEXT = {
    "profile": "made up", "pictures": "drawn", "encoder": "none", "model_digest": "model", "seeds": [0, 1],
    "contrast_seeds": [0, 1], "learnt_from": {"train": 2_000},
}  # fmt: skip


def with_features(given: BiasInputs) -> BiasInputs:
    """Give the audited pictures features, so that there are controls."""
    features = np.random.default_rng(3).normal(size=(len(given.audit), 4)).astype(np.float16)
    return replace(given, audit=replace(given.audit, features=features))


@functools.cache
def findings(model: str = "model") -> BiasFindings:
    """Audit made-up pictures with a projector of that digest."""
    return audit_bias(with_features(replace(inputs(), model_digest=model)), QUICK)


def write_made_up(store: Store, model: str = "model", dataset: str = "emoset") -> None:
    """Write `audit/` of the store."""
    nothing = LabelledFeatures(torch.empty(0, 4), [], [], [], [], [])
    audited = AuditedDataset(Audited(dataset, "made3", nothing, 2), findings(model))
    write_audit(store, [audited], [NotAudited("webemo", 'It is <not> at hand & "quoted".')], CONTEXT)


@pytest.fixture
def audited_store(store: Store) -> Store:
    """A store with an audit."""
    write_made_up(store)
    return store
