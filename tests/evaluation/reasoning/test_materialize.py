"""The whole evaluation over a small world: reports, exports, checks, and the same bytes again."""

import csv
from pathlib import Path

import dagster as dg
import datasets
import pytest
import yaml

from assets.reasoning import REASONING, build_reasoning
from assets.resources import build_resources
from tests.evaluation.reasoning.conftest import LEARNT, TWIN, World
from tinyemo_data.errors import StoreError
from tinyemo_data.evaluation.reasoning.conditions import CONDITIONS
from tinyemo_data.evaluation.reasoning.findings import judge_shuffled, judge_withheld
from tinyemo_data.evaluation.reasoning.materialize import Evaluated, materialize_reasoning
from tinyemo_data.evaluation.reasoning.report import ANSWERS_KEY, JSON_KEY, MARKDOWN_KEY, PLOT_KEY, read_json
from tinyemo_data.evaluation.reasoning.twin import forget_training
from tinyemo_data.mm_llm.freezing import digest_tensors
from tinyemo_data.mm_llm.materialize import compose_parts
from tinyemo_data.store import Store

KEYS = [JSON_KEY, MARKDOWN_KEY, PLOT_KEY, ANSWERS_KEY]


@pytest.fixture(scope="module")
def made(world: World) -> Evaluated:
    return materialize_reasoning(world.store, world.settings, world.encoder)


def test_every_row_is_measured_on_the_same_held_out_pictures(world: World, made: Evaluated) -> None:
    answers = world.store.read_table(ANSWERS_KEY)
    assert answers["row"].unique(maintain_order=True).to_list() == [one.key for one in CONDITIONS]
    asked = answers.filter(answers["row"] == CONDITIONS[0].key)["sample_id"].to_list()
    assert len(asked) == len(set(asked)) == 10
    learnt = {f"emoset/p{number}" for number in [*range(LEARNT), TWIN]}
    assert not learnt & set(asked)
    assert all(asked == part["sample_id"].to_list() for _, part in answers.group_by("row", maintain_order=True))
    assert [(row.n, row.seed, sum(row.splits["emoset"].values())) for row in made.report.rows] == [(10, 0, 10)] * 8
    assert made.report.context["twins_left_out"] == 1
    assert made.report.context["pool"]["emoset"] == {"validation": 11, "test": 12}
    assert made.report.context["models"] == {"finetuned": "second", "pretrained": "first", "untrained": "first"}


def test_asset_writes_the_same_bytes_again_and_tells_its_checks(world: World, made: Evaluated) -> None:
    exported = [*KEYS, *made.exports]
    before = [world.store.read_bytes(key) for key in exported]
    built = build_reasoning(world.settings)
    resources = build_resources(world.settings)
    ran = dg.materialize(
        [one for one in built if isinstance(one, dg.AssetsDefinition)] + built[1:], resources=resources
    )
    assert ran.success
    assert [world.store.read_bytes(key) for key in exported] == before
    metadata = ran.asset_materializations_for_node("evaluation__reasoning")[0].metadata
    assert {"ablation", "plot", "exports", "chance", "top1/finetuned/withheld"} <= set(metadata)
    checks = {one.check_name: one for one in ran.get_asset_check_evaluations()}
    assert set(checks) == {"withheld_beats_chance", "shuffled_is_chance"}
    assert all(one.severity is dg.AssetCheckSeverity.WARN for one in checks.values())
    assert all(one.asset_key == REASONING for one in checks.values())


def test_page_has_n_seed_and_splits_and_says_that_pictures_are_drawn(world: World, made: Evaluated) -> None:
    page = world.store.read_bytes(MARKDOWN_KEY).decode()
    assert "figures are of drawn pictures" in page
    assert "N = 10, seed 0: emoset" in page
    assert "fi is not at hand" in page
    assert "No stage learnt from the set statements" in page
    assert all(one.title in page for one in CONDITIONS)
    assert len(world.store.read_bytes(PLOT_KEY)) < 100_000
    assert "top1/pretrained/given" in made.headline


def test_findings_compare_intervals_with_chance() -> None:
    def report(key: str, low: float, high: float) -> dict[str, object]:
        agreement = {"top1": (low + high) / 2, "ci95": [low, high]}
        return {"context": {"chance": 0.2}, "rows": [{"key": key, "consistency": {"with_label": agreement}}]}

    assert judge_withheld(report("finetuned/withheld", 0.21, 0.4)).passed
    assert not judge_withheld(report("finetuned/withheld", 0.2, 0.4)).passed
    assert judge_shuffled(report("finetuned/withheld/shuffled", 0.2, 0.4)).passed
    assert not judge_shuffled(report("finetuned/withheld/shuffled", 0.21, 0.4)).passed
    with pytest.raises(StoreError, match=r"no row finetuned/withheld\. Materialize evaluation/reasoning again"):
        judge_withheld(report("pretrained/given", 0, 1))


def test_report_of_another_version_is_refused(store: Store) -> None:
    store.write_json(JSON_KEY, {"rows": []})
    with pytest.raises(StoreError, match=r"reasoning.json is no reasoning report of this version"):
        read_json(store)


def test_twin_is_the_model_that_training_began_from(world: World) -> None:
    fresh = digest_tensors(compose_parts(world.settings).model.state_dict())
    whole = compose_parts(world.settings)
    whole.model.model.multi_modal_projector.linear_1.weight.data += 1
    assert digest_tensors(whole.model.state_dict()) != fresh
    assert digest_tensors(forget_training(whole, world.settings.mm_llm.seed).model.state_dict()) == fresh


@pytest.mark.parametrize("name", ["tinyemo_emotion", "tinyemo_statements"])
def test_lmms_eval_task_loads_as_its_yaml_says(
    world: World, made: Evaluated, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(str(world.store.path(f"exports/lmms_eval/{name}")))
    task = yaml.safe_load((folder / f"{name}.yaml").read_text())
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")
    loaded = datasets.load_dataset(task["dataset_path"], cache_dir=str(tmp_path), **task["dataset_kwargs"])
    rows = loaded[task["test_split"]]
    assert len(rows) == 10 if name == "tinyemo_emotion" else len(rows) % 2 == 0
    first = rows[0]
    assert first[task["doc_to_visual"]].size == (24, 24)
    assert first[task["doc_to_target"]] in first["options"]
    assert first[task["doc_to_text"]]
    assert "do not pass these files on" in (folder / "README.md").read_text()


@pytest.mark.parametrize("name", ["tinyemo_emotion", "tinyemo_statements"])
def test_vlmevalkit_table_has_a_right_letter_a_line(world: World, made: Evaluated, name: str) -> None:
    import base64

    csv.field_size_limit(1 << 24)
    with Path(str(world.store.path(f"exports/vlmevalkit/{name}.tsv"))).open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file, delimiter="\t"))
    assert [line["index"] for line in lines] == [str(number) for number in range(len(lines))]
    for line in lines:
        # A text of 64 characters or fewer would be taken for another line's index.
        assert len(line["image"]) > 64
        assert base64.b64decode(line["image"]).startswith(b"\x89PNG")
        verdict = line["question_id"].rpartition("/")[2].title()
        assert line[line["answer"]] == (line["category"] if name == "tinyemo_emotion" else verdict)
