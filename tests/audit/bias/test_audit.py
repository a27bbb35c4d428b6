"""The audit's entry point: what it refuses, what it calls not testable, and how tiers are kept apart."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from tests.audit.bias.conftest import pictures
from tinyemo_data.audit.bias.attributes import AttributeTable
from tinyemo_data.audit.bias.audit import audit_bias
from tinyemo_data.audit.bias.findings import slice_id
from tinyemo_data.audit.bias.inputs import BiasInputs
from tinyemo_data.audit.bias.pictures import Pictures
from tinyemo_data.audit.bias.settings import BiasSettings
from tinyemo_data.audit.bias.word_association import WordVectors
from tinyemo_data.errors import AuditError, SettingsError

EMOTIONS = ("anger", "fear", "joy")
QUICK = BiasSettings(bootstrap=100, permutations=19)


def made(rows: int, seed: int, prefix: str, planted: float = 0.0) -> Pictures:
    """Pictures of three emotions with attributes a0 … a2; a0 goes with anger as `planted` says."""
    rng = np.random.default_rng(seed)
    labels = np.arange(rows) % 3
    values = (rng.random((rows, 3)) < 0.3).astype(np.int8)
    values[(labels == 0) & (rng.random(rows) < planted), 0] = 1
    one = pictures(values, labels)
    return replace(one, sample_ids=tuple(f"{prefix}/{n}" for n in range(rows)))


def similar(audit: Pictures, push: float = 0.0, seeds: int = 2) -> np.ndarray:
    """Similarities that tell the emotions apart; a0 pushes pictures towards anger."""
    rng = np.random.default_rng(9)
    values = rng.normal(size=(seeds, len(audit), 3)) + 1.5 * np.eye(3)[audit.labels]
    values[:, :, 0] += push * audit.attributes.values[:, 0]
    return (values / 10).astype(np.float32)


def inputs(push: float = 0.8, planted: float = 0.3, rows: int = 1_200) -> BiasInputs:
    audit, train = made(rows, 1, "audit"), made(2_000, 2, "train", planted)
    plain, raked = similar(audit, push), similar(audit)
    prototypes = np.random.default_rng(4).normal(size=(3, 6))
    return BiasInputs(
        EMOTIONS, audit, train, plain, prototypes, "data", "model", retrain=lambda _weights: (plain, raked)
    )


def pairs(frame: pl.DataFrame) -> set[tuple[str, str]]:
    return set(frame.select("attribute", "emotion").iter_rows())


def test_a_pair_is_flagged_when_labels_associate_and_the_projector_learnt_it() -> None:
    assert pairs(audit_bias(inputs(), QUICK).flagged) == {("a0", "anger")}
    assert pairs(audit_bias(inputs(planted=0.0), QUICK).flagged) == set()
    assert pairs(audit_bias(inputs(push=0.0), QUICK).flagged) == set()


def test_without_a_trainer_association_and_reliance_decide() -> None:
    findings = audit_bias(replace(inputs(), retrain=None), QUICK)
    assert findings.decided_by == "association and reliance"
    assert pairs(findings.flagged) == {("a0", "anger")}
    assert findings.slices["d_contrast"].is_null().all()
    assert findings.tests["contrast"] == 0
    assert findings.flagged["contrast_boot_low"].is_null().all()
    assert findings.flagged["d_boot_low"].is_not_null().all()


def test_slice_ids_tell_attribute_emotion_dataset_and_model_apart() -> None:
    base = ("a0", "anger", "data", "model")
    others = [tuple("x" if place == changed else part for place, part in enumerate(base)) for changed in range(4)]
    assert len({slice_id(*base), *(slice_id(*other) for other in others)}) == 5
    findings = audit_bias(inputs(), QUICK)
    row = findings.slices.row(by_predicate=(pl.col("attribute") == "a0") & (pl.col("emotion") == "anger"), named=True)
    assert row["slice_id"] == slice_id(*base)
    assert row["train_with"] + row["train_without"] == 667


def test_a_class_of_three_pictures_is_not_testable_with_the_reason_and_the_others_are() -> None:
    """Abstract has three pictures of anger."""
    whole = inputs()
    rare = np.r_[np.flatnonzero(whole.train.labels != 0), np.flatnonzero(whole.train.labels == 0)[:3]]
    findings = audit_bias(replace(whole, train=whole.train.rows(rare)), QUICK)
    told = [one for one in findings.not_testable if one.statistic == "association"]
    assert {(one.attribute, one.emotion) for one in told} == {(f"a{n}", "anger") for n in range(3)}
    assert all("among training pictures of 'anger'; 30 of each are needed" in one.reason for one in told)
    anger = findings.slices.filter(pl.col("emotion") == "anger")
    for column in ("log_or", "p_association", "d_contrast", "p_contrast", "p", "q_bh"):
        assert anger[column].is_null().all()
    assert not anger["flagged"].any()
    assert anger["d"].is_not_null().all()  # the audited pictures tell it
    assert findings.tests["decision"] == 6


def test_an_attribute_without_variation_and_one_with_few_pictures_are_told_by_name() -> None:
    whole = inputs()

    def with_two_more(one: Pictures) -> Pictures:
        rare = np.zeros((len(one), 1), np.int8)
        rare[:40:2] = 1
        extra = AttributeTable(("same", "rare"), ("annotated",) * 2, np.c_[np.ones((len(one), 1), np.int8), rare])
        return replace(one, attributes=one.attributes.beside(extra))

    findings = audit_bias(replace(whole, audit=with_two_more(whole.audit), train=with_two_more(whole.train)), QUICK)
    told = {(one.attribute, one.emotion, one.statistic): one.reason for one in findings.not_testable}
    assert told["same", None, "all"] == "no variation: 1200 pictures have it, 0 have it not"
    assert told["rare", "joy", "reliance"].startswith("13 image groups with it and 787 without among audited pictures")
    assert ("rare", "anger", "association") in told
    assert "same" not in findings.slices["attribute"]
    kept = audit_bias(whole, QUICK).slices.filter(pl.col("attribute") == "a1")["d"]
    assert findings.slices.filter(pl.col("attribute") == "a1")["d"].to_list() == kept.to_list()


def test_near_copies_are_merged_and_said() -> None:
    whole = inputs()

    def copied(one: Pictures) -> Pictures:
        copy = AttributeTable(("copy",), ("annotated",), 1 - one.attributes.values[:, :1])
        return replace(one, attributes=one.attributes.beside(copy))

    findings = audit_bias(replace(whole, audit=copied(whole.audit), train=copied(whole.train)), QUICK)
    assert [(one.attribute, one.kept, one.phi) for one in findings.merged] == [("a0", "copy", -1.0)]
    assert "a0" not in findings.slices["attribute"]


def test_image_groups_make_an_effect_less_sure_than_as_many_pictures() -> None:
    whole = inputs(rows=900)
    rows = np.repeat(np.arange(900), 3)
    audit = whole.audit.rows(rows)
    same = replace(audit, sample_ids=tuple(f"audit/{n}" for n in range(2_700)))
    alone = replace(same, groups=np.arange(2_700))
    copies = [
        replace(whole, audit=one, similarities=whole.similarities[:, rows], retrain=None) for one in (same, alone)
    ]
    grouped, single = (audit_bias(one, QUICK).slices["d_se"] for one in copies)
    assert (grouped > 1.5 * single).all()
    once = audit_bias(replace(whole, retrain=None), QUICK).slices["d_se"]
    assert grouped.to_numpy() == pytest.approx(once.to_numpy(), rel=0.02)


def test_words_of_captions_are_found_in_one_half_and_tested_on_the_other() -> None:
    whole = inputs(push=0.0)
    rng = np.random.default_rng(5)
    grave = rng.random(1_200) < 0.3
    captions = tuple(
        frozenset({"grave"} if has else set()) | frozenset(f"w{n}" for n in rng.choice(9, 3, replace=False))
        for has in grave
    )
    pushed = similar(whole.audit)
    pushed[:, :, 1] += 0.15 * grave
    findings = audit_bias(
        replace(whole, audit=replace(whole.audit, captions=captions), similarities=pushed, retrain=None), QUICK
    )
    row = findings.slices.filter(pl.col("attribute") == "caption: grave", pl.col("emotion") == "fear").row(
        0, named=True
    )
    assert row["tier"] == "caption"
    assert row["pictures"] == findings.pictures["confirmation"] == 600
    assert row["p_model"] < 0.01
    assert row["p_association"] is None  # training pictures have no captions
    annotated = findings.slices.filter(pl.col("tier") == "annotated")
    assert (annotated["pictures"] == 1_200).all()
    assert (
        annotated["d"].to_list()
        == audit_bias(replace(whole, similarities=pushed, retrain=None), QUICK).slices["d"].to_list()
    )


def test_latent_slices_are_candidates_of_their_own_tier() -> None:
    whole = inputs()
    rng = np.random.default_rng(6)
    audit, train = (
        replace(
            one, features=(rng.normal(size=(len(one), 8)) + 5 * (rng.random((len(one), 1)) < 0.3)).astype(np.float16)
        )
        for one in (whole.audit, whole.train)
    )
    settings = replace(QUICK, latent_slices=12)
    findings = audit_bias(replace(whole, audit=audit, train=train), settings)
    latent = findings.slices.filter(pl.col("tier") == "latent")
    assert 1 <= latent["attribute"].n_unique() <= 12
    assert (latent["pictures"] == 600).all()
    assert latent["d_contrast"].is_not_null().any()
    with pytest.raises(AuditError, match="latent_slices needs the audited pictures' features"):
        audit_bias(whole, settings)


def test_embeddings_and_words_give_geometry() -> None:
    whole = inputs()
    rng = np.random.default_rng(7)
    towards = whole.prototypes[0] - whole.prototypes.mean(axis=0)
    z = rng.normal(size=(1_200, 6)) + whole.audit.attributes.values[:, :1] * towards
    words = WordVectors({"a0": whole.prototypes[0]}, whole.prototypes, rng.normal(size=(500, 6)))
    slices = audit_bias(replace(whole, embeddings=z, words=words), QUICK).slices
    row = slices.filter(pl.col("attribute") == "a0", pl.col("emotion") == "anger").row(0, named=True)
    assert row["cos"] > 0.9
    assert row["p_weat"] < 0.05
    assert row["origin"] == "training data and language model"
    assert slices.filter(pl.col("attribute") == "a1")["weat"].is_null().all()


def broken(**changes: object) -> BiasInputs:
    return replace(inputs(), **changes)  # type: ignore[arg-type]


def test_refusals_name_what_is_wrong() -> None:
    whole = inputs()
    nan = whole.similarities.copy()
    nan[1, 5, 2] = np.nan
    unlabelled = replace(whole.audit, labels=np.where(np.arange(1_200) == 7, 3, whole.audit.labels))
    short = replace(whole.audit, groups=np.arange(5))
    other = replace(whole.train, attributes=whole.train.attributes.columns([0, 1]))
    one_class = whole.audit.rows(np.flatnonzero(whole.audit.labels == 1))
    constant = replace(whole.audit.attributes, values=np.ones((1_200, 3), np.int8))
    cases: list[tuple[BiasInputs, str]] = [
        (broken(similarities=nan), r"picture 'audit/5' to 'joy' is nan under seed number 1"),
        (broken(similarities=nan[:, :9]), r"Expected similarities \(seeds, 1200, 3\)"),
        (broken(similarities=np.zeros_like(nan)), "tells no picture apart"),
        (broken(audit=unlabelled), r"'audit/7' has the label number 3; there are 3 emotions"),
        (broken(audit=short), "found 5 groups"),
        (broken(train=other), "have other attributes: a2"),
        (broken(audit=one_class, similarities=whole.similarities[:, :400]), "All audited pictures are of 'fear'"),
        (broken(train=replace(whole.audit)), "1200 audited pictures were trained on, first 'audit/0'"),
        (broken(emotions=("joy",)), "two emotions or more, found joy"),
        (broken(prototypes=np.zeros((2, 6))), "Expected 3 prototypes"),
        (broken(embeddings=np.zeros((4, 6))), r"Expected projected embeddings \(1200, 6\)"),
        (broken(audit=replace(whole.audit, attributes=constant)), "'a0' with any emotion .*no variation"),
    ]
    for given, message in cases:
        with pytest.raises(AuditError, match=message):
            audit_bias(given, QUICK)


def test_no_projector_is_trained_where_the_training_pictures_can_tell_nothing() -> None:
    def refuse(_weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        raise AssertionError("trained in vain")

    whole = inputs()
    few = whole.train.rows(np.arange(60))
    findings = audit_bias(replace(whole, train=few, retrain=refuse), QUICK)
    assert findings.tests["decision"] == findings.tests["contrast"] == 0
    assert findings.tests["reliance"] == 9


def test_nothing_testable_is_an_error_that_says_why() -> None:
    with pytest.raises(
        AuditError, match=r"No pair .* can be tested: 'a0' with 'anger' .* 900 of each are needed.*more"
    ):
        audit_bias(inputs(), replace(QUICK, min_support=900))


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"q": 1.5}, "audit.q: expected a share"), ({"min_support": 0}, "audit.min_support: expected at least 2"),
     ({"odds_ratio": 0.5}, "audit.odds_ratio: expected at least 1")],
    ids=["q", "support", "odds"],
)  # fmt: skip
def test_settings_out_of_range_are_refused(changes: dict[str, float], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        replace(QUICK, **changes)  # type: ignore[arg-type]


def test_progress_tells_each_step_once() -> None:
    steps: list[str] = []
    audit_bias(inputs(), QUICK, steps.append)
    assert steps == [
        "candidates", "associations of the training labels", "training on equal and on raked weights",
        "effects on the audited pictures", "intervals of flagged pairs",
    ]  # fmt: skip
