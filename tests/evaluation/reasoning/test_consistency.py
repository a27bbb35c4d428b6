"""What texts state, against label and projector: figures by hand, by scikit-learn, and for any answers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from tests.evaluation.reasoning.pictures import EKMAN, MIKELS, picture, said, states
from tinyemo_data.evaluation.reasoning.consistency import chance_of, hits, macro_f1, measure_consistency

LABELS = st.sampled_from([*MIKELS, None])


@pytest.mark.parametrize(
    ("truth", "predicted", "stated", "kind"),
    [
        ("fear", "fear", "fear", "all agree"),
        ("fear", "awe", "fear", "text = label"),
        ("fear", "awe", "awe", "text = projector"),
        ("fear", "fear", "awe", "label = projector"),
        ("fear", "awe", "anger", "all differ"),
        ("fear", "fear", None, "nothing stated"),
    ],
)
def test_three_way_table_counts_who_agrees(truth: str, predicted: str, stated: str | None, kind: str) -> None:
    found = measure_consistency([picture(0, truth, predicted)], [states(stated)], 100, 0)
    assert {name: count for name, count in found.three_way.items() if count} == {kind: 1}


def test_texts_that_state_no_emotion_or_several_are_counted_and_wrong() -> None:
    answers = [said("A cat."), said("It may be fear or awe."), said("Predicted Label: joyful"), states("fear")]
    found = measure_consistency([picture(number) for number in range(4)], answers, 100, 0)
    assert (found.stated, found.none_stated, found.several_stated) == (1, 2, 1)
    assert found.with_label.top1 == 0.25
    assert found.with_label.ci95[0] <= 0.25 <= found.with_label.ci95[1]


@given(st.lists(st.tuples(st.sampled_from(MIKELS), st.sampled_from(MIKELS), LABELS), min_size=1, max_size=8))
@settings(deadline=None)
def test_figures_hold_together_for_any_answers(rows: list[tuple[str, str, str | None]]) -> None:
    pictures = [picture(number, truth, predicted) for number, (truth, predicted, _) in enumerate(rows)]
    answers = [states(stated) for *_, stated in rows]
    found = measure_consistency(pictures, answers, 5, 0)
    assert sum(found.three_way.values()) == len(rows)
    assert found.stated + found.none_stated + found.several_stated == len(rows)
    right = found.three_way["all agree"] + found.three_way["text = label"]
    assert found.with_label.top1 == pytest.approx(right / len(rows), abs=1e-6)
    truths, said_labels = [truth for truth, *_ in rows], [stated or "none" for *_, stated in rows]
    present = sorted({*truths, *said_labels} - {"none"})
    expected = f1_score(truths, said_labels, labels=present, average="macro", zero_division=0)
    assert found.with_label.macro_f1 == pytest.approx(expected, abs=1e-6)


def test_same_word_of_two_taxonomies_is_two_labels_in_macro_f1() -> None:
    ekman = picture(1, "fear", dataset="emotion6", taxonomy="ekman6", options=EKMAN)
    found = measure_consistency([picture(0), ekman], [states("fear"), states("anger", EKMAN)], 100, 0)
    assert found.with_label.macro_f1 == pytest.approx(1 / 3, abs=1e-6)  # fear 1; the other fear 0, anger 0
    assert {name: one.top1 for name, one in found.by_dataset.items()} == {"emoset": 1.0, "emotion6": 0.0}


def test_macro_f1_leaves_out_labels_that_are_nowhere() -> None:
    truth, found = np.array([0, 0, 1]), np.array([0, 2, 2])
    assert macro_f1(truth, found, none=2) == pytest.approx((2 / 3 + 0) / 2)


def test_chance_is_that_of_always_the_commonest_label() -> None:
    pictures = [picture(0), picture(1), picture(2, dataset="fi")]
    assert chance_of(pictures, {"emoset": 0.5, "fi": 0.2}) == pytest.approx(0.4)


def test_hits_are_in_the_order_of_the_pictures() -> None:
    assert hits([picture(0, "fear"), picture(1, "awe")], [states("awe"), states("awe")]).tolist() == [0.0, 1.0]
