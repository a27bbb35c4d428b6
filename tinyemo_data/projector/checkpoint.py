"""The projector's checkpoint in the store: weights a seed, `metrics.json`, `config.json`.

`config.json` is written last and holds the SHA-256 of every other file, so that a set which is half-written,
or altered afterwards, is told from a whole one. No file holds a time of day or a duration: equal runs give
equal bytes.
"""

import hashlib
import re
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson
from safetensors import SafetensorError
from safetensors.torch import load as from_safetensors
from safetensors.torch import save as to_safetensors

from tinyemo_data.errors import CheckpointError, StoreError
from tinyemo_data.features.table import LabelledFeatures
from tinyemo_data.projector.ensemble import ProjectorEnsemble, ensemble_of
from tinyemo_data.projector.model import MetricProjector, projector_of, width_hint
from tinyemo_data.projector.prototypes import Prototypes
from tinyemo_data.projector.seeds import TrainedEnsemble
from tinyemo_data.settings import ProjectorSettings
from tinyemo_data.store import Store

FOLDER = "models/projector"
CONFIG = "config.json"
METRICS = "metrics.json"
WEIGHTS = re.compile(r"model(-seed-?\d+)?\.safetensors")
FORMAT = 1
ARCHITECTURE = "Linear(d, h), BatchNorm1d(h), GELU, Dropout, Linear(h, h)"
MEND = "Materialize projector/model again."


@dataclass(frozen=True)
class Provenance:
    """Where a projector comes from."""

    encoder: str  # slug of the encoder whose features it takes
    prototypes_digest: str  # of the prototypes before any centring
    data_digest: str | None = None  # of the rows that it was trained on; None where it was imported
    rows: dict[str, int] | None = None  # train rows a dataset
    imported_from: str | None = None


def trained_from(
    labelled: LabelledFeatures, trained: TrainedEnsemble, encoder: str, prototypes: Prototypes
) -> Provenance:
    """Return the provenance of an ensemble trained on `labelled`, with `prototypes` before any centring."""
    return Provenance(encoder, prototypes.digest, trained.data_digest, dict(sorted(Counter(labelled.datasets).items())))


def training_metrics(trained: TrainedEnsemble) -> dict[str, Any]:
    """Return each seed's best epoch and log for metrics.json, without seconds, which no rerun repeats."""
    return {
        str(course.seed): {
            "best_epoch": course.best_epoch,
            "epochs": [{key: value for key, value in asdict(log).items() if key != "seconds"} for log in course.log],
        }
        for course in trained.courses
    }


def save_checkpoint(
    store: Store,
    ensemble: ProjectorEnsemble,
    settings: ProjectorSettings,
    provenance: Provenance,
    metrics: dict[str, Any],
    folder: str = FOLDER,
) -> dict[str, Any]:
    """Write weights, `metrics`, then the config, which is returned; an older model's rest is removed."""
    digests = {}
    for number, (seed, projector) in enumerate(zip(ensemble.seeds, ensemble.projectors, strict=True)):
        content = to_safetensors(projector.state_dict())
        name = "model.safetensors" if number == 0 else f"model-seed{seed}.safetensors"
        store.write_bytes(f"{folder}/{name}", content)
        digests[name] = hashlib.sha256(content).hexdigest()
    store.write_json(f"{folder}/{METRICS}", metrics)
    config = _config(ensemble, settings, provenance)
    config["weights"] = [
        {"seed": seed, "file": name, "sha256": digest}
        for seed, (name, digest) in zip(ensemble.seeds, digests.items(), strict=True)
    ]
    config["metrics_sha256"] = store.digest(f"{folder}/{METRICS}")
    store.write_json(f"{folder}/{CONFIG}", config)
    for key in store.keys(folder):
        # The prototypes lie in the same folder.
        if WEIGHTS.fullmatch(name := key.rpartition("/")[2]) and name not in digests:
            store.remove(key)
    return config


def load_checkpoint(
    store: Store, prototypes: Prototypes, folder: str = FOLDER, encoder: str | None = None
) -> ProjectorEnsemble:
    """Read and verify a checkpoint; `prototypes` (before centring) must be those it was trained with.

    Raises CheckpointError where it is absent, half-written, altered, of another `encoder`, or of other
    prototypes.
    """
    config = read_config(store, folder)
    where = str(store.path(folder))
    try:
        _check_origin(config, prototypes, encoder, where)
        temperature, centred = float(config["temperature"]), bool(config["centred_prototypes"])
        seeds = [int(entry["seed"]) for entry in config["weights"]]
        projectors = [
            _read_projector(store, f"{folder}/{entry['file']}", entry["sha256"]) for entry in config["weights"]
        ]
        _verified(store, f"{folder}/{METRICS}", config["metrics_sha256"])
    except (KeyError, TypeError, ValueError) as exc:
        raise CheckpointError(f"{where}/{CONFIG} is not as this version writes it ({exc!r}). {MEND}") from exc
    used = prototypes.centred() if centred else prototypes
    ensemble = ensemble_of(projectors, seeds, used, temperature)
    if ensemble.digest != config.get("digest"):
        raise CheckpointError(f"{where}/{CONFIG} was altered: its digest is not that of the model. {MEND}")
    return ensemble


