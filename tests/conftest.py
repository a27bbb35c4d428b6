"""Fixtures for all tests: the shared real data, and an environment in which no setting of the machine leaks in."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

from tinyemo_data.settings import PREFIX
from tinyemo_data.store import Store

KEPT = {"TINYEMO_SHARED", "TINYEMO_FAULT_TRIALS"}
SHARED = Path(os.environ.get("TINYEMO_SHARED") or Path(__file__).parents[1] / ".." / "shared").resolve()


# The gate judges a change, not the dice: the same examples on every run. `make test-search` looks for new ones.
settings.register_profile("gate", derandomize=True)
settings.register_profile("search", max_examples=500)
settings.load_profile("gate")

# At import, before any fixture: no setting of this machine may leak into a test, whatever its fixtures' scope.
for _name in [name for name in os.environ if name.upper().startswith(PREFIX)]:
    if _name not in KEPT:
        del os.environ[_name]


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
