"""Kappa against scikit-learn's, who is compared with whom, and who is asked to look."""

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from tinyemo_data.audit.review.agreement import agreements, cohen_kappa, second_look


def test_cohen_kappa_is_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        first = rng.choice(["a", "b", "c"], 30).tolist()
        second = [word if rng.random() < 0.6 else str(rng.choice(["a", "b", "c"])) for word in first]
        assert cohen_kappa(first, second) == pytest.approx(cohen_kappa_score(first, second))


def test_cohen_kappa_is_not_told_when_chance_alone_agrees_on_all() -> None:
    assert cohen_kappa(["a", "a"], ["a", "a"]) is None
    assert cohen_kappa(["a", "b"], ["a", "b"]) == 1


def test_agreements_compare_two_people_on_what_both_decided() -> None:
    decisions = {"1": {"Ada": "x", "Bo": "x"}, "2": {"Ada": "x", "Bo": "y"}, "3": {"Ada": "y"}, "4": {"Cy": "x"}}
    (found,) = agreements(decisions)
    assert (found.first, found.second, found.slices, found.agreed) == ("Ada", "Bo", 2, 0.5)
    assert found.kappa == 0


def test_second_look_asks_for_a_fifth_of_the_decided_slices_once() -> None:
    decided = {f"{number:02}": {"Ada": "x"} for number in range(10)}
    assert second_look(decided) == ["00", "01"]
    assert second_look(decided | {"00": {"Ada": "x", "Bo": "y"}}) == ["01"]
    assert second_look({}) == []
