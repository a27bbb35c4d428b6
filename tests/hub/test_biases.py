import polars as pl
import pytest

from tests.hub.hub_server import LocalHub
from tinyemo_data.audit.bias.findings import SLICE_SCHEMA
from tinyemo_data.errors import LicenceError, StagingError
from tinyemo_data.hub.biases import REVIEW_KEY, SLICES_KEY, read_biases
from tinyemo_data.hub.projector_staging import stage_projector
from tinyemo_data.hub.publishing import publish
from tinyemo_data.hub.staging import stage_set
from tinyemo_data.settings import Settings
from tinyemo_data.store import Store


def fill_slices(store: Store) -> None:
    """Three flagged slices and one that is not, as the audit writes them."""
    rows = [
        {"slice_id": "a" * 16, "attribute": "object:gravestone", "emotion": "sadness", "d": 0.61, "d_low": 0.4,
         "d_high": 0.8, "q_bh": 0.001, "pictures": 900, "flagged": True, "rank": 2},
        {"slice_id": "b" * 16, "attribute": "brightness:dark", "emotion": "fear", "d": 0.9, "d_low": 0.7, "d_high": 1.1,
         "q_bh": 0.0, "pictures": 1200, "flagged": True, "rank": 1},
        {"slice_id": "c" * 16, "attribute": "scene:beach", "emotion": "contentment", "d": 0.3, "d_low": 0.1,
         "d_high": 0.5, "q_bh": 0.04, "pictures": 300, "flagged": True, "rank": 3},
        {"slice_id": "d" * 16, "attribute": "object:dog", "emotion": "amusement", "d": 0.0, "flagged": False},
    ]  # fmt: skip
    store.write_table(SLICES_KEY, pl.DataFrame(rows, schema={**SLICE_SCHEMA}))


def review(store: Store, text: str) -> None:
    store.write_bytes(REVIEW_KEY, text.encode())


HEAD = "slice_id,decision,severity,reviewer,date,reason,action\n"


def test_read_biases_knows_that_no_audit_was_run(store: Store) -> None:
    assert not read_biases(store).audited


def test_read_biases_takes_flagged_slices_by_rank_and_undecided_without_a_review(store: Store) -> None:
    fill_slices(store)
    found = read_biases(store)
    assert [one.attribute for one in found.slices] == ["brightness:dark", "object:gravestone", "scene:beach"]
    assert found.undecided == found.slices and found.accepted == []


def test_read_biases_takes_the_last_decision_and_unsure_for_undecided(store: Store) -> None:
    fill_slices(store)
    rows = ["b,unsure,,,,,", "b,accepted_bias,2,ann,2026-01-01,known of old photographs,", "c,unsure,,,,,"]
    review(store, HEAD + "".join(f"{row[0] * 16}{row[1:]}\n" for row in rows))
    found = read_biases(store)
    assert [(one.slice_id[0], one.severity, one.reason) for one in found.accepted] == [
        ("b", "2", "known of old photographs")
    ]
    assert [one.slice_id[0] for one in found.undecided] == ["a", "c"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (HEAD + f"{'b' * 16},acepted,,,,,\n", r"line 2: the decision is 'acepted'; expected one of accepted_bias"),
        ("slice,decision\n", "has no column 'slice_id'"),
    ],
)
def test_read_biases_says_what_is_wrong_with_the_review(store: Store, text: str, told: str) -> None:
    fill_slices(store)
    review(store, text)
    with pytest.raises(StagingError, match=told):
        read_biases(store)


@pytest.mark.parametrize("text", ["", HEAD])
def test_empty_review_decides_nothing(store: Store, text: str) -> None:
    fill_slices(store)
    review(store, text)
    assert len(read_biases(store).undecided) == 3


def test_cards_list_undecided_slices_and_publishing_waits_for_them(
    store: Store, world: Settings, hub: LocalHub
) -> None:
    fill_slices(store)
    review(store, HEAD + f"{'b' * 16},accepted_bias,2,ann,2026-01-01,known of old photographs,\n"
                         f"{'c' * 16},legitimate_cue,,ann,2026-01-01,beaches do please,\n")  # fmt: skip
    for staged in (stage_set(store, world, "hq"), stage_projector(store, world)):
        assert (
            "| brightness:dark | fear | 0.9 | 0.70 to 1.10 | 0 | 1,200 | 2 | known of old photographs |" in staged.card
        )
        assert f"| object:gravestone | sadness | 0.61 | 0.40 to 0.80 | 0.001 | 900 | `{'a' * 16}` |" in staged.card
        assert "| scene:beach | contentment | 0.3 | 0.10 to 0.50 | legitimate_cue | beaches do please |" in staged.card
        assert "object:dog" not in staged.card
        assert staged.manifest.undecided_slices == ["a" * 16]
        with pytest.raises(LicenceError, match=r"1 bias slices are undecided \(the first: aaaa"):
            publish(store, staged.repository, world.hub)
    assert hub.state.log == []
    described = store.read_json("hub/tinyemo-hq/croissant.json")
    assert described["rai:dataBiases"] == [
        "accepted: brightness:dark is taken for fear", "undecided: object:gravestone may be taken for sadness",
    ]  # fmt: skip
    review(store, HEAD + "".join(f"{letter * 16},not_reproducible,,ann,,,\n" for letter in "abc"))
    assert publish(store, stage_set(store, world, "hq").repository, world.hub).sent
