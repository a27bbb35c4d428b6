"""The assets of the stage, through Dagster, over a store that has what they stand on."""

from typing import Any

import dagster as dg
import pytest

from assets.publish import build_publish, hub_key
from assets.resources import StoreResource
from tests.hub.hub_server import LocalHub
from tests.synthesis.export.records import write_records
from tinyemo_data.settings import Settings
from tinyemo_data.store import Store
from tinyemo_data.synthesis.records import read_records


def materialize(world: Settings, *wanted: str, config: dict[str, Any] | None = None) -> dg.ExecuteInProcessResult:
    return dg.materialize(
        build_publish(world),
        resources={"store": StoreResource(url=world.store, pictures="drawn")},
        selection=dg.AssetSelection.assets(*map(hub_key, wanted)),
        run_config={"ops": {f"hub__{name}": {"config": config} for name in wanted}} if config else None,
        raise_on_error=False,
    )


def shown(result: dg.ExecuteInProcessResult, what: str) -> dict[str, Any]:
    (event,) = result.asset_materializations_for_node(f"hub__{what}")
    return {name: value.value for name, value in event.metadata.items()}


def checks(result: dg.ExecuteInProcessResult) -> dict[str, bool]:
    return {f"{one.asset_key.path[-1]}/{one.check_name}": one.passed for one in result.get_asset_check_evaluations()}


def test_repositories_are_staged_and_nothing_leaves_unless_it_is_asked_for(
    world: Settings, store: Store, hub: LocalHub
) -> None:
    result = materialize(world, "pretrain", "finetune", "hq", "projector")
    assert result.success and hub.state.log == []
    for what in ("pretrain", "finetune", "hq", "projector"):
        found = shown(result, what)
        assert store.exists(f"hub/tinyemo-{what}/manifest.json") and "published" not in found
        assert "## Loading" in found["card"] and "README.md" in found["files"]
    assert all(checks(result).values()) and len(checks(result)) == 8


def test_published_revision_is_metadata_with_its_link(world: Settings, hub: LocalHub) -> None:
    result = materialize(world, "hq", config={"publish": True, "tag": "v2"})
    assert result.success
    found, repo = shown(result, "hq"), hub.state.only("tinyemo-hq")
    assert found["published"] == f"{hub.url}/datasets/somebody/tinyemo-hq/tree/{repo.refs['main']}"
    assert found["revision"] == repo.refs["main"] == repo.tags["v2"]
    assert "README.md" in found["sent"] and result.run_id in repo.messages[-1]
    again = shown(materialize(world, "hq", config={"publish": True, "tag": "v2"}), "hq")
    assert again["sent"] == [] and again["revision"] == found["revision"]


def test_publishing_set_for_good_publishes_a_run_of_repositories_and_never_one_that_makes_more(
    world: Settings, store: Store, hub: LocalHub
) -> None:
    always = world.model_copy(update={"hub": world.hub.model_copy(update={"publish": True})})

    @dg.asset(key=["instruct", "hq"])
    def made() -> None:
        """Something that is made besides."""

    def run(*wanted: str, config: dict[str, Any] | None = None) -> dict[str, Any]:
        result = dg.materialize(
            [made, *build_publish(always)],
            resources={"store": StoreResource(url=world.store, pictures="drawn")},
            selection=dg.AssetSelection.assets(*wanted),
            run_config={"ops": {"hub__hq": {"config": config}}} if config else None,
        )
        return shown(result, "hq")

    beside = run("instruct/hq", "hub/hq")
    assert "makes more than repositories" in beside["stays_staged"][0] and "published" not in beside
    assert hub.state.log == []
    assert run("hub/hq")["published"] and hub.state.only("tinyemo-hq").private
    assert run("instruct/hq", "hub/hq", config={"publish": True})["published"]


def test_set_of_an_api_stays_staged_with_a_message(world: Settings, store: Store, hub: LocalHub) -> None:
    rows = read_records(store, "hq").to_dicts()
    write_records(store, "hq", [{**row, "generator": "anthropic"} for row in rows])
    result = materialize(world, "hq", config={"publish": True})
    assert result.success and hub.state.log == []
    assert "hub.acknowledge_terms" in shown(result, "hq")["stays_staged"][0]
    assert checks(result) == {"hq/nothing_private": True, "hq/may_leave": False}
    allowed = materialize(world, "hq", config={"publish": True, "acknowledge_terms": True})
    assert shown(allowed, "hq")["published"] and hub.state.repos


def test_planted_address_fails_the_asset_when_publishing_and_its_check_when_not(
    world: Settings, store: Store, hub: LocalHub
) -> None:
    rows = read_records(store, "hq").to_dicts()
    rows[3]["conversations"][1]["value"] += " Ask anna@example.org."
    write_records(store, "hq", rows)
    result = materialize(world, "hq")
    assert checks(result)["hq/nothing_private"] is False
    failed = materialize(world, "hq", config={"publish": True})
    assert not failed.success and hub.state.log == []
    (failure,) = [event for event in failed.all_events if event.event_type_value == "STEP_FAILURE"]
    assert "column conversations" in str(failure.event_specific_data) and "anna@" not in str(
        failure.event_specific_data
    )


def test_refusal_of_the_hub_is_a_failure_without_a_traceback_for_people(
    world: Settings, hub: LocalHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_anothertokenanothertoken")
    failed = materialize(world, "hq", config={"publish": True})
    (failure,) = [event for event in failed.all_events if event.event_type_value == "STEP_FAILURE"]
    told = str(failure.event_specific_data)
    assert "HubError: The Hub answered HTTP 401" in told and "hf_another" not in told


def test_profile_without_instruct_sets_has_the_models_alone(world: Settings) -> None:
    bare = world.model_copy(update={"synthesis": world.synthesis.model_copy(update={"sets": {}})})
    keys = {key for one in build_publish(bare) if isinstance(one, dg.AssetsDefinition) for key in one.keys}
    assert hub_key("projector") in keys and not keys & {hub_key(name) for name in ("pretrain", "finetune", "hq")}
