"""What this machine has, and what is missing for a profile: said before an hour is lost."""

import importlib
import os
import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tinyemo_data import sources
from tinyemo_data.errors import TinyEmoError
from tinyemo_data.presence import dataset_folder
from tinyemo_data.settings import Settings
from tinyemo_data.store import MARKER, Store

CREDENTIALS = {"ANTHROPIC_API_KEY": "synthesis by the Anthropic API", "HF_TOKEN": "publishing to the Hub"}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `needed`: without it this profile can't run whole."""

    what: str
    ok: bool
    found: str
    needed: bool = True


def examine(settings: Settings) -> list[Finding]:
    """Look at the interpreter, the libraries, the device, the datasets, the store, the language model, the keys."""
    return [
        Finding("Python", sys.version_info >= (3, 11), platform.python_version()),
        *(_library(name) for name in ("torch", "torchvision", "open_clip", "dagster", "polars")),
        _device(),
        *_datasets(settings),
        _store(settings),
        _language_model(settings),
        *_credentials(),
    ]


def _library(name: str) -> Finding:
    try:
        module = importlib.import_module(name)
    except (ImportError, RuntimeError, OSError) as exc:
        # A torchvision of another release than torch fails here, with a message that misleads elsewhere.
        return Finding(name, False, f"does not import ({exc}). Run make setup: its pins fit together.")
    return Finding(name, True, str(getattr(module, "__version__", "installed")))


def _device() -> Finding:
    import torch

    if torch.cuda.is_available():
        return Finding("GPU", True, torch.cuda.get_device_name(), needed=False)
    return Finding("GPU", False, f"none; {os.cpu_count()} CPU cores (enough for demo and emotion6)", needed=False)


def _datasets(settings: Settings) -> Iterator[Finding]:
    for name in settings.datasets:
        folder = dataset_folder(settings, name)
        if settings.pictures == "drawn":
            yield Finding(f"dataset {name}", True, f"is drawn into {folder} by the asset sample_corpus")
        elif folder.is_dir():
            yield Finding(f"dataset {name}", True, str(folder))
        else:
            card = sources.get(name).card
            found = f"{folder} is absent. {card.title} ({card.licence}): {card.home}"
            yield Finding(f"dataset {name}", False, found, needed=len(settings.datasets) == 1)


def _store(settings: Settings) -> Finding:
    store = Store(settings.store)
    try:
        if store.exists(MARKER):
            store.claim(settings.pictures)
        store.write_bytes("doctor.txt", b"written by tinyemo doctor\n")
        store.remove("doctor.txt")
    except (TinyEmoError, OSError, ImportError) as exc:
        return Finding("store", False, f"{settings.store}: {exc}")
    return Finding("store", True, f"{settings.store} can be written")


def _language_model(settings: Settings) -> Finding:
    location = settings.language_model
    if location is None:
        found = "a small one is made on the spot (TINYEMO_LANGUAGE_MODEL names a real one)"
        return Finding("language model", True, found)
    if Path(location).is_dir():
        return Finding("language model", (Path(location) / "config.json").is_file(), f"{location} (config.json wanted)")
    return Finding("language model", True, f"{location}, taken as a hub id", needed=False)


def _credentials() -> Iterator[Finding]:
    for variable, purpose in CREDENTIALS.items():
        is_set = bool(os.environ.get(variable))
        yield Finding(variable, is_set, "set" if is_set else f"not set; only {purpose} needs it", needed=False)
