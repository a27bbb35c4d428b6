"""What a language model was composed of and learnt from, as `mm_llm.json` beside it tells, else as the settings do."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from tinyemo_data.errors import StagingError
from tinyemo_data.hub.public_json import without_folder
from tinyemo_data.settings import Settings
from tinyemo_data.store import Store
from tinyemo_data.synthesis.records import records_key

TOLD = "mm_llm.json"
PRETRAINED = "models/mm_llm/pretrained"
HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+(@[\w./-]+)?")


@dataclass(frozen=True)
class LearntSet:
    """One instruct set that a model learnt from."""

    name: str
    digest: str  # SHA-256 of the records that it learnt from
    made_anew: bool  # the store has other records of that name now
    datasets: list[str]  # of the records that the store has
    generators: list[str]


def parts_of(told: Mapping[str, Any], settings: Settings) -> dict[str, str]:
    """Return the parts that a model was composed of, by their names: hub ids, or folders without what leads there."""
    if "parts" in told:
        return {part: str(name) for part, name in sorted(told["parts"].items())}
    chosen = settings.mm_llm
    named = {"language_model": chosen.language_model or settings.language_model, "vision_tower": chosen.vision_tower}
    return {part: _name(location) for part, location in named.items() if location}


def hub_ids(parts: Mapping[str, str]) -> list[str]:
    """Return the parts that lie on the Hub, as a card's `base_model` names them: the tower first."""
    ids = [name for _, name in sorted(parts.items(), reverse=True) if HUB_ID.fullmatch(name)]
    return [name.partition("@")[0] for name in ids]


def learnt_sets(store: Store, settings: Settings, told: Mapping[str, Any]) -> list[LearntSet]:
    """Return the sets of both stages. Raises StagingError for one that the store no longer has."""
    return [_learnt(store, name, digest) for name, digest in _digests(store, settings, told)]


def read_told(store: Store, folder: str) -> dict[str, Any]:
    """Return what training wrote beside a model; nothing where it wrote nothing."""
    told: dict[str, Any] = store.read_json(f"{folder}/{TOLD}") if store.exists(f"{folder}/{TOLD}") else {}
    return told


def _name(location: str) -> str:
    """Return a hub id, or a folder's name."""
    return Path(location).expanduser().name if Path(location).expanduser().exists() else without_folder(location)


def _digests(store: Store, settings: Settings, told: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    if "sets" in told:
        yield from {**read_told(store, PRETRAINED).get("sets", {}), **told["sets"]}.items()
        return
    chosen = dict.fromkeys([*settings.mm_llm.pretrain.sets, *settings.mm_llm.finetune.sets])
    yield from ((name, None) for name in chosen if store.exists(records_key(name)))


def _learnt(store: Store, name: str, digest: str | None) -> LearntSet:
    key = records_key(name)
    if not store.exists(key):
        raise StagingError(
            f"The model learnt from the set {name}, but {store.path(key)} is not there: nobody knows whose answers and "
            f"which pictures it is made of. Materialize instruct/{name}, then the model."
        )
    with store.local(key) as path:
        rows = pl.scan_parquet(path).select("dataset", "generator").unique().collect()
    now = store.digest(key)
    datasets, generators = (sorted(filter(None, rows[column].unique())) for column in ("dataset", "generator"))
    return LearntSet(name, digest or now, digest not in (None, now), datasets, generators)
