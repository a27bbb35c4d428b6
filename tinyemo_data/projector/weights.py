"""Projector weights from elsewhere: a released `.bin`, a `.safetensors` file, a directory, or the hub.

A `.bin` is a pickle. It is read by PyTorch's restricted unpickler, which builds tensors and plain containers
and refuses everything else, so that a file which would run code is an error.
"""

import pickle
import re
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from tinyemo_data.errors import CheckpointError
from tinyemo_data.projector.checkpoint import is_checkpoint, load_checkpoint, read_config
from tinyemo_data.projector.ensemble import ProjectorEnsemble, ensemble_of
from tinyemo_data.projector.model import MetricProjector, projector_of, width_hint
from tinyemo_data.projector.prototypes import Prototypes
from tinyemo_data.projector.training import prototypes_in_use
from tinyemo_data.settings import ProjectorSettings
from tinyemo_data.store import Store

SUFFIXES = (".bin", ".safetensors")
HUB_ID = re.compile(r"(?P<repository>[\w.-]+/[\w.-]+?)(@(?P<revision>[\w./-]+))?")
MEND = (
    "Set projector.checkpoint to a .bin or .safetensors file, a directory that holds one, or a hub id such as "
    "ggcristian/TinyEmo-CLIP-OpenELM-270M-Syn; or to null, which trains a projector."
)


def import_weights(
    location: str, prototypes: Prototypes, settings: ProjectorSettings, feature_size: int | None = None
) -> ProjectorEnsemble:
    """Return the projector at `location` (the setting projector.checkpoint) as an ensemble.

    Sizes are read from the weights and must be those of the prototypes and of the features (where
    `feature_size` is given). A directory of ours brings all its seeds and its own settings. Raises
    CheckpointError where there is nothing at `location`, or it is damaged, of another shape, or a pickle of
    more than tensors.
    """
    folder = Path(location).expanduser()
    if folder.is_dir() and is_checkpoint(folder):
        ensemble = load_checkpoint(Store(folder.resolve().parent), prototypes, folder.resolve().name)
    else:
        path = find_weights(location)
        projector = projector_of(read_weights(path), str(path), settings.dropout)
        _check_embedding_size(projector, prototypes, str(path))
        used = prototypes_in_use(prototypes, settings)
        ensemble = ensemble_of([projector], [0], used, settings.temperature)
    if feature_size is not None and ensemble.dimension != feature_size:
        raise CheckpointError(
            f"{location} takes features of size {ensemble.dimension}, but this profile's encoder gives "
            f"{feature_size}. Set encoder.model to the one that it was trained on (768: CLIP ViT-L/14, 512: "
            "ViT-B/16), or give other weights."
        )
    return ensemble


def rows_of_checkpoint(location: str) -> dict[str, int] | None:
    """Return the train rows a dataset that a directory of ours names; None for weights that do not say."""
    folder = Path(location).expanduser()
    if not (folder.is_dir() and is_checkpoint(folder)):
        return None
    rows: dict[str, int] | None = read_config(Store(folder.resolve().parent), folder.resolve().name).get("rows")
    return rows


def find_weights(location: str) -> Path:
    """Return the weights file at a path or hub id, downloading that one file alone where it is on the hub."""
    path = Path(location).expanduser()
    if path.is_file():
        return path
    if path.is_dir():
        return path / _only_weights([file.name for file in path.iterdir() if file.is_file()], str(path))
    match = HUB_ID.fullmatch(location)
    if match is None or location.endswith(SUFFIXES):
        raise CheckpointError(f"There is no projector at '{location}'. {MEND}")
    return _download(match["repository"], match["revision"])


def read_weights(path: Path) -> dict[str, Tensor]:
    """Return a file's state dict as float32, keys without the `module.` of data-parallel training.

    Raises CheckpointError where the file is damaged, is no plain state dict, or holds NaN or infinity.
    """
    found = _read_safetensors(path) if path.suffix == ".safetensors" else _read_pickle(path)
    if not isinstance(found, dict) or not all(isinstance(value, Tensor) for value in found.values()):
        raise CheckpointError(f"{path}: expected a plain state dict of tensors, found {_kind(found)}. {MEND}")
    weights = {str(key).removeprefix("module."): _as_float32(value) for key, value in found.items()}
    broken = sorted(key for key, value in weights.items() if not bool(torch.isfinite(value).all()))
    if broken:
        raise CheckpointError(f"{path}: '{broken[0]}' holds NaN or infinity. Download it again, or give another file.")
    return weights


def _read_pickle(path: Path) -> Any:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as exc:
        raise CheckpointError(
            f"{path} was refused: it is no intact state dict of tensors alone, and a pickle of anything "
            f"else can run code when it is read. {MEND}"
        ) from exc
    except (
        RuntimeError,
        EOFError,
        OSError,
        ValueError,
        KeyError,
        IndexError,
        AttributeError,
        TypeError,
    ) as exc:
        raise CheckpointError(f"{path} is damaged or no PyTorch file ({exc}). Download it again.") from exc


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except (SafetensorError, OSError) as exc:
        raise CheckpointError(f"{path} is damaged or no safetensors file ({exc}). Download it again.") from exc


def _as_float32(value: Tensor) -> Tensor:
    return value.float() if value.is_floating_point() else value


def _kind(found: Any) -> str:
    if isinstance(found, dict):
        other = next(str(key) for key, value in found.items() if not isinstance(value, Tensor))
        return f"a dict whose '{other}' is no tensor"
    return f"a {type(found).__name__}"


def _check_embedding_size(projector: MetricProjector, prototypes: Prototypes, origin: str) -> None:
    if projector.h != prototypes.dimension:
        raise CheckpointError(
            f"{origin} projects to size {projector.h}{width_hint(projector.h)}, but the prototypes of "
            f"{prototypes.language_model} have size "
            f"{prototypes.dimension}{width_hint(prototypes.dimension)}. "
            "Set language_model to the one that these weights were trained with, or give other weights."
        )


def _only_weights(names: list[str], where: str, repository: str = "") -> str:
    """Choose a directory's weights: named like the repository, model.safetensors, or the only ones."""
    weights = sorted(name for name in names if name.endswith(SUFFIXES))
    for preferred in (f"{repository.rpartition('/')[2]}.bin", "model.safetensors"):
        if preferred in weights:
            return preferred
    if len(weights) != 1:
        found = ", ".join(weights) or "none"
        raise CheckpointError(f"{where}: expected one .bin or .safetensors file, found {found}. {MEND}")
    return weights[0]


def _download(repository: str, revision: str | None) -> Path:
    """Download a hub repository's one weights file, which released projectors name like the repository."""
    import httpx2
    from huggingface_hub import errors, hf_hub_download, list_repo_files

    name = f"{repository.rpartition('/')[2]}.bin"
    try:
        try:
            return Path(hf_hub_download(repository, name, revision=revision))
        except errors.RemoteEntryNotFoundError:
            name = _only_weights(list_repo_files(repository, revision=revision), f"hub {repository}", repository)
            return Path(hf_hub_download(repository, name, revision=revision))
    except (httpx2.HTTPError, errors.EntryNotFoundError, OSError, ValueError) as exc:
        # The hub's own text may hold signed addresses, so only its class and status are told.
        status = getattr(getattr(exc, "response", None), "status_code", None)
        raise CheckpointError(
            f"There is no local '{repository}', and from the hub {name} can't be had ({type(exc).__name__}"
            f"{f', HTTP {status}' if status else ''}). Check the name, the network, HF_ENDPOINT and, for "
            f"private repositories, HF_TOKEN. {MEND}"
        ) from exc
