import polars as pl
import pytest

from tests.hub.hub_server import LocalHub
from tinyemo_data.audit.bias.written import (
    DIGESTS,
    EXAMPLES_KEY,
    NOT_TESTABLE_KEY,
    REPORT_KEY,
    SLICES_KEY,
    WRITTEN_SCHEMA,
)
from tinyemo_data.audit.review.terms import REVIEW_KEY
from tinyemo_data.errors import LicenceError, ReviewError, StoreError
from tinyemo_data.hub.biases import MITIGATED_KEY, read_biases
from tinyemo_data.hub.projector_staging import stage_projector
from tinyemo_data.hub.publishing import publish
from tinyemo_data.hub.staging import stage_set
from tinyemo_data.settings import Settings
from tinyemo_data.store import Store

SLICES = [
    {"slice_id": "a" * 16, "attribute": "object:gravestone", "emotion": "sadness", "d": 0.61, "d_low": 0.4,
     "d_high": 0.8, "q_bh": 0.001, "pictures": 900, "flagged": True, "rank": 2},
    {"slice_id": "b" * 16, "attribute": "brightness:dark", "emotion": "fear", "d": 0.9, "d_low": 0.7, "d_high": 1.1,
     "q_bh": 0.0, "pictures": 1200, "flagged": True, "rank": 1},
    {"slice_id": "c" * 16, "attribute": "scene:beach", "emotion": "contentment", "d": 0.3, "d_low": 0.1,
     "d_high": 0.5, "q_bh": 0.04, "pictures": 300, "flagged": True, "rank": 3},
    {"slice_id": "d" * 16, "attribute": "object:dog", "emotion": "amusement", "d": 0.0, "flagged": False},
]  # fmt: skip


def fill_slices(store: Store) -> None:
    """Write three flagged slices of the store's projector and one that is not flagged, as the audit writes them."""
    rows = [{"dataset": "emoset", "taxonomy": "mikels8", **row} for row in SLICES]
    store.write_table(SLICES_KEY, pl.DataFrame(rows, schema={**WRITTEN_SCHEMA}))
    store.write_bytes(EXAMPLES_KEY, b"")
    store.write_table(NOT_TESTABLE_KEY, pl.DataFrame())
    digests = {name: store.digest(key) for key, name in DIGESTS.items()}
    store.write_json(REPORT_KEY, {"model_digest": store.read_json("models/projector/config.json")["digest"], **digests})


def review(store: Store, *rows: str) -> None:
    """Write a review file: of each slice, by its letter, what one person decided."""
    names = [f"{row[0] * 16}{row[1:]}" for row in rows]
    store.write_bytes(REVIEW_KEY, "\n".join([HEAD, *names, ""]).encode())


HEAD = "slice_id,decision,severity,reviewer,date,reason,action"


def test_read_biases_knows_that_no_audit_was_run(store: Store) -> None:
    assert "No bias audit was run" in str(read_biases(store).why_not)


def test_read_biases_takes_flagged_slices_by_rank_and_undecided_without_a_review(store: Store, world: Settings) -> None:
    fill_slices(store)
    found = read_biases(store)
    assert [one.attribute for one in found.slices] == ["brightness:dark", "object:gravestone", "scene:beach"]
    assert found.undecided == found.slices and found.accepted == [] and found.why_not is None


def test_read_biases_takes_what_most_reviewers_decided_and_unsure_or_a_tie_for_undecided(
    store: Store, world: Settings
) -> None:
    fill_slices(store)
    review(
        store, "b,accepted_bias,1,ann,2026-01-01,known of old photographs,none", "b,legitimate_cue,,cy,2026-01-01,no,",
        "b,accepted_bias,2,bo,2026-01-02,seen as well,none", "c,unsure,,ann,,,",
        "a,legitimate_cue,,ann,2026-01-01,graves are sad,", "a,label_problem,,bo,2026-01-01,wrong labels,",
    )  # fmt: skip
    found = read_biases(store)
    (accepted,) = found.accepted
    assert accepted.attribute == "brightness:dark" and accepted.settled is not None
    assert (accepted.settled.severity, accepted.settled.reason) == (2, "known of old photographs; seen as well")
    assert [one.slice_id[0] for one in found.undecided] == ["a", "c"]


