"""The judge, by the vendor's own client against the rehearsal server: nothing is paid twice, the budget is a wall."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from sklearn.metrics import cohen_kappa_score

from tests.evaluation.reasoning.pictures import picture, said
from tests.synthesis.asking import MODEL
from tinyemo_data import settings as profiles
from tinyemo_data.errors import SettingsError, TableError
from tinyemo_data.evaluation.reasoning.answering import Answered
from tinyemo_data.evaluation.reasoning.conditions import GIVEN, PREDICTED, SHUFFLED, WITHHELD, Condition
from tinyemo_data.evaluation.reasoning.held_out import HeldOut
from tinyemo_data.evaluation.reasoning.judge.agreement import agree, read_human_scores, weighted_kappa
from tinyemo_data.evaluation.reasoning.judge.judging import check_judge, judge_texts, recipe_of_judge
from tinyemo_data.evaluation.reasoning.judge.page import render_judgement
from tinyemo_data.evaluation.reasoning.judge.questions import Questions
from tinyemo_data.evaluation.reasoning.judge.verdicts import CRITERIA, Replies, read_scores, summarise_pairs
from tinyemo_data.settings import EvaluationSettings, Settings
from tinyemo_data.store import Store
from tinyemo_data.synthesis.ledger import StoredReply
from tinyemo_data.synthesis.rehearsal.process import RunningServer, running_server

OTHER = Condition("pretrained", "predicted")
HEADER = "row,sample_id,relevance,grounding,plausibility,clarity\n"
CODES = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=20)


@pytest.fixture(scope="module")
def one_server() -> Iterator[RunningServer]:
    with running_server(keep_bodies=True) as server:
        yield server


@pytest.fixture
def server(one_server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> RunningServer:
    one_server.reset()
    for name, value in one_server.environment.items():
        monkeypatch.setenv(name, value)
    return one_server


@pytest.fixture
def pictures(tmp_path: Path) -> list[HeldOut]:
    import hashlib

    found = []
    for number in range(3):
        path = tmp_path / f"p{number}.png"
        Image.new("RGB", (40, 30), (80 * number, 0, 0)).save(path)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        found.append(picture(number, path=path, sha256=digest))
    return found


def answers_of(count: int) -> dict[Condition, list[Answered]]:
    return {
        condition: [said(f"Reasoning: {condition.key}, {row}.\nPredicted Label: fear") for row in range(count)]
        for condition in (GIVEN, PREDICTED, WITHHELD, SHUFFLED, OTHER)
    }


def settings_of(budget: float | None = 1.0, **reasoning: Any) -> Settings:
    demo = profiles.load("demo")
    chosen = {"judge": "anthropic", "judge_model": MODEL, "judge_pictures": 2, **reasoning}
    synthesis = demo.synthesis.model_copy(update={"budget_usd": budget, "concurrency": 8})
    evaluation = EvaluationSettings.model_validate({"datasets": ["fi"], "bootstrap": 100, "reasoning": chosen})
    return demo.model_copy(update={"synthesis": synthesis, "evaluation": evaluation})


def test_texts_are_scored_and_paired_in_both_orders_and_a_rerun_pays_nothing(
    server: RunningServer, store: Store, pictures: list[HeldOut]
) -> None:
    first = judge_texts(store, settings_of(), pictures, answers_of(3))
    bill = server.bill()
    assert bill.paid == 2 * 4 + 2 * 2 * 2  # texts of four rows, two pairs of rows in both orders, of two pictures
    assert first.usd == pytest.approx(bill.usd, abs=1e-6)
    assert {key: (row.n, row.unscored) for key, row in first.rows.items()} == {
        one.key: (2, 0) for one in (GIVEN, PREDICTED, WITHHELD, SHUFFLED)
    }
    assert all(set(row.criteria) == set(CRITERIA) for row in first.rows.values())
    assert all(1 <= mean.mean <= 5 for row in first.rows.values() for mean in row.criteria.values())
    assert [(one.first, one.second, one.n) for one in first.pairs] == [
        (PREDICTED.key, WITHHELD.key, 2),
        (PREDICTED.key, OTHER.key, 2),
    ]
    assert judge_texts(store, settings_of(), pictures, answers_of(3)) == first
    assert server.bill().paid == bill.paid
    judge_texts(store, settings_of(judge_pictures=3), pictures, answers_of(3))
    assert server.bill().paid == bill.paid + 8


def test_judge_sees_the_picture_and_not_who_wrote_the_text(
    server: RunningServer, store: Store, pictures: list[HeldOut]
) -> None:
    judge_texts(store, settings_of(judge_pictures=1), pictures, {WITHHELD: [said("Reasoning: a dark sky.")]})
    (call,) = [one for one in server.requests() if one["route"] == "messages"]
    body = orjson.dumps(call["body"]).decode()
    assert "a dark sky" in body
    assert '"type":"image"' in body
    assert not any(word in body for word in ("finetuned", "withheld", "pretrain"))


def test_budget_is_a_wall_and_what_was_bought_is_summed_up(
    server: RunningServer, store: Store, pictures: list[HeldOut]
) -> None:
    stopped = judge_texts(store, settings_of(budget=0.0), pictures, answers_of(3))
    assert "budget" in stopped.stopped
    assert server.bill().paid == 0
    assert stopped.rows[GIVEN.key].unscored == 2
    assert stopped.usd == 0
    assert "budget" in render_judgement({**stopped.__dict__, "rows": {}, "pairs": [], "people": None})


def test_judge_without_budget_or_server_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"say synthesis\.budget_usd"):
        check_judge(settings_of(budget=None))
    with pytest.raises(SettingsError, match=r"say synthesis\.base_url"):
        check_judge(settings_of(judge="openai_compatible"))
    with pytest.raises(TableError, match=r"nothing\.csv can't be read"):
        check_judge(settings_of(human_scores=str(tmp_path / "nothing.csv")))
    check_judge(settings_of(judge=None, budget=None))


def replies_by(questions: Any, say: Any) -> Replies:
    """Return a stored reply to each question, with the fields that `say` makes of it; None: none."""
    found = {}
    for one in questions:
        fields = say(one)
        raw = None
        if fields is not None:
            raw = orjson.dumps({"content": [{"type": "text", "text": orjson.dumps(fields).decode()}]})
        digest = one.outgoing.digest
        found[digest] = StoredReply(digest, "answered", raw, 1, 1, 0.0, "anthropic", MODEL, None, None, None)
    return found


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        (lambda one: {"better": "first" if one.conditions[0] == PREDICTED else "second"}, (2, 0, 0, 0, 0)),
        (lambda one: {"better": "second" if one.conditions[0] == PREDICTED else "first"}, (0, 2, 0, 0, 0)),
        (lambda _: {"better": "equal"}, (0, 0, 2, 0, 0)),
        (lambda _: {"better": "first"}, (0, 0, 0, 2, 0)),
        (lambda one: {"better": "first"} if one.conditions[0] == PREDICTED else None, (0, 0, 0, 0, 2)),
        (lambda _: {"better": "third"}, (0, 0, 0, 0, 2)),
    ],
    ids=["predicted", "other", "equal", "whoever stands first", "half answered", "no such verdict"],
)
def test_text_wins_only_in_both_orders(verdict: Any, expected: tuple[int, ...], pictures: list[HeldOut]) -> None:
    asked = list(Questions(recipe_of_judge(settings_of())).pairs(pictures[:2], answers_of(2)))
    found = summarise_pairs(asked, replies_by(asked, verdict))[0]
    assert (found.first_wins, found.second_wins, found.equal, found.order_decided, found.unscored) == expected
    assert found.n == 2 - found.unscored


def test_equal_texts_are_not_paired(pictures: list[HeldOut]) -> None:
    same = [said("Predicted Label: fear")] * 3
    asked = Questions(recipe_of_judge(settings_of())).pairs(pictures, {PREDICTED: same, WITHHELD: same})
    assert list(asked) == []


@pytest.mark.parametrize("wrong", ["6", "0", "good", None])
def test_reply_with_a_score_that_is_none_counts_as_unscored(wrong: str | None, pictures: list[HeldOut]) -> None:
    asked = list(Questions(recipe_of_judge(settings_of())).scores(pictures[:1], {GIVEN: answers_of(1)[GIVEN]}))
    fields = dict.fromkeys(CRITERIA, "3")
    whole, broken = replies_by(asked, lambda _: fields), replies_by(asked, lambda _: {**fields, "clarity": wrong})
    assert read_scores(asked, whole) == {(GIVEN.key, "emoset/p0"): dict.fromkeys(CRITERIA, 3)}
    assert read_scores(asked, broken) == {(GIVEN.key, "emoset/p0"): None}


@given(CODES)
@settings(deadline=None)
def test_weighted_kappa_is_that_of_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    first, second = (np.array([pair[side] for pair in pairs], dtype=np.int64) for side in (0, 1))
    found = weighted_kappa(first, second)
    if found is None:
        assert len({*first.tolist(), *second.tolist()}) == 1
        return
    expected = cohen_kappa_score(first, second, labels=[0, 1, 2, 3, 4], weights="quadratic")
    assert found == pytest.approx(expected, abs=1e-6)


def test_agreement_is_on_texts_that_both_scored(tmp_path: Path) -> None:
    file = tmp_path / "scores.csv"
    file.write_text(f"{HEADER}{GIVEN.key},a,1,2,3,4\n{GIVEN.key},b,5,4,3,4\n{GIVEN.key},c,5,5,5,5\n")
    judge = {
        (GIVEN.key, "a"): dict(zip(CRITERIA, (1, 4, 3, 4), strict=True)),
        (GIVEN.key, "b"): dict(zip(CRITERIA, (5, 2, 3, 4), strict=True)),
        (GIVEN.key, "c"): None,
        (GIVEN.key, "d"): dict.fromkeys(CRITERIA, 1),
    }
    found = agree(judge, read_human_scores(file))
    assert {name: (one.n, one.kappa) for name, one in found.items()} == {
        "relevance": (2, 1.0), "grounding": (2, -1.0), "plausibility": (2, None), "clarity": (2, None),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("row,sample_id,relevance\n", "column 'grounding' is missing"),
        (f"{HEADER}r,a,1,2,3,6\n", "line 2, clarity: expected a score from 1 to 5, found '6'"),
        (f"{HEADER}r,a,1,2,3,\n", "line 2, clarity: expected a score from 1 to 5, found ''"),
        (f"{HEADER}r,a,1,2,3,4\nr,a,1,2,3,4\n", "line 3: a of r is scored twice"),
    ],
    ids=["column", "too high", "empty", "twice"],
)
def test_human_scores_name_file_line_and_column(text: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "scores.csv"
    file.write_text(text)
    with pytest.raises(TableError, match=r"scores\.csv") as caught:
        read_human_scores(file)
    assert message in str(caught.value)
