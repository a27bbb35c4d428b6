"""A world to stage, made once and copied for each test, and a Hub to publish to."""

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from huggingface_hub import constants
from huggingface_hub.utils import _http

from tests.hub.hub_server import LocalHub, running_hub
from tests.hub.world import make_settings, make_world
from tests.mm_llm.conftest import backbone_folder, tower_folder
from tinyemo_data.settings import Settings
from tinyemo_data.store import Store

__all__ = ["backbone_folder", "tower_folder"]  # the small parts that a language model is composed of


@pytest.fixture(scope="session")
def made_world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("world")
    make_world(folder)
    return folder


@pytest.fixture
def world(made_world: Path, tmp_path: Path) -> Settings:
    """Settings over a copy of the world that the test may change."""
    shutil.copytree(made_world, tmp_path / "world")
    return make_settings(tmp_path / "world")


@pytest.fixture
def store(world: Settings) -> Store:
    return Store(world.store)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[LocalHub]:
    """A Hub, the environment that leads to it, and a client that uploads plainly and does not wait between tries."""
    with running_hub() as running:
        for name in [name for name in os.environ if name.startswith("HF_")]:
            monkeypatch.delenv(name)
        for name, value in running.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        impatient = SimpleNamespace(**{**vars(time), "sleep": lambda _seconds: None})
        monkeypatch.setattr(_http, "time", impatient)
        yield running
