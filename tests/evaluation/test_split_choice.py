"""Which split is evaluated."""

import pytest

from tinyemo_data.errors import TableError
from tinyemo_data.evaluation.split import choose_split


@pytest.mark.parametrize(
    ("available", "split", "words"),
    [
        ({"train": "ab", "test": "cd"}, "test", None),
        ({"train": "ab", "test": "cd", "validation": "ef"}, "test", None),
        ({"train": "ab", "validation": "cd"}, "validation", "there is no test folder"),
        ({"train": "ab", "validation": "cd", "test": ""}, "validation", "there is no test folder"),
        ({"test": "cd", "validation": "dc"}, "test", "holds the same pictures as test/"),
        ({"test": "cde", "validation": "cx"}, "test", "1 of 3 test pictures"),
    ],
    ids=["test", "both", "validation", "empty test", "validation is test", "overlap"],
)
def test_choose_split_takes_test_then_validation(available: dict[str, str], split: str, words: str | None) -> None:
    chosen, note = choose_split({name: set(rows) for name, rows in available.items()}, "emotion6")
    assert chosen == split
    assert note is None if words is None else (note is not None and words in note and "emotion6" in note)


def test_choose_split_names_dataset_and_mend_when_there_is_only_train() -> None:
    with pytest.raises(TableError, match=r"abstract: .*found train \(2\).*materialize samples/abstract"):
        choose_split({"train": {"a", "b"}}, "abstract")
