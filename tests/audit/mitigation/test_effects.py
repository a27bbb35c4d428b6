"""Before and after on the same pairs and pictures, whatever the second projector predicts."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch

from tests.audit.bias.test_audit import QUICK, inputs, similar
from tinyemo_data.audit.bias.audit import audit_bias
from tinyemo_data.audit.mitigation.effects import tell_effects
from tinyemo_data.audit.mitigation.frozen import freeze

NO_FEATURES = torch.empty(0)
ACCEPTED = pl.DataFrame({"slice_id": ["x"], "dataset": ["emoset"], "attribute": ["a0"], "emotion": ["anger"]})


def of_pair(table: pl.DataFrame) -> dict[str, float]:
    return table.row(by_predicate=(pl.col("attribute") == "a0") & (pl.col("emotion") == "anger"), named=True)


def test_before_is_what_the_audit_found_and_after_is_of_the_second_projector() -> None:
    given = inputs()
    compared = freeze(given, QUICK, NO_FEATURES).compare(similar(given.audit))
    row, found = of_pair(compared), of_pair(audit_bias(given, QUICK).slices)
    assert row["before"] == found["d"]
    assert (row["before_low"], row["before_high"]) == (found["d_low"], found["d_high"])
    assert row["before"] > 0.5
    assert row["after_low"] < 0 < row["after_high"]
    assert row["change_high"] < 0
    assert row["change"] == pytest.approx(row["after"] - row["before"], abs=0.1)


def test_the_same_projector_changes_nothing_for_sure() -> None:
    given = inputs()
    compared = freeze(given, QUICK, NO_FEATURES).compare(given.similarities)
    assert compared["change"].to_numpy() == pytest.approx(0, abs=1e-9)
    assert compared["after"].to_list() == compared["before"].to_list()


def test_proposed_attributes_stay_the_same_under_other_predictions() -> None:
    given = inputs()
    rng = np.random.default_rng(6)
    features = [
        rng.normal(size=(len(one), 8)) + 5 * (rng.random((len(one), 1)) < 0.3) for one in (given.audit, given.train)
    ]
    audit = replace(given.audit, features=features[0].astype(np.float16))
    train = replace(given.train, features=features[1].astype(np.float16))
    settings = replace(QUICK, latent_slices=6)
    frozen = freeze(replace(given, audit=audit, train=train), settings, NO_FEATURES)
    found = audit_bias(replace(given, audit=audit, train=train), settings).slices.filter(pl.col("tier") == "latent")
    compared = frozen.compare(similar(given.audit)).filter(pl.col("attribute").is_in(found["attribute"].to_list()))
    assert len(compared) == len(found) > 0
    assert compared["before"].to_list() == found["d"].to_list()
    assert len(frozen.training_values(found["attribute"][0])) == len(train)


def test_tell_effects_names_accepted_slices_and_what_grew_elsewhere() -> None:
    given = inputs()
    worse = similar(given.audit)
    worse[:, :, 1] += 0.1 * given.audit.attributes.values[:, 1]
    compared = freeze(given, QUICK, NO_FEATURES).compare(worse).with_columns(dataset=pl.lit("emoset"))
    told = tell_effects(compared, ACCEPTED)
    (own,) = told["slices"]
    assert own["slice_id"] == "x"
    assert own["change"] < 0
    others = told["other_pairs"]
    assert others["compared"] == 8
    assert others["surely_larger"] >= 1
    first = others["largest_growth"][0]
    assert (first["attribute"], first["emotion"]) == ("a1", "fear")
