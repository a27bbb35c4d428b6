from pathlib import Path

import pytest

from tinyemo_data import settings
from tinyemo_data.presence import datasets_present
from tinyemo_data.sample import Quarantined, Sample, write_samples
from tinyemo_data.store import Store


@pytest.fixture
def paper(tmp_path: Path) -> settings.Settings:
    folders = {"raw": str(tmp_path / "raw"), "store": str(tmp_path / "store")}
    return settings.load("paper").model_copy(update=folders)


def test_dataset_is_present_where_its_folder_is(paper: settings.Settings) -> None:
    (Path(paper.raw) / "fi").mkdir(parents=True)
    assert datasets_present(paper) == ["fi"]


def test_dataset_is_present_where_its_samples_are_in_the_store(paper: settings.Settings) -> None:
    write_samples(Store(paper.store), "emoset", Sample.create_empty(), Quarantined.create_empty())
    (Path(paper.raw) / "fi").mkdir(parents=True)
    assert datasets_present(paper) == ["fi", "emoset"]


def test_all_are_waited_for_where_none_is_present(paper: settings.Settings) -> None:
    assert datasets_present(paper) == list(paper.datasets)


def test_drawn_datasets_are_all_present() -> None:
    demo = settings.load("demo")
    assert datasets_present(demo) == list(demo.datasets)
