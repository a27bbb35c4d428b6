"""A stage changes what it trains and nothing else, by the same steps however its batches are computed."""

from pathlib import Path
from typing import Any

import orjson
import pytest
import torch

from tests.mm_llm.conftest import EMOTIONS, changed
from tinyemo_data.errors import MMLLMError
from tinyemo_data.mm_llm import stage as stage_module
from tinyemo_data.mm_llm.composition import MMLLM
from tinyemo_data.mm_llm.course import Course
from tinyemo_data.mm_llm.freezing import CONNECTOR, TOWER, Stage, check_frozen, choose_trained, digest_frozen
from tinyemo_data.mm_llm.materialize import compose_parts, finetune, prepare_data, pretrain
from tinyemo_data.mm_llm.saving import load_model
from tinyemo_data.mm_llm.stage import train_stage
from tinyemo_data.progress import Progress
from tinyemo_data.settings import Settings
from tinyemo_data.store import Store


def weights(whole: MMLLM) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in whole.model.state_dict().items()}


def run(store: Store, settings: Settings, stage: Stage, folder: Path, **values: Any) -> tuple[MMLLM, Course]:
    """Train freshly composed parts for one stage."""
    settings = changed(settings, **values) if values else settings
    whole = compose_parts(settings)
    data = prepare_data(store, settings, whole, stage)
    return whole, train_stage(whole, data, stage, settings.mm_llm, folder, "identity")


def losses(course: Course) -> list[float]:
    return [point.loss for point in course.points]


@pytest.mark.parametrize(
    ("stage", "rank", "trained"),
    [
        ("pretrain", None, lambda name: name.startswith(CONNECTOR)),
        ("finetune", None, lambda name: not name.startswith(TOWER)),
        ("finetune", 4, lambda name: name.startswith(CONNECTOR) or "_proj.weight" in name),
    ],
    ids=["connector", "connector-and-language-model", "connector-and-adapters"],
)
def test_stage_changes_what_it_trains_and_leaves_the_rest_bit_identical(
    stage: Stage, rank: int | None, trained: Any, store: Store, planted: Settings, tmp_path: Path
) -> None:
    settings = changed(planted, finetune={"lora_rank": rank}) if rank else planted
    before = weights(compose_parts(settings))
    whole, _ = run(store, settings, stage, tmp_path / "work")
    after = weights(whole)
    assert list(after) == list(before)  # adapters are merged: the model is as plain as it was
    for name in before:
        # A head that is tied to the embeddings trains with them.
        expected = trained("model.language_model." if name == "lm_head.weight" and not rank else name)
        if TOWER in name or not expected:
            assert torch.equal(after[name], before[name]), name
    moved = [name for name in before if not torch.equal(after[name], before[name])]
    assert [name for name in before if trained(name) and "vision" not in name and name not in moved] == []


def test_frozen_weight_that_changes_is_an_error(store: Store, planted: Settings) -> None:
    whole = compose_parts(planted)
    assert all(name.startswith(CONNECTOR) for name in choose_trained(whole.model, "pretrain"))
    before = digest_frozen(whole.model)
    with torch.no_grad():
        whole.model.model.multi_modal_projector.linear_1.weight.add_(1)
    check_frozen(whole.model, before)
    with torch.no_grad():
        whole.model.model.language_model.norm.weight[0] += 1e-6
    with pytest.raises(MMLLMError, match="Weights that this stage must not touch changed"):
        check_frozen(whole.model, before)


def test_accumulated_batches_make_the_same_steps(store: Store, planted: Settings, tmp_path: Path) -> None:
    one = {"epochs": 1, "batch_size": 8, "accumulation": 1}
    four = {"epochs": 1, "batch_size": 2, "accumulation": 4}
    whole, course = run(store, planted, "finetune", tmp_path / "a", finetune=one)
    other, again = run(store, planted, "finetune", tmp_path / "b", finetune=four)
    assert course.steps == again.steps
    assert losses(course) == pytest.approx(losses(again), rel=1e-4)
    start = weights(compose_parts(planted))
    for name, tensor in weights(whole).items():  # by norms: Adam makes full steps of gradients that are but rounding
        moved, apart = float((tensor - start[name]).norm()), float((tensor - weights(other)[name]).norm())
        assert apart <= 0.02 * moved, name


@pytest.mark.parametrize(
    ("values", "tolerance"), [({"gradient_checkpointing": True}, 1e-5), ({"precision": "bf16"}, 0.05)], ids=str
)
def test_less_memory_keeps_the_course(
    values: dict[str, Any], tolerance: float, store: Store, planted: Settings, tmp_path: Path
) -> None:
    _, course = run(store, planted, "finetune", tmp_path / "a")
    whole, again = run(store, planted, "finetune", tmp_path / "b", **values)
    assert losses(course) == pytest.approx(losses(again), rel=tolerance)
    assert all(tensor.dtype == torch.float32 for tensor in weights(whole).values())


