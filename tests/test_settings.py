from pathlib import Path

import pytest
import yaml

from tinyemo_data import settings
from tinyemo_data.errors import SettingsError

ENV_EXAMPLE = Path(__file__).parents[1] / ".env.example"


@pytest.mark.parametrize("profile", sorted(path.stem for path in settings.PROFILES.glob("*.yaml")))
def test_every_profile_loads(profile: str) -> None:
    assert settings.load(profile).projector.train_on


def test_demo_keeps_to_folders_of_its_own() -> None:
    demo, other = settings.load("demo"), settings.load("emotion6")
    assert (demo.raw, demo.store) == ("data/demo/raw", "data/demo/store")
    assert (other.raw, other.store) == ("data/raw", "data/store")


def test_environment_wins_over_the_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYEMO_STORE", "s3://bucket/x")
    monkeypatch.setenv("TINYEMO_PROJECTOR__EPOCHS", "7")
    monkeypatch.setenv("TINYEMO_PROJECTOR__SEEDS", "[4, 5]")
    loaded = settings.load("demo")
    assert loaded.store == "s3://bucket/x"
    assert (loaded.projector.epochs, loaded.projector.seeds) == (7, [4, 5])
    assert loaded.projector.train_on == ["emotionroi", "webemo", "emoset"]


def test_profile_of_one_s_own_is_given_by_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values = yaml.safe_load((settings.PROFILES / "demo.yaml").read_text())
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump({**values, "raw": "elsewhere"}))
    monkeypatch.setenv("TINYEMO_PROFILE", str(path))
    assert settings.load().raw == "elsewhere"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("strore: x", "no setting 'strore'. Did you mean 'store'"),
        ("encoder: {modle: x}", "no setting 'encoder.modle'. Did you mean 'model'"),
        ("datasets: {emotion6: {lable: keyword}}", "no setting 'datasets.emotion6.lable'. Did you mean 'label'"),
        ("- a\n- b", "expected a mapping"),
        ("a: [", "is no YAML"),
    ],
    ids=["top", "nested", "in-a-dataset", "list", "no-yaml"],
)
def test_misspelt_profile_key_names_the_key_it_may_have_meant(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=r"mine\.yaml") as caught:
        settings.load(str(path))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("variable", "meant"),
    [("TINYEMO_STROE", "TINYEMO_STORE"), ("TINYEMO_PROJECTOR__EPOCH", "TINYEMO_PROJECTOR__EPOCHS")],
)
def test_misspelt_variable_names_the_one_it_may_have_meant(
    variable: str, meant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "x")
    with pytest.raises(SettingsError, match=f"{variable}.*Did you mean '{meant}'"):
        settings.load("demo")


def test_value_out_of_range_names_key_variable_and_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYEMO_PROJECTOR__EPOCHS", "0")
    with pytest.raises(SettingsError, match=r"TINYEMO_PROJECTOR__EPOCHS.*greater than or equal to 1.*'0'"):
        settings.load("demo")


def test_dataset_to_learn_from_must_be_one_of_the_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYEMO_PROJECTOR__TRAIN_ON", '["emotion7"]')
    with pytest.raises(SettingsError, match=r"train_on names 'emotion7'.*Did you mean 'emotion6'"):
        settings.load("emotion6")


def test_another_language_model_does_not_take_the_profile_s_tokenizer(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings.load("paper").language_model_tokenizer is not None
    monkeypatch.setenv("TINYEMO_LANGUAGE_MODEL", "org/other")
    assert settings.load("paper").language_model_tokenizer is None


def test_list_that_is_no_json_is_one_settings_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYEMO_PROJECTOR__TRAIN_ON", "emotion6")
    with pytest.raises(SettingsError, match="written as JSON"):
        settings.load("emotion6")


def test_value_typed_at_launch_is_checked_like_any_other() -> None:
    with pytest.raises(SettingsError, match="Typed at launch: loss"):
        settings.checked(settings.ProjectorSettings, {"train_on": ["fi"], "loss": "foo"})


def test_unknown_profile_names_the_nearest() -> None:
    with pytest.raises(SettingsError, match="Did you mean 'demo'"):
        settings.load("dmeo")


def test_env_example_lists_every_variable_and_none_that_is_unknown() -> None:
    lines = [line.lstrip("# ") for line in ENV_EXAMPLE.read_text().splitlines() if "=" in line]
    listed = {line.split("=")[0] for line in lines}
    credentials = {"ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "HF_TOKEN", "HF_ENDPOINT"}
    assert listed == set(settings.variables()) | {"TINYEMO_SHARED"} | credentials


@pytest.mark.parametrize("text", ["False", "false", "0", "no"])
def test_switch_that_is_typed_as_false_is_off(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYEMO_PROJECTOR__CLASS_BALANCING", text)
    assert settings.load("emotion6").projector.class_balancing is False
