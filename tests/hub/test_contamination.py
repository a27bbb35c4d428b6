from pathlib import Path

import polars as pl
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.audit.test_leakage import apart, fill, sample
from tinyemo_data.audit.leakage import PAIRS_KEY, leakage_report
from tinyemo_data.hub.contamination import find_twins, measure_contamination
from tinyemo_data.store import Store

PLACES = [("emoset", "train"), ("emoset", "test"), ("fi", "test"), ("fi", "validation"), ("webemo", "train")]


def test_measure_contamination_says_that_nothing_is_known_without_a_report(tmp_path: Path) -> None:
    store = Store(tmp_path)
    found = measure_contamination(store, {"emoset/1": 3}, ["fi"])
    assert not found.measured and found.not_compared == ["fi"] and "`leakage`" in str(found.why_not)


def test_measure_contamination_says_that_nothing_is_known_when_samples_are_newer(store: Store) -> None:
    fill(store, "emoset", [sample("emoset/1", "train", "one", apart(1))])
    leakage_report(store, "none", ["emoset"])
    fill(store, "emoset", [sample("emoset/2", "train", "two", apart(2))])
    assert not measure_contamination(store, {"emoset/2": 1}, ["fi"]).measured


def test_measure_contamination_counts_the_records_of_pictures_that_were_not_compared(tmp_path: Path) -> None:
    store = Store(tmp_path)
    fill(store, "emoset", [sample("emoset/1", "train", "one", apart(1))])
    fill(store, "fi", [sample("fi/1", "test", "one", apart(1))])
    leakage_report(store, "none", ["emoset", "fi"])
    found = measure_contamination(store, {"emoset/1": 2, "webemo/7": 3, "": 4}, ["fi"])
    assert (found.unseen, found.measured, found.complete) == (7, True, False)
    assert [(one.shown, one.records) for one in found.overlaps] == [(1, 2)]
    assert measure_contamination(store, {"emoset/1": 2}, ["fi"]).complete


# Each sample: where it lies, which of a few contents it has, and whether a set shows it.
SAMPLES = st.lists(st.tuples(st.sampled_from(PLACES), st.integers(0, 4), st.booleans()), min_size=1, max_size=14)


@given(drawn=SAMPLES)
@hypothesis_settings(max_examples=40, deadline=None)
def test_find_twins_agrees_with_comparing_every_two_pictures(drawn: list[tuple[tuple[str, str], int, bool]]) -> None:
    store = Store("memory://contamination")
    rows: dict[str, list[dict[str, object]]] = {}
    for number, ((dataset, split), content, _) in enumerate(drawn):
        row = sample(f"{dataset}/{split}/{number:03d}", split, f"content {content}", apart(content))
        rows.setdefault(dataset, []).append(row)
    for dataset, found in rows.items():
        fill(store, dataset, sorted(found, key=lambda row: str(row["sample_id"])))
    leakage_report(store, "none", sorted(rows))
    shown = {
        f"{dataset}/{split}/{number:03d}"
        for number, ((dataset, split), _, used) in enumerate(drawn) if used and split == "train"
    }  # fmt: skip
    every = [(f"{dataset}/{split}/{number:03d}", dataset, split, content)
             for number, ((dataset, split), content, _) in enumerate(drawn)]  # fmt: skip
    expected = {
        (one, dataset, split, other)
        for one, _, _, content in every if one in shown
        for other, dataset, split, its in every if split != "train" and dataset in ("fi", "emoset") and its == content
    }  # fmt: skip
    twins = find_twins(store.read_table(PAIRS_KEY), shown, ["fi", "emoset"])
    assert set(twins.drop("kind").rows()) == expected
    assert set(twins["kind"].unique()) <= {"identical"}


def test_find_twins_has_no_rows_where_nothing_is_shown() -> None:
    names = ("first", "second", "first_dataset", "second_dataset", "first_split", "second_split", "kind")
    empty = pl.DataFrame(schema=dict.fromkeys(names, pl.String))
    assert len(find_twins(empty, {"a/1"}, ["fi"])) == 0
