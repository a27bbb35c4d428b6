"""Staging the Metric Projector: weights a seed, prototypes, config, metrics, and a card of what was measured of it."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from tinyemo_data import taxonomy
from tinyemo_data.audit.leakage import REPORT_KEY as LEAKAGE_KEY
from tinyemo_data.errors import LicenceError
from tinyemo_data.evaluation.report import JSON_KEY
from tinyemo_data.features.manifest import features_folder, is_cached, read_manifest
from tinyemo_data.hub.biases import SOURCES
from tinyemo_data.hub.evaluation_facts import HEADER, Evaluated, read_evaluation
from tinyemo_data.hub.licences import licence_of
from tinyemo_data.hub.model_staging import CONFIG, ModelFacts, stage_model
from tinyemo_data.hub.public_json import without_folders
from tinyemo_data.hub.repository import repository_of
from tinyemo_data.hub.staged import Staged
from tinyemo_data.projector.checkpoint import FOLDER, METRICS, read_config, read_metrics
from tinyemo_data.settings import Settings
from tinyemo_data.store import Store

TITLE = "TinyEmo Metric Projector: pictures in a language model's embedding space, by the emotion that they evoke"
PROTOTYPES = ("prototypes.json", "prototypes.safetensors")
# Where the encoders that features are usually made with lie on the Hub.
VISION_MODELS = {
    "vit-l-14-quickgelu-openai": "openai/clip-vit-large-patch14",
    "vit-l-14-openai": "openai/clip-vit-large-patch14",
    "vit-b-16-quickgelu-openai": "openai/clip-vit-base-patch16",
    "vit-b-16-openai": "openai/clip-vit-base-patch16",
}


def stage_projector(store: Store, settings: Settings) -> Staged:
    """Stage the projector that lies in the store.

    With `hub.features_override`, picture features of the datasets that it learnt from are staged beside it, where
    their licences leave that to us. Raises CheckpointError where the projector is absent or damaged.
    """
    config, metrics = read_config(store), read_metrics(store)
    datasets = sorted(config["rows"] or {})
    copies = {name: f"{FOLDER}/{name}" for name in [entry["file"] for entry in config["weights"]]}
    copies |= {name: f"{FOLDER}/{name}" for name in (METRICS, *PROTOTYPES)}
    shared = [name for name in datasets if settings.hub.features_override and may_share_features(name)]
    copies |= _feature_files(store, config["encoder"], shared)
    written = {CONFIG: (_public_config(config), [f"{FOLDER}/{CONFIG}"])}
    evaluated = read_evaluation(store, config["digest"])
    facts = ModelFacts(
        repository=repository_of("projector", settings.hub),
        title=TITLE,
        template="projector.md.j2",
        pictures=settings.pictures,
        front=_front_matter(config, evaluated),
        datasets=datasets,
        generators=[],
        details=_details(config, metrics, evaluated, bool(shared)),
        sources=[f"{FOLDER}/{CONFIG}", f"{FOLDER}/{METRICS}", JSON_KEY, LEAKAGE_KEY, *SOURCES],
        features_of=shared,
        digest=config["digest"],
    )
    return stage_model(store, facts, copies, written)


def may_share_features(dataset: str) -> bool:
    """Tell whether a dataset's licence leaves it to us to publish features of its pictures."""
    try:
        return licence_of(dataset).features == "override"
    except LicenceError:
        return False


def _feature_files(store: Store, slug: str, datasets: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in datasets:
        if is_cached(store, slug, name):
            shards = read_manifest(store, slug, name).shards
            found |= {
                f"features/{name}/{shard.name}": f"{features_folder(slug, name)}/{shard.name}" for shard in shards
            }
    return found


def _public_config(config: Mapping[str, Any]) -> bytes:
    """Return the config without the places of this machine that weights were imported from."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
    return orjson.dumps(without_folders(dict(config)), option=options)


def _front_matter(config: Mapping[str, Any], evaluated: Evaluated) -> dict[str, Any]:
    language_model = str(config["language_model"]).partition("@")[0]
    named = [VISION_MODELS.get(config["encoder"]), language_model if language_model.count("/") == 1 else None]
    bases = [name for name in named if name is not None]
    results = evaluated.results()
    return {
        "library_name": "tinyemo-data",
        "pipeline_tag": "image-classification",
        **({"base_model": bases, "base_model_relation": "adapter"} if bases else {}),
        "language": ["en"],
        "metrics": ["accuracy", "f1"],
        "tags": ["emotion", "affective-computing", "visual-emotion-analysis", "clip", "metric-learning"],
        **({"model-index": [{"name": TITLE.partition(":")[0], "results": results}]} if results else {}),
    }


def _details(
    config: Mapping[str, Any], metrics: Mapping[str, Any], evaluated: Evaluated, features: bool
) -> dict[str, Any]:
    return {
        "config": config,
        "held_out": metrics.get("held_out_of_train"),
        "settings_rows": [(f"`{name}`", str(value)) for name, value in sorted(config["settings"].items())
                          if name not in ("checkpoint", "candidates")],
        "learnt_rows": sorted((config["rows"] or {}).items()),
        "epoch_rows": [(seed, course["best_epoch"]) for seed, course in metrics.get("seeds", {}).items()],
        "taxonomies": [taxonomy.get(name) for name in taxonomy.names()],
        "example_labels": list(taxonomy.get("mikels8").labels),
        "evaluated": evaluated,
        "header": HEADER,
        "features": features,
    }  # fmt: skip
