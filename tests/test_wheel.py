"""The wheel is the library alone, with the prompts inside: checked on an installed wheel outside the checkout."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)]
    subprocess.run(command, cwd=CHECKOUT, check=True, capture_output=True)
    return next(target.glob("*.whl"))


def test_wheel_holds_the_library_alone(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}
        assert "tinyemo_data/profiles/demo.yaml" in archive.namelist()
    assert {top for top in tops if not top.endswith(".dist-info")} == {"tinyemo_data"}


def test_installed_wheel_renders_a_prompt_outside_the_checkout(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    install = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--target", str(site)]
    subprocess.run([*install, str(wheel)], check=True, capture_output=True)
    code = (
        "import tinyemo_data; from tinyemo_data.synthesis.prompt import load_prompt; print(tinyemo_data.__file__);"
        "print(load_prompt('pretrain/caption').render(question='What is shown?', attributes={}))"
    )
    environment = {**os.environ, "PYTHONPATH": str(site)}
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True, capture_output=True, text=True
    )
    where, _, text = run.stdout.partition("\n")
    assert where.startswith(str(site))
    assert "What is shown?" in text
