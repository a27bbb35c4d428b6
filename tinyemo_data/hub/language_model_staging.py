"""Staging a language model: any folder in the Hugging Face layout, with a card of what it was made of."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath, PurePosixPath
from typing import Any

import orjson
import polars as pl

from tinyemo_data.errors import StagingError
from tinyemo_data.evaluation.report import JSON_KEY
from tinyemo_data.hub.biases import REVIEW_KEY, SLICES_KEY
from tinyemo_data.hub.contents import KINDS, SENTENCEPIECE, VOCABULARIES
from tinyemo_data.hub.model_staging import CONFIG, ModelFacts, stage_model
from tinyemo_data.hub.repository import SETS, repository_of
from tinyemo_data.hub.staged import Staged
from tinyemo_data.settings import Settings
from tinyemo_data.store import Store
from tinyemo_data.synthesis.records import records_key

FOLDER = "models/mm_llm/finetuned"
TITLE = "TinyEmo: a small language model that sees, and says why a picture evokes its emotion"
# What `save_pretrained` writes, and may name the folder that a model was loaded from in.
CONFIGS = {
    CONFIG,
    "tokenizer_config.json",
    "processor_config.json",
    "preprocessor_config.json",
    "generation_config.json",
}
OF_THE_LAYOUT = {"special_tokens_map.json", "model.safetensors.index.json", "chat_template.json"}
HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+(@[\w./-]+)?")
ORIGINS = ("_name_or_path", "name_or_path")
# Reports of how it speaks, shown where they are there: their numbers, whatever those are called.
REPORTS = ("reports/reasoning.json",)


def stage_language_model(
    store: Store,
    settings: Settings,
    folder: str = FOLDER,
    sets: Sequence[str] = SETS,
    base_models: Sequence[str] | None = None,
    training: Mapping[str, Any] | None = None,
) -> Staged:
    """Stage the model that lies in the store at `folder`.

    `sets` are the instruct sets that it learnt from, as far as the store has them; `base_models` the ids on the Hub of
    what it was composed of (default: those that the settings name); `training` what is to be told of its training,
    names and plain values, groups of such too (default: the JSON files beside it that `save_pretrained` does not
    write). Weights are published as safetensors alone: pickles are left where they are. Raises StagingError where
    there is no model.
    """
    config = _read_config(store, folder)
    names = [PurePosixPath(key).name for key in store.keys(folder)]
    kept = [name for name in names if PurePosixPath(name).suffix in KINDS or name == SENTENCEPIECE]
    if not any(name.endswith(".safetensors") for name in kept):
        raise StagingError(f"{store.path(folder)} holds no .safetensors weights. Save the model as safetensors.")
    bases = _base_models(settings) if base_models is None else list(base_models)
    told = _told_beside(store, folder, kept) if training is None else training
    learnt = [name for name in sets if store.exists(records_key(name))]
    origins = [_origins(store, name) for name in learnt]
    facts = ModelFacts(
        repository=repository_of("mm_llm", settings.hub),
        title=TITLE,
        template="model.md.j2",
        pictures=settings.pictures,
        front=_front_matter(settings, bases, learnt),
        datasets=sorted({name for names, _ in origins for name in names if name}),
        generators=sorted({name for _, names in origins for name in names}),
        details={
            "config": config,
            "base_models": bases,
            "sees": str(config.get("architectures", [""])[0]).endswith("ForConditionalGeneration"),
            "sets": [(name, repository_of(name, settings.hub).id, store.digest(records_key(name))) for name in learnt],
            "training_rows": flat(told),
            "report_rows": [(key, *row) for key in REPORTS if store.exists(key) for row in flat(store.read_json(key))],
        },
        sources=[*map(records_key, learnt), *REPORTS, JSON_KEY, SLICES_KEY, REVIEW_KEY],
    )
    written = {name: (_public(store, f"{folder}/{name}"), [f"{folder}/{name}"]) for name in kept if name in CONFIGS}
    copies = {name: f"{folder}/{name}" for name in kept if name not in CONFIGS}
    return stage_model(store, facts, copies, written)


def _base_models(settings: Settings) -> list[str]:
    """Return the ids on the Hub among the parts that the settings name; folders of this machine are none."""
    part = settings.language_model
    return [part.partition("@")[0]] if part and HUB_ID.fullmatch(part) and not Path(part).exists() else []


def _told_beside(store: Store, folder: str, names: Sequence[str]) -> dict[str, Any]:
    """Return what JSON files beside a model say that are none of the Hugging Face layout, each under its name."""
    own = [name for name in names if name.endswith(".json") and name not in CONFIGS | VOCABULARIES | OF_THE_LAYOUT]
    return {PurePosixPath(name).stem: store.read_json(f"{folder}/{name}") for name in own}


def flat(values: Mapping[str, Any], above: str = "") -> list[tuple[str, str]]:
    """Return the plain values of nested groups, by the names that lead to them; lists of groups are passed over."""
    rows: list[tuple[str, str]] = []
    for name, value in sorted(values.items()):
        if isinstance(value, Mapping):
            rows += flat(value, f"{above}{name}.")
        elif not (isinstance(value, list) and any(isinstance(one, (Mapping, list)) for one in value)):
            text = f"{value:.4g}" if isinstance(value, float) else str(value)
            rows.append((f"{above}{name}", text if len(text) <= 200 else text[:197] + "…"))
    return rows


def _read_config(store: Store, folder: str) -> dict[str, Any]:
    key = f"{folder}/{CONFIG}"
    if not store.exists(key):
        raise StagingError(f"{store.path(key)} is not there: there is no model to stage. Materialize it first.")
    config: dict[str, Any] = store.read_json(key)
    return config


def _origins(store: Store, name: str) -> tuple[list[str], list[str]]:
    """Return the datasets and the backends that a set's records are of."""
    with store.local(records_key(name)) as path:
        columns = pl.scan_parquet(path).select("dataset", "generator").unique().collect()
    return columns["dataset"].unique().to_list(), columns["generator"].unique().to_list()


def _public(store: Store, key: str) -> bytes:
    """Return a config without the folder of this machine that its model was loaded from."""
    values = store.read_json(key)
    for name in ORIGINS:
        if isinstance(values.get(name), str) and PurePath(values[name]).is_absolute():
            values[name] = PurePath(values[name]).name
    return orjson.dumps(values, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _front_matter(settings: Settings, base_models: Sequence[str], learnt: Sequence[str]) -> dict[str, Any]:
    published = [repository_of(name, settings.hub) for name in learnt]
    return {
        "library_name": "transformers",
        "pipeline_tag": "image-text-to-text",
        **({"base_model": list(base_models), "base_model_relation": "finetune"} if base_models else {}),
        **({"datasets": [one.id for one in published]} if published and settings.hub.namespace else {}),
        "language": ["en"],
        "tags": ["emotion", "affective-computing", "visual-emotion-analysis", "vision-language", "tinyemo"],
    }