def is_checkpoint(folder: Path) -> bool:
    """Tell whether a local folder holds a checkpoint of ours, be it damaged, rather than released weights."""
    config = folder / CONFIG
    return config.is_file() and ARCHITECTURE.encode() in config.read_bytes()


def read_config(store: Store, folder: str = FOLDER) -> dict[str, Any]:
    """Return the checkpoint's config. Raises CheckpointError where there is none, or it is no JSON object."""
    key = f"{folder}/{CONFIG}"
    if not store.exists(key):
        raise CheckpointError(
            f"{store.path(key)} is not there: the projector was not trained yet, or is half-written. {MEND}"
        )
    try:
        config = store.read_json(key)
    except StoreError as exc:
        raise CheckpointError(f"{store.path(key)} is half-written or altered ({exc}). {MEND}") from exc
    if not isinstance(config, dict) or config.get("format") != FORMAT:
        raise CheckpointError(f"{store.path(key)}: expected a projector's config of format {FORMAT}. {MEND}")
    return config


def read_metrics(store: Store, folder: str = FOLDER) -> dict[str, Any]:
    """Return the checkpoint's metrics.json. Raises CheckpointError where it is absent, half-written or altered."""
    content = _verified(store, f"{folder}/{METRICS}", read_config(store, folder)["metrics_sha256"])
    metrics: dict[str, Any] = orjson.loads(content)
    return metrics


def _config(ensemble: ProjectorEnsemble, settings: ProjectorSettings, provenance: Provenance) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "architecture": ARCHITECTURE,
        "feature_size": ensemble.dimension,
        "embedding_size": ensemble.projectors[0].h,
        "language_model": ensemble.prototypes.language_model,
        "grounding_text": ensemble.prototypes.grounding_text,
        # Of the ensemble itself: an imported one may have been trained under other settings.
        "temperature": ensemble.temperature,
        "centred_prototypes": ensemble.prototypes.digest != provenance.prototypes_digest,
        "settings": settings.model_dump(),
        "seeds": ensemble.seeds,
        "digest": ensemble.digest,
        **asdict(provenance),
    }


def _check_origin(config: dict[str, Any], prototypes: Prototypes, encoder: str | None, where: str) -> None:
    h = int(config["embedding_size"])
    if h != prototypes.dimension:
        raise CheckpointError(
            f"{where} projects to size {h}{width_hint(h)} of {config['language_model']}, but the prototypes "
            f"of {prototypes.language_model} have size "
            f"{prototypes.dimension}{width_hint(prototypes.dimension)}. "
            f"Set language_model to the former, or: {MEND}"
        )
    if config["prototypes_digest"] != prototypes.digest:
        raise CheckpointError(
            f"{where} was made with the prototypes of {config['language_model']} (grounding text "
            f"'{config['grounding_text']}', digest {config['prototypes_digest'][:12]}); these are of "
            f"{prototypes.language_model} ('{prototypes.grounding_text}', {prototypes.digest[:12]}). {MEND}"
        )
    if encoder is not None and config["encoder"] != encoder:
        raise CheckpointError(
            f"{where} takes features of the encoder {config['encoder']}; this profile's is {encoder}. "
            f"Set encoder to the former, or: {MEND}"
        )


def _read_projector(store: Store, key: str, digest: str) -> MetricProjector:
    content = _verified(store, key, digest)
    try:
        return projector_of(from_safetensors(content), str(store.path(key)))
    except SafetensorError as exc:
        raise CheckpointError(f"{store.path(key)} is no safetensors file ({exc}). {MEND}") from exc


def _verified(store: Store, key: str, digest: str) -> bytes:
    """Return a file's content if it is what the config says."""
    found = store.read_bytes(key) if store.exists(key) else b""
    if hashlib.sha256(found).hexdigest() != digest:
        raise CheckpointError(
            f"The checkpoint is half-written or altered: {store.path(key)} is not the file that {CONFIG} "
            f"names (SHA-256 {digest[:12]}…). {MEND}"
        )
    return found
