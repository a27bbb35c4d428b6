import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.audit.bias.conftest import pictures
from tinyemo_data.audit.bias.halves import discovery_half
from tinyemo_data.audit.bias.support import count_support

LABELLED = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 30)), min_size=1, max_size=120)


@given(LABELLED, st.integers(0, 5))
def test_image_groups_lie_in_one_half(rows: list[tuple[int, int]], seed: int) -> None:
    labels, groups = (np.array(column) for column in zip(*rows, strict=True))
    half = discovery_half(labels, groups, seed)
    for group in set(groups.tolist()):
        assert len(set(half[groups == group].tolist())) == 1


@given(st.lists(st.integers(0, 4), min_size=2, max_size=100), st.integers(0, 5))
def test_each_label_is_halved(labels: list[int], seed: int) -> None:
    numbers = np.array(labels)
    half = discovery_half(numbers, np.arange(len(labels)), seed)
    assert abs(int(half.sum()) - int((~half).sum())) <= 1
    for label in set(labels):
        assert abs(int(half[numbers == label].sum()) * 2 - (numbers == label).sum()) <= 1


def test_halves_depend_on_the_seed_alone() -> None:
    labels, groups = np.arange(200) % 4, np.arange(200)
    assert np.array_equal(discovery_half(labels, groups, 1), discovery_half(labels, groups, 1))
    assert not np.array_equal(discovery_half(labels, groups, 1), discovery_half(labels, groups, 2))


def test_support_counts_image_groups_of_each_class_and_value() -> None:
    values = np.array([[1], [1], [1], [0], [-1], [0]], dtype=np.int8)
    labels, groups = np.array([0, 0, 0, 0, 1, 1]), np.array([7, 7, 3, 3, 5, 6])
    support = count_support(pictures(values, labels, groups), 2)
    assert support.present.tolist() == [[2], [0]]
    assert support.absent.tolist() == [[1], [1]]
    assert support.elsewhere().present.tolist() == [[0], [2]]
    assert support.thin(1).tolist() == [[False], [True]]
