"""Both stages as assets: made of the store's sets, shown with what people want to see, checked."""

from typing import Any

import dagster as dg
import pytest

from assets.mm_llm import FINETUNED, PRETRAINED, build_mm_llm, is_built
from assets.resources import build_resources
from tests.mm_llm.conftest import changed
from tinyemo_data import settings as settings_module
from tinyemo_data.settings import Settings

CHECKS = {"frozen_parts_bit_identical", "losses_finite", "validation_loss_fell"}


def run(settings: Settings, instance: dg.DagsterInstance, raises: bool = True) -> dg.ExecuteInProcessResult:
    return dg.materialize(
        build_mm_llm(settings), instance=instance, resources=build_resources(settings), raise_on_error=raises
    )


def test_both_stages_are_made_shown_and_checked(planted: Settings) -> None:
    settings = changed(planted, max_new_tokens=4)
    with dg.DagsterInstance.ephemeral() as instance:
        result = run(settings, instance)
        assert result.success
        events: dict[dg.AssetKey, dict[str, Any]] = {
            each.asset_key: {name: value.value for name, value in each.materialization.metadata.items()}
            for each in result.get_asset_materialization_events()
            if each.asset_key is not None
        }
    assert list(events) == [PRETRAINED, FINETUNED]
    shown = events[FINETUNED]
    assert "data:image/png" in shown["losses"]
    assert shown["parts"]["vision_tower"].startswith("tower")
    counts = shown["parameters"]
    assert set(counts) == {"vision_tower", "connector", "language_model"}
    assert all(count > 1000 for count in counts.values())
    assert shown["records"] + shown["records_held_out"] == 32
    assert shown["tokens_per_second"] > 0
    found = {(check.asset_key, check.check_name): check for check in result.get_asset_check_evaluations()}
    expected = {(key, name) for key in (PRETRAINED, FINETUNED) for name in CHECKS}
    assert set(found) == expected | {(FINETUNED, "answers_state_a_label")}
    assert all(found[each].passed for each in expected)


def test_check_finds_a_frozen_weight_that_was_changed_in_the_store(planted: Settings) -> None:
    from pathlib import Path

    from safetensors.torch import load_file, save_file

    with dg.DagsterInstance.ephemeral() as instance:
        run(planted, instance)
        path = Path(planted.store) / "models/mm_llm/finetuned/model.safetensors"
        weights = load_file(path)
        name = next(name for name in weights if "vision_tower" in name and name.endswith("fc1.bias"))
        weights[name][0] += 1e-6
        save_file(weights, path, {"format": "pt"})
        result = run(planted, instance, raises=False)
    broken = [check.check_name for check in result.get_asset_check_evaluations() if not check.passed and check.blocking]
    assert broken == ["frozen_parts_bit_identical"]


def test_failure_is_one_message_for_people(planted: Settings) -> None:
    from pathlib import Path

    (Path(planted.raw) / "emoset" / "p5.png").unlink()
    with (
        dg.DagsterInstance.ephemeral() as instance,
        pytest.raises(dg.Failure, match=r"MMLLMError: 1 of 32 pictures are missing or empty; the first is .*p5\.png"),
    ):
        run(planted, instance)


@pytest.mark.parametrize(("profile", "expected"), [("demo", True), ("paper", True), ("emotion6", False)])
def test_assets_are_there_where_a_profile_makes_a_set_that_they_learn_from(profile: str, expected: bool) -> None:
    settings = settings_module.load(profile)
    assert is_built(settings) is expected
    assert bool(build_mm_llm(settings)) is expected
