"""Checkpoints of a stage: the weights that it trains, and what the trainer needs to go on as if nothing had happened.

transformers' own way of resuming a Llava loads no weight and only warns (its keys are renamed when they are saved),
so weights are written and read here, strictly. A folder whose `trainer_state.json` can't be read is incomplete: it
was being written when the run was killed.
"""

import shutil
from pathlib import Path
from typing import Any

import orjson
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from tinyemo_data.errors import MMLLMError
from tinyemo_data.mm_llm.freezing import trained_weights

WEIGHTS = "trained.safetensors"
STAGE = "stage.json"  # whose checkpoint it is
STATE = "trainer_state.json"  # written last
PREFIX = "checkpoint-"
STATES_A_WEIGHT = 3  # the weight itself and AdamW's two moments
SPARE = 64 << 20  # bytes


def save_trained(model: Any, folder: Path, identity: str) -> None:
    """Write the weights that train, and `identity`, which digests all that the run depends on."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / STAGE).write_bytes(orjson.dumps({"identity": identity}))
    save_file({name: tensor.contiguous() for name, tensor in trained_weights(model).items()}, folder / WEIGHTS)


def load_trained(model: Any, folder: Path, identity: str) -> None:
    """Put a checkpoint's weights into the model. Raises MMLLMError for another run's or a damaged checkpoint."""
    try:
        found = orjson.loads((folder / STAGE).read_bytes())["identity"]
        weights = load_file(folder / WEIGHTS)
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError, SafetensorError) as exc:
        raise MMLLMError(f"The checkpoint {folder} can't be read ({exc}). Delete it and run the stage again.") from exc
    trained = trained_weights(model)
    if found != identity or {n: t.shape for n, t in weights.items()} != {n: t.shape for n, t in trained.items()}:
        raise MMLLMError(
            f"The checkpoint {folder} is of another run: other parts, records or settings, or another stage. "
            "Delete it, or go back to what it was made with."
        )
    with torch.no_grad():
        for name, tensor in trained.items():
            tensor.copy_(weights[name])


def complete_checkpoints(folder: Path) -> list[Path]:
    """Return the complete checkpoints in a run's folder, oldest first."""
    found = [path for path in folder.glob(f"{PREFIX}*") if path.name.removeprefix(PREFIX).isdigit()]
    return sorted((path for path in found if _is_complete(path)), key=lambda path: int(path.name.removeprefix(PREFIX)))


def prepare(folder: Path) -> Path | None:
    """Remove what a killed run left half-written; return the checkpoint to go on from, if there is one."""
    folder.mkdir(parents=True, exist_ok=True)
    complete = complete_checkpoints(folder)
    for path in folder.glob(f"{PREFIX}*"):
        if path not in complete:
            shutil.rmtree(path)
    return complete[-1] if complete else None


def check_room(folder: Path, trained_bytes: int, whole_bytes: int, kept: int) -> None:
    """Raise MMLLMError, before anything is trained, where the disk has no room for checkpoints and the model."""
    checkpoints = (kept + 2) * STATES_A_WEIGHT * trained_bytes  # the best one and one that is being written
    needed = checkpoints + whole_bytes + SPARE
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise MMLLMError(
            f"{folder} has {free / 1e9:.1f} GB free; checkpoints and the model take up to {needed / 1e9:.1f} GB. Make "
            "room, put the store elsewhere (TINYEMO_STORE), or keep fewer (mm_llm.checkpoints_kept)."
        )


def is_about_writing(exc: BaseException) -> bool:
    """Tell whether an exception says that a file could not be written."""
    words = ("no space", "file too large", "quota", "write", "i/o error", "unexpected pos", "serialization")
    return isinstance(exc, OSError) or any(word in str(exc).lower() for word in words)


def _is_complete(folder: Path) -> bool:
    try:
        state = orjson.loads((folder / STATE).read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return False
    return isinstance(state, dict) and (folder / WEIGHTS).is_file()
