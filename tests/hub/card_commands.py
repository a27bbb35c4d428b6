"""The Python that cards print, and a fresh process to run it in."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tinyemo_data.settings import Settings


def commands(settings: Settings, *names: str) -> str:
    """Return the Python that the cards of repositories print, all of it."""
    folder = Path(settings.store) / "hub"
    cards = [(folder / name / "README.md").read_text() for name in names]
    return "\n".join(block for card in cards for block in re.findall(r"```python\n(.*?)```", card, re.DOTALL))


def run(code: str, folder: Path, **environment: str) -> str:
    """Run code in a fresh process in `folder`, without any Hub unless the environment names one."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    chosen = {
        **clean,
        "HF_HOME": str(folder / "home"),
        "HF_HUB_OFFLINE": "1",
        "PYTHONPATH": str(Path.cwd()),
        **environment,
    }
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=chosen, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def stand_in(settings: Settings, folder: Path) -> Path:
    """Return a folder in which the repositories' ids lead to what is staged, and `pictures` to the pictures."""
    folder.mkdir(exist_ok=True)
    (folder / "somebody").symlink_to(Path(settings.store) / "hub")
    (folder / "pictures").symlink_to(settings.raw)
    return folder
