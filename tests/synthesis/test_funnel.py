from itertools import pairwise

import polars as pl
import pytest

from tests.synthesis.replied import answer, lookup, plan, stored
from tinyemo_data.errors import StoreError
from tinyemo_data.store import Store
from tinyemo_data.synthesis.funnel import ACCEPTED, EXPLAINED, OUTCOMES, SURPLUS, WAITING, Funnel, read_funnel
from tinyemo_data.synthesis.gates.registry import GATES
from tinyemo_data.synthesis.records import funnel_key
from tinyemo_data.synthesis.rendering import render_set

ROWS = pl.DataFrame(
    [
        ("s/a", "awe", ACCEPTED, None, 0.1),
        ("s/a", "awe", ACCEPTED, None, 0.2),
        ("s/a", "fear", "length", "answer_too_short", 0.3),
        ("s/a", "fear", "refused", "reply_refused", 0.0),
        ("s/b", None, "length", "answer_too_long", 0.1),
        ("s/b", None, SURPLUS, None, 0.1),
        ("s/b", None, WAITING, None, None),
        ("s/b", "awe", ACCEPTED, None, 0.1),
    ],
    schema=["prompt", "emotion", "outcome", "reason", "usd"],
    orient="row",
)


@pytest.fixture
def funnel() -> Funnel:
    """Eight rows of two tasks, counted."""
    counted = Funnel("s", drafts=8)
    counted.add(ROWS)
    return counted


def test_stages_follow_the_gates_and_lose_what_each_holds_back(funnel: Funnel) -> None:
    stages = funnel.stages()
    assert [stage.name for stage in stages] == [WAITING, *(gate.name for gate in GATES), SURPLUS]
    assert stages[0].entered == 8
    assert all(later.entered == stage.entered - stage.held_back for stage, later in pairwise(stages))
    assert stages[-1].entered - stages[-1].held_back == funnel.total(ACCEPTED) == 3
    assert {stage.name: stage.held_back for stage in stages if stage.held_back} == {
        WAITING: 1, "refused": 1, "length": 2, SURPLUS: 1,
    }  # fmt: skip


def test_stages_of_a_task_or_an_emotion_count_it_alone(funnel: Funnel) -> None:
    assert funnel.stages(task="s/a")[0].entered == 4
    assert funnel.stages(emotion="awe")[0].entered == 3
    assert funnel.stages(task="s/b", emotion="awe")[0].entered == 1


def test_accepted_counts_by_emotion_and_task(funnel: Funnel) -> None:
    assert funnel.accepted() == {("awe", "s/a"): 2, ("awe", "s/b"): 1}
    assert (funnel.tasks(), funnel.emotions()) == (["s/a", "s/b"], ["awe", "fear"])


def test_reasons_are_told_by_gate_the_commonest_first(funnel: Funnel) -> None:
    funnel.add(ROWS.filter(pl.col("reason") == "answer_too_long"))
    assert funnel.reasons() == {
        "refused": {"reply_refused": 1}, "length": {"answer_too_long": 2, "answer_too_short": 1},
    }  # fmt: skip
    assert list(funnel.reasons()["length"]) == ["answer_too_long", "answer_too_short"]


def test_dollars_add_up_in_whatever_order_rows_come(funnel: Funnel) -> None:
    one_by_one = Funnel("s", drafts=8)
    for row in range(len(ROWS) - 1, -1, -1):
        one_by_one.add(ROWS[row])
    assert one_by_one == funnel
    assert funnel.usd() == 0.9
    assert funnel.usd(ACCEPTED) == 0.4


def test_every_outcome_is_explained() -> None:
    assert set(EXPLAINED) == set(OUTCOMES)


def test_funnel_reads_back_as_it_was_written(store: Store) -> None:
    drafts = plan(store, "hq", 9)
    replies = answer(drafts)
    replies[drafts[0]["request_digest"]] = stored(drafts[0]["request_digest"], "no JSON")
    rendered = render_set(store, "hq", lookup(replies))
    assert read_funnel(store, "hq") == rendered.funnel
    content = store.read_json(funnel_key("hq"))
    assert content["accepted"] == 8
    assert content["stages"][0] == {"name": WAITING, "explained": EXPLAINED[WAITING], "entered": 9, "held_back": 0}
    assert content["reasons"] == {"not_json": {"reply_is_no_json": 1}}


@pytest.mark.parametrize("content", [{}, {"set": "hq", "drafts": 1, "counts": [{"task": "x"}]}, []])
def test_counts_of_another_version_are_told(store: Store, content: object) -> None:
    store.write_json(funnel_key("hq"), content)
    with pytest.raises(StoreError, match=r"funnel\.json holds no counts of this version"):
        read_funnel(store, "hq")
