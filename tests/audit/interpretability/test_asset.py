"""The asset through Dagster, over real features. (The drawn demo's whole graph is in tests/integration.)"""

import dagster as dg
import pytest

from pipelines.definitions import build_defs
from tests.audit.interpretability.conftest import PLANTED, World
from tinyemo_data.audit.interpretability.report import MAP_KEY, PICTURE_KEY, REPORT_KEY, TOKENS_KEY, read_report

ASSET = dg.AssetKey(["audit", "interpretability"])
CHECKS = ("own_words_are_near", "words_beat_the_control")


def materialize(world: World) -> dg.ExecuteInProcessResult:
    job = build_defs(world.settings).resolve_implicit_global_asset_job_def()
    return job.execute_in_process(asset_selection=[ASSET], raise_on_error=False)


@pytest.fixture(scope="module")
def finished(world: World) -> dg.ExecuteInProcessResult:
    return materialize(world)


def test_asset_shows_which_pictures_were_looked_at_their_words_and_the_map(
    finished: dg.ExecuteInProcessResult,
) -> None:
    assert finished.success
    shown = finished.asset_materializations_for_node("audit__interpretability")[0].metadata
    assert shown["looked_at"].value == "emotion6/validation (292)"
    assert all(f"| {emotion} |" in str(shown["emotions"].value) for emotion in PLANTED)
    assert "data:image/png;base64," in str(shown["map"].value)


def test_checks_hold_where_the_report_says_that_words_beat_the_control(
    world: World, finished: dg.ExecuteInProcessResult
) -> None:
    judged = read_report(world.store).judged
    assert all(group.beats_control and group.own_word_is_near for group in judged)
    found = {check.check_name: check.passed for check in finished.get_asset_check_evaluations()}
    assert found == dict.fromkeys(CHECKS, True)


def test_checks_warn_when_random_words_are_as_near(world: World, finished: dg.ExecuteInProcessResult) -> None:
    kept = world.store.read_bytes(REPORT_KEY)
    report = world.store.read_json(REPORT_KEY)
    for group in report["groups"]:
        group["control_cosine"]["percentile_95"] = 1.0
        group["own_word"] = group["own_word"] and group["own_word"] | {"p_control": 0.4}
    world.store.write_json(REPORT_KEY, report)
    job = build_defs(world.settings).resolve_implicit_global_asset_job_def()
    checks = {dg.AssetCheckKey(ASSET, name) for name in CHECKS}
    result = job.get_subset(asset_selection=set(), asset_check_selection=checks).execute_in_process()
    world.store.write_bytes(REPORT_KEY, kept)
    found = {check.check_name: (check.passed, check.severity) for check in result.get_asset_check_evaluations()}
    assert found == dict.fromkeys(CHECKS, (False, dg.AssetCheckSeverity.WARN))


def test_second_run_of_the_asset_gives_byte_identical_files(world: World, finished: dg.ExecuteInProcessResult) -> None:
    keys = (REPORT_KEY, TOKENS_KEY, MAP_KEY, PICTURE_KEY)
    before = {key: world.store.digest(key) for key in keys}
    assert materialize(world).success
    assert {key: world.store.digest(key) for key in keys} == before
