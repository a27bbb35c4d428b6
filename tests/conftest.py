"""Fixtures for all tests: the shared real data, and an environment in which no setting of the machine leaks in."""

import os
from pathlib import Path

import pytest

from tinyemo_data.settings import PREFIX
from tinyemo_data.store import Store

SHARED = Path(os.environ.get("TINYEMO_SHARED") or Path(__file__).parents[1] / ".." / "shared").resolve()


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.upper().startswith(PREFIX):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The real data that the project is tested on but never holds; skips where it is absent."""
    folder = SHARED / "data"
    if not folder.is_dir():
        pytest.skip(f"TINYEMO_SHARED: the folder {folder} is absent")
    return folder


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store on the local disk."""
    return Store(tmp_path / "store")
