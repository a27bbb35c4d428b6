"""The two stages over a store: parts and instruct sets in, `models/mm_llm/pretrained` and `…/finetuned` out."""

import contextlib
import hashlib
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from tinyemo_data.errors import MMLLMError
from tinyemo_data.mm_llm import small_language_model, small_vision_tower
from tinyemo_data.mm_llm.backbone import SETTING, load_backbone
from tinyemo_data.mm_llm.batches import Conversations
from tinyemo_data.mm_llm.composition import MMLLM, compose
from tinyemo_data.mm_llm.conversation import Conversation, hold_out, read_conversations
from tinyemo_data.mm_llm.course import Course
from tinyemo_data.mm_llm.encoding import context_of, encode
from tinyemo_data.mm_llm.freezing import Stage, count_parameters, digest_tensors, frozen_contents
from tinyemo_data.mm_llm.hub import find_part
from tinyemo_data.mm_llm.pictures import find_pictures
from tinyemo_data.mm_llm.saving import ROOT, load_model, local_model, model_key, read_manifest, save_model
from tinyemo_data.mm_llm.stage import Reports, StageData, train_stage
from tinyemo_data.mm_llm.vision_tower import SETTING as TOWER_SETTING
from tinyemo_data.mm_llm.vision_tower import load_vision_tower
from tinyemo_data.settings import MMLLMSettings, Settings, StageSettings
from tinyemo_data.store import Store
from tinyemo_data.synthesis.records import records_key

VERSION = 1  # raised when equal inputs shall give another model
# Settings that decide what comes out; devices, readers and what is kept do not.
DECISIVE = {
    "feature_layer", "context", "precision", "gradient_checkpointing", "cached_features", "length_grouping",
    "validation_fraction", "evaluations", "seed",
}  # fmt: skip


@dataclass(frozen=True)
class Trained:
    """A stage's model in the store, and what there is to tell of it."""

    key: str  # its folder in the store
    manifest: dict[str, Any]  # parts, counts, course (loss curve), settings, files
    is_new: bool  # False: an earlier run had made it of the same inputs
    seconds: float
    course: Course | None = None  # of this run, with its speed; None where an earlier one had made it

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the model's files, in hex."""
        return hashlib.sha256(orjson.dumps(self.manifest["files"], option=orjson.OPT_SORT_KEYS)).hexdigest()


def pretrain(store: Store, settings: Settings, reports: Reports | None = None) -> Trained:
    """Stage 1: compose the parts and train the connector on the sets of mm_llm.pretrain. Raises MMLLMError."""
    began = time.perf_counter()
    whole = compose_parts(settings)
    return _materialize(store, settings, whole, "pretrain", reports, began)


def finetune(store: Store, settings: Settings, reports: Reports | None = None) -> Trained:
    """Stage 2: train connector and language model of the pretrained model. Raises StoreError or MMLLMError."""
    began = time.perf_counter()
    with local_model(store, "pretrain") as folder:
        whole = load_model(folder)
    _check_parts(store, settings, whole)
    return _materialize(store, settings, whole, "finetune", reports, began)


def compose_parts(settings: Settings) -> MMLLM:
    """Return the untrained model of the profile's parts; the small ones where it names none. Raises MMLLMError."""
    chosen = settings.mm_llm
    tower = load_vision_tower(chosen.vision_tower)
    location, tokenizer = named_backbone(settings)
    if location is not None:
        return compose(tower, load_backbone(location, tokenizer), chosen.feature_layer, chosen.seed)
    whole = compose(tower, load_backbone(str(small_language_model.FOLDER)), chosen.feature_layer, chosen.seed)
    return MMLLM(whole.model, whole.processor, whole.parts | {"language_model": small_language_model.NAME})


def named_backbone(settings: Settings) -> tuple[str | None, str | None]:
    """Return directory or hub id of the backbone and of its tokenizer; the profile's where mm_llm names none."""
    chosen = settings.mm_llm
    if chosen.language_model is not None:
        return chosen.language_model, chosen.language_model_tokenizer
    return settings.language_model, chosen.language_model_tokenizer or settings.language_model_tokenizer


def prepare_data(store: Store, settings: Settings, whole: MMLLM, stage: Stage) -> StageData:
    """Read, check and tokenize a stage's records and find their pictures. Raises StoreError or MMLLMError."""
    chosen = settings.mm_llm
    conversations = read_conversations(store, _stage_settings(chosen, stage).sets)
    paths, numbers = find_pictures(conversations, settings)
    number_of = dict(zip((each.record_id for each in conversations), numbers, strict=True))
    kept, held_out = hold_out(conversations, chosen.validation_fraction, chosen.seed)
    if not kept:
        raise MMLLMError(
            f"Nothing is left to train on of {len(conversations)} records. Lower mm_llm.validation_fraction."
        )
    context = context_of(whole.model.config, chosen.context)

    def encoded(part: list[Conversation]) -> Conversations:
        ids = encode(part, whole.processor.tokenizer, whole.model.config.image_seq_length, context)
        return Conversations(ids, [number_of[each.record_id] for each in part])

    return StageData(encoded(kept), encoded(held_out) if held_out else None, paths)


