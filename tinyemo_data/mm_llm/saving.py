"""The model in the store: a directory that plain `transformers` loads, and `mm_llm.json`, which says what made it.

`mm_llm.json` is written last: its presence means that the others are there, and its digests that they are whole.
"""

import contextlib
import hashlib
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
from safetensors import SafetensorError

from tinyemo_data.errors import MMLLMError, StoreError
from tinyemo_data.mm_llm.chat import check_template
from tinyemo_data.mm_llm.checkpoints import is_about_writing
from tinyemo_data.mm_llm.composition import MMLLM
from tinyemo_data.mm_llm.freezing import Stage
from tinyemo_data.mm_llm.hub import FAILURES, first_line
from tinyemo_data.store import Store

ROOT = "models/mm_llm"
MANIFEST = "mm_llm.json"
FOLDERS: dict[Stage, str] = {"pretrain": "pretrained", "finetune": "finetuned"}


def model_key(stage: Stage) -> str:
    """Return the store key of the folder that a stage writes."""
    return f"{ROOT}/{FOLDERS[stage]}"


def save_model(whole: MMLLM, store: Store, stage: Stage, manifest: dict[str, Any]) -> dict[str, Any]:
    """Write the model, its processor and `manifest` with the files' digests, whole or not at all; return the manifest.

    Raises MMLLMError where the disk is full.
    """
    key = model_key(stage)
    with _aside(store, key) as folder:
        try:
            whole.model.save_pretrained(folder)
            whole.processor.save_pretrained(folder)
        except (OSError, RuntimeError, SafetensorError) as exc:
            if not is_about_writing(exc):
                raise
            raise MMLLMError(
                f"The model can't be written to {store.path(key)} ({first_line(exc)}). Make room and run the stage "
                "again: it goes on from its last checkpoint. What was there before is untouched."
            ) from exc
        files = {path.name: _digest(path) for path in sorted(folder.iterdir())}
        manifest = {**manifest, "stage": stage, "parts": whole.parts, "files": files}
        (folder / MANIFEST).write_bytes(orjson.dumps(manifest, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS))
        _publish(folder, store, key)
    return manifest


def read_manifest(store: Store, stage: Stage) -> dict[str, Any] | None:
    """Return what is known of a saved model; None where there is none, or it is not whole."""
    key = f"{model_key(stage)}/{MANIFEST}"
    if not store.exists(key):
        return None
    manifest: dict[str, Any] = store.read_json(key)
    names = manifest.get("files", {})
    return manifest if all(store.exists(f"{model_key(stage)}/{name}") for name in names) else None


@contextlib.contextmanager
def local_model(store: Store, stage: Stage) -> Iterator[Path]:
    """Give a saved model as a local folder: itself on a local store, a temporary copy elsewhere. Raises StoreError."""
    manifest, key = read_manifest(store, stage), model_key(stage)
    if manifest is None:
        raise StoreError(f"{store.path(key)} holds no whole model: materialize mm_llm/{FOLDERS[stage]} first.")
    if store.is_local:
        yield Path(str(store.path(key)))
        return
    with tempfile.TemporaryDirectory(prefix="tinyemo-") as folder:
        for name in [*manifest["files"], MANIFEST]:
            (Path(folder) / name).write_bytes(store.read_bytes(f"{key}/{name}"))
        yield Path(folder)


def load_model(folder: Path) -> MMLLM:
    """Load a saved model, float32, strictly. Raises MMLLMError where it is damaged or of no known kind."""
    import transformers as library

    from tinyemo_data.mm_llm import head_bias, openelm  # noqa: F401  (they make their kinds known)

    transformers: Any = library  # its annotations are partial

    try:
        manifest = orjson.loads((folder / MANIFEST).read_bytes())
        model, found = transformers.AutoModelForImageTextToText.from_pretrained(
            folder, dtype="float32", output_loading_info=True
        )
        processor = transformers.AutoProcessor.from_pretrained(folder)
    except FAILURES as exc:
        raise MMLLMError(f"{folder} can't be loaded ({first_line(exc)}). Run the stage that made it again.") from exc
    wrong = sorted(found["missing_keys"]) + sorted(found["unexpected_keys"])
    if wrong:
        raise MMLLMError(f"{folder}: the weight {wrong[0]} is absent or has no place. Run the stage again.")
    check_template(processor, str(folder))
    return MMLLM(model.eval(), processor, manifest["parts"])


@contextlib.contextmanager
def _aside(store: Store, key: str) -> Iterator[Path]:
    if not store.is_local:
        with tempfile.TemporaryDirectory(prefix="tinyemo-") as folder:
            yield Path(folder)
        return
    target = Path(str(store.path(key)))
    aside = target.with_name(f".{target.name}.{socket.gethostname()}.{os.getpid()}")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    try:
        yield aside
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _publish(folder: Path, store: Store, key: str) -> None:
    if store.is_local:
        target = Path(str(store.path(key)))
        shutil.rmtree(target, ignore_errors=True)
        folder.rename(target)
        return
    store.remove(f"{key}/{MANIFEST}")
    for path in sorted(folder.iterdir(), key=lambda path: (path.name == MANIFEST, path.name)):
        with store.writing(f"{key}/{path.name}") as aside:
            shutil.copyfile(path, aside)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
