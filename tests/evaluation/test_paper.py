"""The paper's table as data."""

import pytest

from tinyemo_data.evaluation.paper import paper_table, seen, title


def test_paper_table_holds_every_figure_of_eight_datasets() -> None:
    table = paper_table()
    assert len(table.datasets) == len(table.labels) == 8
    assert len(table.models) == 5
    for model in table.models:
        assert list(model.top1) == list(table.datasets)
        assert set(model.trained_on) <= set(table.datasets)
        assert all(100 / table.labels[dataset] / 1.5 < top1 < 100 for dataset, top1 in model.top1.items())


@pytest.mark.parametrize(
    ("dataset", "expected"),
    [
        ("emotionroi", "own train split"),
        ("emoset", "own train split"),
        ("webemo", "own train split"),
        ("emotion6", "same pictures"),
        ("fi", "zero-shot"),
        ("unbiasedemo", "zero-shot"),
    ],
)
def test_seen_tells_what_the_papers_projectors_had_learnt_from(dataset: str, expected: str) -> None:
    projectors = [model for model in paper_table().models if model.name.startswith("TinyEmo")]
    assert {seen(dataset, model.trained_on) for model in projectors} == {expected}


def test_seen_prefers_own_train_split_when_twin_dataset_was_learnt_too() -> None:
    assert seen("emotion6", ["emotion6", "emotionroi"]) == "own train split"
    assert seen("emotion6", ["webemo"]) == "zero-shot"


def test_seen_is_not_known_when_nobody_told_what_was_learnt_from() -> None:
    assert seen("emotion6", []) == "not known"


def test_title_is_the_key_itself_when_the_paper_lacks_the_dataset() -> None:
    assert (title("unbiasedemo"), title("oasis")) == ("UnbiasedEmo", "oasis")
