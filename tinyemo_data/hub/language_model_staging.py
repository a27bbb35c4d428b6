"""Staging the language model that sees: its folder in the Hugging Face layout, and a card of what it was made of."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

import orjson

from tinyemo_data import taxonomy
from tinyemo_data.audit.leakage import REPORT_KEY as LEAKAGE_KEY
from tinyemo_data.errors import StagingError
from tinyemo_data.evaluation.reasoning.report import JSON_KEY as REASONING_KEY
from tinyemo_data.hub.biases import SOURCES
from tinyemo_data.hub.contents import KINDS, SENTENCEPIECE
from tinyemo_data.hub.language_model_origins import (
    TOLD,
    LearntSet,
    hub_ids,
    learnt_sets,
    parts_of,
    read_told,
)
from tinyemo_data.hub.model_staging import CONFIG, ModelFacts, stage_model
from tinyemo_data.hub.public_json import ORIGINS, read_public, without_folders
from tinyemo_data.hub.reasoning_facts import HEADER, STATEMENTS_HEADER, read_reasoning
from tinyemo_data.hub.repository import SETS, repository_of
from tinyemo_data.hub.staged import Staged
from tinyemo_data.mm_llm.question import WITHHELD
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
OWN_KIND = "tinyemo_"  # how the model types begin that `transformers` does not know
LONGEST = 200  # letters of a value that a card shows


def stage_language_model(store: Store, settings: Settings, folder: str = FOLDER) -> Staged:
    """Stage the model that lies in the store at `folder`, with what training wrote beside it.

    Weights are published as safetensors alone: pickles are left where they are. JSON files leave without the folders
    of this machine that they name. Raises StagingError where there is no model, or a set that it learnt from is gone.
    """
    config = _read_config(store, folder)
    names = [PurePosixPath(key).name for key in store.keys(folder)]
    kept = [name for name in names if PurePosixPath(name).suffix in KINDS or name == SENTENCEPIECE]
    if not any(name.endswith(".safetensors") for name in kept):
        raise StagingError(f"{store.path(folder)} holds no .safetensors weights. Save the model as safetensors.")
    told = read_told(store, folder)
    parts, learnt = parts_of(told, settings), learnt_sets(store, settings, told)
    facts = ModelFacts(
        repository=repository_of("mm_llm", settings.hub),
        title=TITLE,
        template="model.md.j2",
        pictures=settings.pictures,
        front=_front_matter(settings, hub_ids(parts), learnt),
        datasets=sorted({name for one in learnt for name in one.datasets}),
        generators=sorted({name for one in learnt for name in one.generators}),
        details={
            "config": config,
            "question": WITHHELD.format(options=", ".join(taxonomy.get("mikels8").labels)),
            "of_own_kind": _is_of_own_kind(config),
            "part_rows": sorted(parts.items(), reverse=True),
            "set_rows": [_set_row(settings, one) for one in learnt],
            "training_rows": flat({name: value for name, value in without_folders(told).items() if name != "files"}),
            "reasoned": read_reasoning(store, told.get("identity")),
            "reasoned_header": HEADER,
            "statements_header": STATEMENTS_HEADER,
        },
        sources=[*(records_key(one.name) for one in learnt), REASONING_KEY, LEAKAGE_KEY, *SOURCES],
    )
    written = _configs(store, folder, [name for name in kept if name in CONFIGS])
    if told:
        written[TOLD] = (_public_told(told, written), [f"{folder}/{TOLD}"])
    return stage_model(store, facts, {name: f"{folder}/{name}" for name in kept if name not in written}, written)


def flat(values: Mapping[str, Any], above: str = "") -> list[tuple[str, str]]:
    """Return the plain values of nested groups, by the names that lead to them; lists of groups are passed over."""
    rows: list[tuple[str, str]] = []
    for name, value in sorted(values.items()):
        if isinstance(value, Mapping):
            rows += flat(value, f"{above}{name}.")
        elif not (isinstance(value, list) and any(isinstance(one, (Mapping, list)) for one in value)):
            rows.append((f"{above}{name}", _plain(value)))
    return rows


def _plain(value: Any) -> str:
    if value is None:
        return "–"
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "…"


def _read_config(store: Store, folder: str) -> dict[str, Any]:
    key = f"{folder}/{CONFIG}"
    if not store.exists(key):
        raise StagingError(f"{store.path(key)} is not there: there is no model to stage. Materialize it first.")
    config: dict[str, Any] = store.read_json(key)
    return config


def _is_of_own_kind(config: Mapping[str, Any]) -> bool:
    """Tell whether `transformers` alone does not know the model's kind, or its language model's."""
    kinds = (config.get("model_type"), config.get("text_config", {}).get("model_type"))
    return any(str(kind).startswith(OWN_KIND) for kind in kinds)


def _set_row(settings: Settings, one: LearntSet) -> tuple[str, str, str]:
    where = repository_of(one.name, settings.hub).id if one.name in SETS else "not published"
    return one.name, where, f"`{one.digest}`{', made anew since' if one.made_anew else ''}"


def _configs(store: Store, folder: str, names: Sequence[str]) -> dict[str, tuple[bytes, Sequence[str]]]:
    return {name: (read_public(store, f"{folder}/{name}", ORIGINS), [f"{folder}/{name}"]) for name in names}


def _public_told(told: dict[str, Any], written: Mapping[str, tuple[bytes, Sequence[str]]]) -> bytes:
    """Return what training wrote without folders, and with the digests of the files as they are published."""
    public = without_folders(told)
    if "files" in public:
        public["files"] |= {name: hashlib.sha256(content).hexdigest() for name, (content, _) in written.items()}
    return orjson.dumps(public, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)


def _front_matter(settings: Settings, base_models: Sequence[str], learnt: Sequence[LearntSet]) -> dict[str, Any]:
    published = [repository_of(one.name, settings.hub).id for one in learnt if one.name in SETS]
    return {
        "library_name": "transformers",
        "pipeline_tag": "image-text-to-text",
        **({"base_model": list(base_models), "base_model_relation": "finetune"} if base_models else {}),
        **({"datasets": published} if published and settings.hub.namespace else {}),
        "language": ["en"],
        "tags": ["emotion", "affective-computing", "visual-emotion-analysis", "vision-language", "tinyemo"],
    }