def test_course_tells_losses_rates_tokens_and_the_best_step(store: Store, planted: Settings, tmp_path: Path) -> None:
    reports: list[Progress] = []
    whole = compose_parts(planted)
    data = prepare_data(store, planted, whole, "finetune")
    course = train_stage(whole, data, "finetune", planted.mm_llm, tmp_path / "work", "x", lambda _: reports.append)
    updates = -(-len(data.train) // 4)
    assert course.steps == 2 * updates == len(course.points) == len(reports)
    assert course.points[-1].loss < course.points[0].loss
    rates = [point.learning_rate for point in course.points]
    assert max(rates) == pytest.approx(1e-3, rel=0.05)
    assert rates[-1] < 1e-4
    assert course.best_step in [each.step for each in course.validations]
    assert len(course.validations) >= 2
    assert course.tokens == pytest.approx(data.train.encoded.lengths.sum() * 2, rel=0.1)
    assert reports[-1].done == course.tokens
    assert "step 1 of" in reports[0].detail
    assert "loss" in reports[-1].detail


def test_last_step_is_validated_whatever_the_interval(store: Store, planted: Settings, tmp_path: Path) -> None:
    _, course = run(store, planted, "pretrain", tmp_path / "work", evaluations=2, pretrain={"batch_size": 5})
    assert course.steps % (course.steps // 2) == 1
    assert course.validations[-1].step == course.steps


def test_checkpoints_are_kept_to_a_number(store: Store, planted: Settings, tmp_path: Path) -> None:
    run(store, planted, "finetune", tmp_path / "work", evaluations=6, checkpoints_kept=1)
    assert len(list((tmp_path / "work").glob("checkpoint-*"))) <= 2  # the last one and the best one


def test_weights_of_the_best_validation_are_kept(store: Store, planted: Settings, tmp_path: Path) -> None:
    # So high a rate that training does harm after a while: the last weights are not the best ones.
    hard = {"epochs": 3, "learning_rate": 3.0, "schedule": "constant_with_warmup"}
    whole, course = run(store, planted, "finetune", tmp_path / "w", finetune=hard, evaluations=8, checkpoints_kept=4)
    assert course.validations[0].step == 0  # before any training: a point to compare with, and no checkpoint
    best = min(course.validations[1:], key=lambda each: each.loss)
    assert course.best_step == best.step != course.steps
    from safetensors.torch import load_file

    stored = load_file(tmp_path / "w" / f"checkpoint-{best.step}" / "trained.safetensors")
    assert all(torch.equal(whole.model.state_dict()[name], tensor) for name, tensor in stored.items())


def test_loss_that_is_no_number_stops_the_stage(store: Store, planted: Settings, tmp_path: Path) -> None:
    whole = compose_parts(planted)
    with torch.no_grad():
        whole.model.model.multi_modal_projector.linear_2.bias.fill_(float("inf"))
    data = prepare_data(store, planted, whole, "pretrain")
    with pytest.raises(MMLLMError, match="The loss is nan at step 1"):
        train_stage(whole, data, "pretrain", planted.mm_llm, tmp_path / "work", "x")


def test_both_stages_lie_in_the_store_and_a_rerun_trains_nothing(
    store: Store, planted: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = pretrain(store, planted), finetune(store, planted)
    assert (first.is_new, second.is_new) == (True, True)
    assert (first.key, second.key) == ("models/mm_llm/pretrained", "models/mm_llm/finetuned")
    manifest = orjson.loads(store.read_bytes("models/mm_llm/finetuned/mm_llm.json"))
    assert manifest["parts"].keys() == {"vision_tower", "language_model"}
    assert manifest["records"] + manifest["records_held_out"] == 32
    assert not store.exists("models/mm_llm/.work")
    monkeypatch.setattr(stage_module, "train_stage", None)
    assert [pretrain(store, planted).is_new, finetune(store, planted).is_new] == [False, False]


def test_same_input_gives_the_same_weights(store: Store, planted: Settings, tmp_path: Path) -> None:
    (one, _), (two, _) = (run(store, planted, "finetune", tmp_path / name) for name in "ab")
    assert all(torch.equal(tensor, weights(two)[name]) for name, tensor in weights(one).items())


def test_pretrained_model_of_other_parts_is_refused(
    store: Store, planted: Settings, tower_folder: Path, tmp_path: Path
) -> None:
    pretrain(store, planted)
    (tmp_path / "other-tower").symlink_to(tower_folder)
    other = tmp_path / "another"
    other.mkdir()
    for path in tower_folder.iterdir():
        (other / path.name).write_bytes(path.read_bytes())
    with pytest.raises(
        MMLLMError, match=f"composed with the vision_tower {tower_folder.name}; the settings name another"
    ):
        finetune(store, changed(planted, vision_tower=str(other)))


def test_finetuned_model_is_loaded_as_it_was_saved(store: Store, planted: Settings) -> None:
    pretrain(store, planted)
    finetune(store, planted)
    whole = load_model(Path(store.url) / "models/mm_llm/finetuned")
    assert whole.processor.tokenizer.padding_side == "left"
    assert len(EMOTIONS) == 8
