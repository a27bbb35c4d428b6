"""The audit on a small world in which it is known what was planted, with the project's own projector."""

import pytest
import torch

from benchmarks.planted_world import Size, World, projector_settings
from tinyemo_data.audit.bias.audit import audit_bias
from tinyemo_data.audit.bias.findings import SLICE_SCHEMA, BiasFindings
from tinyemo_data.audit.bias.settings import BiasSettings

SMALL = Size(
    taxonomy="ekman6",
    emotions=4,
    attributes=10,
    twins=2,
    planted=2,
    features=32,
    subspace=24,
    train=2_000,
    audit=1_500,
    width=16,
    emotion_length=1.5,
)
SETTINGS = BiasSettings(bootstrap=200, permutations=99)


def found(seed: int, odds_ratio: float, **draw: bool) -> tuple[World, BiasFindings]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        world = World(seed, SMALL)
        train, audit = world.draw(SMALL.train, odds_ratio, 1, **draw), world.draw(SMALL.audit, 1.0, 2, **draw)
        return world, audit_bias(world.inputs(train, audit, projector_settings(epochs=10)), SETTINGS)
    finally:
        torch.set_num_threads(threads)


def flagged(findings: BiasFindings) -> set[tuple[str, str]]:
    return set(findings.flagged.select("attribute", "emotion").iter_rows())


@pytest.mark.parametrize("seed", range(3))
def test_audit_finds_what_was_planted_and_no_twin_of_it(seed: int) -> None:
    world, findings = found(seed, 5.0)
    assert flagged(findings) == world.planted_pairs()
    assert findings.decided_by == "association and contrast"


@pytest.mark.parametrize("seed", range(3))
def test_audit_flags_nothing_where_nothing_was_planted(seed: int) -> None:
    _, findings = found(seed, 1.0)
    assert flagged(findings) == set()
    assert 30 <= findings.tests["decision"] <= 40  # rare attributes lack support with some emotions


def test_what_the_features_do_not_show_is_associated_but_not_flagged() -> None:
    world, findings = found(0, 5.0, invisible=True)
    associated = findings.slices.filter(findings.slices["q_association"] <= 0.05)
    assert world.planted_pairs() <= set(associated.select("attribute", "emotion").iter_rows())
    assert flagged(findings) & world.planted_pairs() == set()


def test_flagged_pairs_come_with_intervals_ranks_and_pictures() -> None:
    _, findings = found(0, 5.0)
    assert findings.slices.schema == SLICE_SCHEMA
    table = findings.flagged
    assert table["rank"].to_list() == [1, 2]
    assert (
        (table["contrast_boot_low"] < table["d_contrast"]) & (table["d_contrast"] < table["contrast_boot_high"])
    ).all()
    assert (table["p_permutation"] < 0.05).all()
    assert table["origin"].to_list() == ["training data"] * 2
    assert [one.slice_id for one in findings.evidence] == table["slice_id"].to_list()
    assert all(one.examples and one.controls for one in findings.evidence)
    assert findings.slices.filter(~findings.slices["flagged"])["rank"].is_null().all()
    assert 0.5 < findings.effective_share < 1
    assert findings.seed_deviation is not None


def test_audit_gives_equal_findings_for_equal_inputs() -> None:
    one, again = found(1, 5.0)[1], found(1, 5.0)[1]
    assert one.slices.equals(again.slices)
    assert one == again
