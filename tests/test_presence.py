from pathlib import Path

import pytest

from tinyemo_data import settings
from tinyemo_data.presence import datasets_present


@pytest.fixture
def paper(tmp_path: Path) -> settings.Settings:
    folders = {"raw": str(tmp_path / "raw"), "store": str(tmp_path / "store")}
    return settings.load("paper").model_copy(update=folders)


def test_dataset_is_present_where_its_folder_holds_something(paper: settings.Settings) -> None:
    (Path(paper.raw) / "fi" / "emotion_dataset").mkdir(parents=True)
    (Path(paper.raw) / "webemo").mkdir()
    (Path(paper.raw) / "emoset").mkdir()
    (Path(paper.raw) / "emoset" / ".DS_Store").touch()
    assert datasets_present(paper) == ["fi"]


def test_all_are_waited_for_where_none_is_present(paper: settings.Settings) -> None:
    assert datasets_present(paper) == list(paper.datasets)


def test_drawn_datasets_are_all_present() -> None:
    demo = settings.load("demo")
    assert datasets_present(demo) == list(demo.datasets)