def _materialize(
    store: Store, settings: Settings, whole: MMLLM, stage: Stage, reports: Reports | None, began: float
) -> Trained:
    from tinyemo_data.mm_llm.device import join_processes, same_everywhere

    processes = join_processes(settings.mm_llm.device)
    identity = same_everywhere(_identity(store, settings, whole, stage))
    made = read_manifest(store, stage)
    if made is not None and made.get("identity") == identity:
        return Trained(model_key(stage), made, False, time.perf_counter() - began)
    data = prepare_data(store, settings, whole, stage)
    work = work_folder(store)
    frozen = frozen_contents(whole.model, stage)
    course = train_stage(whole, data, stage, settings.mm_llm, work / f"{stage}-{identity[:16]}", identity, reports)
    if processes.is_main_process:
        made = save_model(whole, store, stage, {
            "identity": identity, "version": VERSION, "course": course.as_dict(), "records": len(data.train),
            "records_held_out": len(data.validation or ()), "pictures": len(data.pictures),
            "settings": settings.mm_llm.model_dump(), "sets": _digests(store, settings.mm_llm, stage),
            "drawn_pictures": settings.pictures == "drawn", "parameters": count_parameters(whole.model),
            "processes": processes.num_processes, "frozen": frozen,
        })  # fmt: skip
        _clear(work, stage)
    processes.wait_for_everyone()
    return Trained(
        model_key(stage), made or read_manifest(store, stage) or {}, True, time.perf_counter() - began, course
    )


def work_folder(store: Store) -> Path:
    """Return the folder of checkpoints and patch features: in a local store, else this machine's temporary one."""
    if store.is_local:
        return Path(str(store.path(f"{ROOT}/.work")))
    return Path(tempfile.gettempdir()) / f"tinyemo-mm-llm-{hashlib.sha256(store.url.encode()).hexdigest()[:16]}"


def _clear(work: Path, stage: Stage) -> None:
    """Remove a stage's checkpoints, an abandoned run's too; after the last stage the patch features as well."""
    for folder in [work] if stage == "finetune" else work.glob(f"{stage}-*"):
        shutil.rmtree(folder, ignore_errors=True)
    with contextlib.suppress(OSError):  # patch features wait there for the next stage
        work.rmdir()


def _identity(store: Store, settings: Settings, whole: MMLLM, stage: Stage) -> str:
    """Digest all that a stage's outcome depends on."""
    parts = {
        "version": VERSION, "stage": stage, "weights": digest_tensors(whole.model.state_dict()),
        "template": whole.processor.chat_template, "sets": _digests(store, settings.mm_llm, stage),
        "stage_settings": _stage_settings(settings.mm_llm, stage).model_dump(),
        "settings": settings.mm_llm.model_dump(include=DECISIVE),
    }  # fmt: skip
    return hashlib.sha256(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _digests(store: Store, settings: MMLLMSettings, stage: Stage) -> dict[str, str]:
    return {name: store.digest(records_key(name)) for name in _stage_settings(settings, stage).sets}


def _stage_settings(settings: MMLLMSettings, stage: Stage) -> StageSettings:
    return settings.pretrain if stage == "pretrain" else settings.finetune


def _check_parts(store: Store, settings: Settings, whole: MMLLM) -> None:
    """Raise MMLLMError where the pretrained model was composed of other parts than the settings name now."""
    wanted = names_of_parts(settings)
    other = next((part for part, name in wanted.items() if whole.parts.get(part) != name), None)
    if other is not None:
        raise MMLLMError(
            f"{store.path(model_key('pretrain'))} was composed with the {other} {whole.parts.get(other)}; the settings "
            f"name {wanted[other]}. Materialize mm_llm/pretrained again, or name the part that it has."
        )


def names_of_parts(settings: Settings) -> dict[str, str]:
    """Return the names of the parts that the settings choose, as a composed model keeps them."""
    (backbone, _), tower = named_backbone(settings), settings.mm_llm.vision_tower
    return {
        "vision_tower": find_part(tower, TOWER_SETTING)[0].name if tower else small_vision_tower.NAME,
        "language_model": find_part(backbone, SETTING)[0].name if backbone else small_language_model.NAME,
    }