def test_read_biases_refuses_a_decision_that_nobody_knows_and_an_audit_that_was_cut_short(
    store: Store, world: Settings
) -> None:
    fill_slices(store)
    review(store, "b,acepted_bias,,ann,,,")
    with pytest.raises(ReviewError, match=r"line 2: the decision is 'acepted_bias'; .* Did you mean 'accepted_bias'"):
        read_biases(store)
    store.write_bytes(EXAMPLES_KEY, b"of another run")
    with pytest.raises(StoreError, match="Materialize audit/bias again"):
        read_biases(store)


@pytest.mark.parametrize("text", ["", HEAD, HEAD.replace(",", ";") + f"\n{'b' * 16};;;;;;\n"])
def test_empty_review_decides_nothing(store: Store, world: Settings, text: str) -> None:
    fill_slices(store)
    store.write_bytes(REVIEW_KEY, text.encode())
    assert len(read_biases(store).undecided) == 3


def test_card_tells_that_a_second_projector_was_mitigated_and_not_of_one_that_another_audit_led_to(
    store: Store, world: Settings
) -> None:
    fill_slices(store)
    review(store, "b,accepted_bias,1,ann,2026-01-01,known of old photographs,reweight")
    told = {"status": "mitigated", "to_reweight": 1, "model_before": store.read_json(REPORT_KEY)["model_digest"]}
    for model, expected in ((told["model_before"], True), ("f" * 64, False)):
        store.write_json(MITIGATED_KEY, told | {"model_before": model})
        staged = stage_projector(store, world)
        assert ("A second projector learnt with 1 of these weighed away" in staged.card) == expected
        assert MITIGATED_KEY in staged.manifest.made_from


def test_biases_of_another_projector_are_not_told_as_its_own(store: Store, world: Settings) -> None:
    fill_slices(store)
    store.write_json(REPORT_KEY, store.read_json(REPORT_KEY) | {"model_digest": "f" * 64})
    card = stage_projector(store, world).card
    assert "is of another projector" in card and "brightness:dark" not in card


def test_cards_list_undecided_slices_and_publishing_waits_for_them(
    store: Store, world: Settings, hub: LocalHub
) -> None:
    fill_slices(store)
    review(
        store, "b,accepted_bias,2,ann,2026-01-01,known of old photographs,none",
        "c,legitimate_cue,,ann,2026-01-01,beaches do please,",
    )  # fmt: skip
    told = (
        "| brightness:dark | fear | emoset | 0.9 | 0.70 to 1.10 | 0 | 1,200 | 2 | known of old photographs |",
        f"| object:gravestone | sadness | emoset | 0.61 | 0.40 to 0.80 | 0.001 | 900 | `{'a' * 16}` |",
        "| scene:beach | contentment | emoset | 0.3 | 0.10 to 0.50 | legitimate_cue | beaches do please |",
    )
    for staged in (stage_set(store, world, "hq"), stage_projector(store, world)):
        assert [line for line in told if line not in staged.card] == []
        assert "object:dog" not in staged.card
        assert staged.manifest.undecided_slices == ["a" * 16]
        with pytest.raises(LicenceError, match=r"1 bias slices are undecided \(the first: aaaa"):
            publish(store, staged.repository, world.hub)
    assert hub.state.log == []
    described = store.read_json("hub/tinyemo-hq/croissant.json")
    assert described["rai:dataBiases"] == [
        "accepted: brightness:dark is taken for fear", "undecided: object:gravestone may be taken for sadness",
    ]  # fmt: skip
    review(store, *(f"{letter},not_reproducible,,ann,2026-01-03,not seen again," for letter in "abc"))
    assert publish(store, stage_set(store, world, "hq").repository, world.hub).sent
