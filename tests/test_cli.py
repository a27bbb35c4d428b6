from pathlib import Path

import pytest
from typer.testing import CliRunner

from tinyemo_data.cli import app
from tinyemo_data.store import Store

runner = CliRunner(env={"COLUMNS": "200"})


@pytest.fixture(autouse=True)
def _folders_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TINYEMO_RAW", str(tmp_path / "raw"))
    monkeypatch.setenv("TINYEMO_STORE", str(tmp_path / "store"))


def test_doctor_finds_nothing_to_mend_for_the_demo() -> None:
    result = runner.invoke(app, ["doctor", "--profile", "demo"])
    assert result.exit_code == 0, result.output
    assert "torchvision: 0." in result.output


def test_doctor_leaves_no_mark_of_its_own_in_a_store(tmp_path: Path) -> None:
    runner.invoke(app, ["doctor", "--profile", "demo"])
    assert [path for path in (tmp_path / "store").rglob("*") if path.is_file()] == []


def test_doctor_names_the_only_dataset_and_where_to_get_it_when_it_is_absent() -> None:
    result = runner.invoke(app, ["doctor", "--profile", "emotion6"])
    assert result.exit_code == 1
    assert "mend dataset emotion6" in result.output
    assert "Emotion6" in result.output


def test_doctor_never_prints_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-secret")
    result = runner.invoke(app, ["doctor", "--profile", "demo"])
    assert "ANTHROPIC_API_KEY: set" in result.output
    assert "sk-secret" not in result.output


def test_doctor_refuses_a_store_of_real_pictures_for_the_demo(tmp_path: Path) -> None:
    Store(tmp_path / "store").claim("real")
    result = runner.invoke(app, ["doctor", "--profile", "demo"])
    assert result.exit_code == 1
    assert "made of real pictures" in result.output


def test_show_says_what_to_materialize_when_nothing_was_evaluated() -> None:
    result = runner.invoke(app, ["show", "--profile", "demo"])
    assert result.exit_code == 1
    assert "materialize" in result.output


def test_unknown_profile_is_one_line_with_the_nearest() -> None:
    result = runner.invoke(app, ["show", "--profile", "emotion"])
    assert result.exit_code == 1
    assert "Did you mean 'emotion6'" in result.output
    assert "Traceback" not in result.output


def test_dot_env_file_of_the_folder_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TINYEMO_STORE")
    (tmp_path / ".env").write_text("TINYEMO_STORE=from-dot-env\n")
    result = runner.invoke(app, ["doctor", "--profile", "demo"])
    monkeypatch.delenv("TINYEMO_STORE", raising=False)
    assert "from-dot-env can be written" in result.output
