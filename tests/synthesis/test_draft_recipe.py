from typing import Any

import pytest

from tinyemo_data import settings
from tinyemo_data.errors import PromptError, SettingsError
from tinyemo_data.settings import SynthesisSettings
from tinyemo_data.synthesis.recipe import enabled_sets, recipe_of, set_names


def synthesis(**values: Any) -> SynthesisSettings:
    return SynthesisSettings.model_validate(values)


def test_demo_makes_every_set_of_attributes_and_weak_labels_without_a_key() -> None:
    demo = settings.load("demo").synthesis
    assert sorted(enabled_sets(demo)) == set_names()
    assert demo.label_origin == "projector"
    recipes = [recipe_of(demo, name) for name in enabled_sets(demo)]
    assert {recipe.datasets for recipe in recipes} == {("emoset", "webemo", "emotionroi")}
    assert {recipe.model_of(prompt) for recipe in recipes for prompt in recipe.prompts} == {"rules-1"}


def test_paper_makes_fifteen_hundred_careful_records_of_webemo() -> None:
    paper = settings.load("paper").synthesis
    hq, finetune = recipe_of(paper, "hq"), recipe_of(paper, "finetune")
    assert (hq.per_emotion, hq.backend, hq.model_of(hq.prompts[0])) == (60, "anthropic_batches", "claude-opus-5-5")
    assert (finetune.backend, finetune.datasets, finetune.per_emotion) == ("openai_compatible", ("webemo",), None)
    assert paper.label_origin == "annotators"


def test_released_features_alone_make_no_set() -> None:
    assert enabled_sets(settings.load("emotion6").synthesis) == []


def test_old_profile_without_the_group_loads(tmp_path: Any) -> None:
    text = (settings.PROFILES / "demo.yaml").read_text().split("# Answered by rules")[0]
    assert "synthesis:" not in text
    path = tmp_path / "old.yaml"
    path.write_text(text)
    assert settings.load(str(path)).synthesis == SynthesisSettings()


def test_option_of_one_set_is_given_by_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYEMO_SYNTHESIS__SETS__HQ__PER_EMOTION", "7")
    monkeypatch.setenv("TINYEMO_SYNTHESIS__SETS__DIALOGUE__ENABLED", "false")
    demo = settings.load("demo").synthesis
    assert recipe_of(demo, "hq").per_emotion == 7
    assert "dialogue" not in enabled_sets(demo)
    with pytest.raises(SettingsError, match=r"'dialogue' is not enabled.*Enabled: pretrain"):
        recipe_of(demo, "dialogue")


def test_misspelt_option_of_a_set_names_the_option(tmp_path: Any) -> None:
    path = tmp_path / "mine.yaml"
    text = (settings.PROFILES / "demo.yaml").read_text().replace("hq: {per_emotion", "hq: {per_emotoin")
    path.write_text(text)
    with pytest.raises(SettingsError, match=r"'synthesis\.sets\.hq\.per_emotoin'. Did you mean 'per_emotion'"):
        settings.load(str(path))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"backend": "anthropic"}, "'hq' asks anthropic, which costs money: say budget_usd"),
        ({"sets": {"hq": {"backend": "anthropic_batches"}}}, "costs money"),
        ({"backend": "openai_compatible", "model": "m"}, "say base_url"),
        ({"backend": "openai_compatible", "base_url": "http://localhost:1/v1"}, "say which model"),
    ],
    ids=["paid", "paid-set", "no-url", "no-model"],
)
def test_backend_without_what_it_needs_is_a_settings_error(
    values: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ValueError, match=message):
        synthesis(**{"sets": {"hq": {}}, **values})
    switched_off = {name: {**options, "enabled": False} for name, options in values.get("sets", {"hq": {}}).items()}
    assert synthesis(**{**values, "sets": switched_off}).backend == values.get("backend", "rules")


def test_paid_backend_without_a_budget_names_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYEMO_SYNTHESIS__BACKEND", "anthropic")
    with pytest.raises(SettingsError, match=r"TINYEMO_SYNTHESIS.*costs money: say budget_usd"):
        settings.load("demo")


def test_model_of_the_group_is_none_of_a_set_with_a_backend_of_its_own() -> None:
    values = {"backend": "openai_compatible", "model": "open", "base_url": "x", "budget_usd": 1}
    both = synthesis(**values, sets={"pretrain": {}, "hq": {"backend": "anthropic"}})
    assert recipe_of(both, "pretrain").model == "open"
    hq = recipe_of(both, "hq")
    assert hq.model_of(hq.prompts[0]) == "claude-opus-5-5"


def test_options_of_a_set_win_over_the_group() -> None:
    own = {"limit": 3, "max_tokens": 50, "datasets": ["fi"], "tasks": ["vqa", "caption"]}
    recipe = recipe_of(synthesis(limit=9, max_tokens=90, datasets=["webemo"], sets={"pretrain": own}), "pretrain")
    assert (recipe.limit, recipe.max_tokens, recipe.datasets) == (3, 50, ("fi",))
    assert [prompt.id for prompt in recipe.prompts] == ["pretrain/caption", "pretrain/vqa"]


def test_unknown_set_and_unknown_task_name_the_nearest() -> None:
    with pytest.raises(SettingsError, match=r"no set 'pretrian'. Did you mean 'pretrain'"):
        enabled_sets(synthesis(sets={"pretrian": {}}))
    with pytest.raises(PromptError, match=r"no prompt pretrain/captoin. Did you mean 'caption'"):
        recipe_of(synthesis(sets={"pretrain": {"tasks": ["captoin"]}}), "pretrain")


def test_dataset_to_ask_about_must_be_one_of_the_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYEMO_SYNTHESIS__DATASETS", '["webemoo"]')
    with pytest.raises(SettingsError, match=r"synthesis\.datasets names 'webemoo'.*Did you mean 'webemo'"):
        settings.load("demo")
