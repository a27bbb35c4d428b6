import numpy as np
import polars as pl
import pytest

from tinyemo_data.audit.bias.attributes import AttributeTable, attribute_table
from tinyemo_data.audit.bias.candidates import choose_candidates, phi_matrix
from tinyemo_data.errors import AuditError


def table(
    values: np.ndarray, tiers: tuple[str, ...] | None = None, names: tuple[str, ...] | None = None
) -> AttributeTable:
    width = values.shape[1]
    default = tuple(f"a{n}" for n in range(width))
    return AttributeTable(names or default, tiers or ("annotated",) * width, values.astype(np.int8))


def test_phi_equals_the_correlation_of_rows_in_which_both_are_known() -> None:
    rng = np.random.default_rng(0)
    values = (rng.random((300, 5)) < [0.1, 0.3, 0.5, 0.7, 0.9]).astype(np.int8)
    values[rng.random(values.shape) < 0.2] = -1
    phi = phi_matrix(table(values))
    for i in range(5):
        for j in range(5):
            both = (values[:, i] >= 0) & (values[:, j] >= 0)
            assert phi[i, j] == pytest.approx(np.corrcoef(values[both, i], values[both, j])[0, 1])


def test_near_copies_merge_into_the_annotated_one_then_the_commoner_one() -> None:
    rng = np.random.default_rng(1)
    base = rng.random(1_000) < 0.3
    copy, rarer = base.copy(), base.copy()
    copy[:5] = ~copy[:5]
    rarer[np.flatnonzero(base)[:10]] = False
    values = np.column_stack([copy, base, ~base, rarer, rng.random(1_000) < 0.3])
    tiers = ("caption", "annotated", "latent", "annotated", "annotated")
    found = choose_candidates(table(values, tiers, ("copy", "base", "opposite", "rarer", "other")), 0.8)
    assert found.columns == [1, 4]
    assert {(one.attribute, one.kept, one.phi < 0) for one in found.merged} == {
        ("copy", "base", False), ("opposite", "base", True), ("rarer", "base", False)
    }  # fmt: skip


def test_a_correlation_below_the_limit_keeps_both() -> None:
    base = np.arange(100) < 30
    other = (np.arange(100) < 15) | (np.arange(100) > 84)
    values = np.column_stack([base, other])
    assert abs(phi_matrix(table(values))[0, 1]) < 0.8
    assert choose_candidates(table(values), 0.8).columns == [0, 1]


def test_an_attribute_without_variation_is_told_by_name() -> None:
    values = np.array([[1, 0, 1], [1, 0, 0], [1, -1, 1]])
    found = choose_candidates(table(values, names=("all", "none", "some")), 0.8)
    assert found.columns == [2]
    assert [(one.attribute, one.reason) for one in found.constant] == [
        ("all", "no variation: 3 pictures have it, 0 have it not"),
        ("none", "no variation: 0 pictures have it, 2 have it not"),
    ]


def test_attribute_table_lays_rows_in_the_order_of_the_pictures() -> None:
    frame = pl.DataFrame({"sample_id": ["s/2", "s/1", "s/3"], "dog": [True, False, None]})
    assert attribute_table(frame, ["s/1", "s/3", "s/2"]).values.tolist() == [[0], [-1], [1]]


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (pl.DataFrame({"sample_id": ["s/1"], "dog": [1]}), "'dog' of type Int64"),
        (pl.DataFrame({"dog": [True]}), "no column 'sample_id'"),
        (pl.DataFrame({"sample_id": ["s/1", "s/1"], "dog": [True, False]}), "'s/1' has two rows"),
        (pl.DataFrame({"sample_id": ["s/2"], "dog": [True]}), "first 's/1'"),
    ],
    ids=["numbers", "no ids", "twice", "missing"],
)
def test_attribute_table_refuses_other_frames(frame: pl.DataFrame, message: str) -> None:
    with pytest.raises(AuditError, match=message):
        attribute_table(frame, ["s/1"])


def test_attribute_table_names_the_attribute_of_a_foreign_value_and_of_a_double() -> None:
    with pytest.raises(AuditError, match=r"Attribute .a1., row 0: expected 1 .* found 2"):
        table(np.array([[0, 2]]))
    with pytest.raises(AuditError, match="two attributes 'same'"):
        table(np.array([[0, 1]]), names=("same", "same"))
