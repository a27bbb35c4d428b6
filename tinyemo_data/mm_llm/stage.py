"""Trains one stage of a composed model, resumably, and proves that what it froze stayed as it was."""

import contextlib
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from tinyemo_data.mm_llm import lora
from tinyemo_data.mm_llm.batches import Collator, Conversations, PictureTensors, Pixels
from tinyemo_data.mm_llm.checkpoints import check_room, prepare
from tinyemo_data.mm_llm.composition import MMLLM
from tinyemo_data.mm_llm.course import Course, Watch, course_of
from tinyemo_data.mm_llm.device import PartialState, find_device
from tinyemo_data.mm_llm.freezing import Stage, check_frozen, choose_trained, digest_frozen, trained_weights
from tinyemo_data.mm_llm.order import EpochOrder, padding_share
from tinyemo_data.mm_llm.patch_features import compute_features, features_in_place_of_pixels
from tinyemo_data.progress import Report
from tinyemo_data.settings import FinetuneStageSettings, MMLLMSettings, StageSettings

LOGGED = 200  # points of a course at most

Reports = Callable[[str], Report]  # a unit's report, by the unit's name


@dataclass(frozen=True)
class StageData:
    """What a stage learns from, what it is validated on (None: nothing held out), and the pictures of both."""

    train: Conversations
    validation: Conversations | None
    pictures: list[Path]


def train_stage(
    whole: MMLLM,
    data: StageData,
    stage: Stage,
    settings: MMLLMSettings,
    folder: Path,
    identity: str,
    reports: Reports | None = None,
) -> Course:
    """Train `whole` in place, with checkpoints in `folder`; a killed run goes on from its last one.

    `identity` digests all that the run depends on: checkpoints of another are refused. `reports` gives what tokens and
    pictures are reported to. Raises MMLLMError.
    """
    chosen: StageSettings = settings.pretrain if stage == "pretrain" else settings.finetune
    model, handle = whole.model, None
    torch.manual_seed(settings.seed)
    if isinstance(chosen, FinetuneStageSettings) and chosen.lora_rank is not None:
        handle = lora.attach(model, chosen.lora_rank, chosen.lora_alpha)
    choose_trained(model, stage, adapters_only=handle is not None)
    frozen = digest_frozen(model)
    with PartialState().main_process_first():
        resumed_at = prepare(folder)
        _check_disk(model, folder, settings)
    with _pictures(whole, data, settings, folder.parent, reports) as tensors:
        trainer, watch = _trainer(whole, data, chosen, settings, folder, identity, tensors, reports)
        trainer.args.eval_on_start = data.validation is not None and resumed_at is None
        trainer.train(resume_from_checkpoint=str(resumed_at) if resumed_at else None)
    model.to("cpu").eval()
    check_frozen(model, frozen)
    if handle is not None:
        lora.merge(model, handle)
    model.requires_grad_(False)
    step = int(resumed_at.name.rpartition("-")[2]) if resumed_at else None
    return course_of(trainer.state, watch, step, _padding(trainer.order, chosen))


@contextlib.contextmanager
def _pictures(
    whole: MMLLM, data: StageData, settings: MMLLMSettings, folder: Path, reports: Reports | None
) -> Iterator[PictureTensors]:
    processor = whole.processor.image_processor
    if not settings.cached_features:
        yield Pixels(data.pictures, processor)
        return
    device = find_device(settings.device)
    whole.model.model.vision_tower.to(device)
    with PartialState().main_process_first():
        features = compute_features(whole.model, processor, data.pictures, folder, device, _to(reports, "pictures"))
    whole.model.model.vision_tower.to("cpu")  # its work is done: room for batches
    with features_in_place_of_pixels(whole.model):
        yield features


def _trainer(
    whole: MMLLM, data: StageData, chosen: StageSettings, settings: MMLLMSettings, folder: Path, identity: str,
    tensors: PictureTensors, reports: Reports | None,
) -> tuple[Any, Watch]:  # fmt: skip
    from tinyemo_data.mm_llm.trainer import StageTrainer

    arguments = _arguments(data, chosen, settings, folder)
    update = chosen.batch_size * chosen.accumulation * arguments.world_size
    identity = f"{identity} in updates of {update}"  # more or fewer processes take other steps
    order = EpochOrder(data.train.encoded.lengths, update, settings.seed, settings.length_grouping)
    watch = Watch(order, _to(reports, "tokens"))
    trainer = StageTrainer(
        order=order, identity=identity, model=whole.model, args=arguments, train_dataset=data.train,
        eval_dataset=data.validation, callbacks=[watch],
        data_collator=Collator(tensors, whole.processor.tokenizer.pad_token_id),
    )  # fmt: skip
    return trainer, watch


def _arguments(data: StageData, chosen: StageSettings, settings: MMLLMSettings, folder: Path) -> Any:
    from transformers import TrainingArguments

    is_cpu = find_device(settings.device).type == "cpu"
    processes = PartialState().num_processes
    update = chosen.batch_size * chosen.accumulation * processes
    steps = max(1, math.ceil(-(-len(data.train) // update) * chosen.epochs))
    every = max(1, steps // settings.evaluations)
    validated = data.validation is not None
    arguments = TrainingArguments(
        str(folder), use_cpu=is_cpu, seed=settings.seed, max_steps=steps,
        per_device_train_batch_size=chosen.batch_size, per_device_eval_batch_size=chosen.batch_size,
        gradient_accumulation_steps=chosen.accumulation, learning_rate=chosen.learning_rate,
        lr_scheduler_type=chosen.schedule, warmup_steps=math.ceil(steps * chosen.warmup_fraction),
        weight_decay=chosen.weight_decay, bf16=settings.precision == "bf16",
        activation_checkpointing=settings.gradient_checkpointing,
        activation_checkpointing_kwargs={"use_reentrant": False} if settings.gradient_checkpointing else None,
        dataloader_num_workers=settings.workers, dataloader_pin_memory=not is_cpu, remove_unused_columns=False,
        ddp_find_unused_parameters=False, ddp_backend="gloo" if is_cpu and processes > 1 else None,
        eval_strategy="steps" if validated else "no", eval_steps=every, save_strategy="steps", save_steps=every,
        save_total_limit=settings.checkpoints_kept + 1, load_best_model_at_end=validated,
        metric_for_best_model="loss" if validated else None, prediction_loss_only=True,
        logging_steps=max(1, steps // LOGGED), logging_nan_inf_filter=False, report_to="none", disable_tqdm=True,
        log_level="error", label_names=["labels"],
    )  # fmt: skip
    arguments._n_gpu = min(arguments.n_gpu, 1)  # or one process would spread each batch over all devices, slowly
    return arguments


def _to(reports: Reports | None, unit: str) -> Report | None:
    return reports(unit) if reports else None


def _check_disk(model: Any, folder: Path, settings: MMLLMSettings) -> None:
    trained = sum(tensor.nbytes for tensor in trained_weights(model).values())
    whole = sum(tensor.nbytes for tensor in model.state_dict().values())
    check_room(folder, trained, whole, settings.checkpoints_kept)


def _padding(order: EpochOrder, chosen: StageSettings) -> float:
    return padding_share(order.lengths, order.order(0), chosen.batch_size)
