"""The tensors of a model's weights, read one at a time: safetensors or `.bin`, in one file or in shards.

Of shards only the one that holds the asked tensor is opened (or downloaded). safetensors and zipped
`.bin` files are memory-mapped, so that only the pages that are read come into memory.
"""

import pickle
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError, safe_open

from tinyemo_data.errors import LanguageModelError
from tinyemo_data.projector.language_model import MEND, ModelFiles, read_json

# In the order in which transformers prefers them.
WEIGHTS = (
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
)


class CheckpointTensors:
    """Names, shapes and rows of a checkpoint's tensors."""

    def __init__(self, files: ModelFiles) -> None:
        """Find the checkpoint. Raises LanguageModelError where there is none in a format that is read."""
        self.files = files
        self._path = self._find_weights()
        self._opened: dict[Path, Any] = {}

    def _find_weights(self) -> Path:
        for name in WEIGHTS:
            path = self.files.find(name)
            if path is not None:
                return path
        raise LanguageModelError(
            f"{self.files.location} has no weights that can be read: looked for {', '.join(WEIGHTS)}."
            f"{self.files.hint()} {MEND}"
        )

    @cached_property
    def shard_of(self) -> dict[str, str]:
        """Map each tensor's name to its file's name, from the index or the one file's header."""
        if not self._path.name.endswith(".index.json"):
            return dict.fromkeys(self._names_in(self._path), self._path.name)
        shards = read_json(self._path).get("weight_map")
        if not isinstance(shards, dict) or not shards:
            raise LanguageModelError(f"{self._path} has no weight_map. Download it again.")
        return {str(name): str(shard) for name, shard in shards.items()}

    def shape(self, name: str) -> tuple[int, ...]:
        """Return a tensor's shape, from its file's header."""
        path = self._path_of(name)
        if path.suffix == ".safetensors":
            return tuple(self._slice(path, name).get_shape())
        return tuple(self._pickled(path)[name].shape)

    def matrix(self, name: str) -> torch.Tensor:
        """Return a whole tensor in its own dtype, memory-mapped."""
        path = self._path_of(name)
        if path.suffix == ".safetensors":
            tensor: torch.Tensor = self._safetensors(path).get_tensor(name)
            return tensor
        return self._pickled(path)[name]

    def rows(self, name: str, indices: Sequence[int]) -> torch.Tensor:
        """Return the given rows of a matrix, (n, width) in its own dtype; only those rows are read."""
        path = self._path_of(name)
        if path.suffix == ".safetensors":
            rows = self._slice(path, name)
            return torch.cat([rows[index : index + 1] for index in indices])
        return self._pickled(path)[name][list(indices)].clone()

    def shapes_at_hand(self) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the tensors in files that are on this machine already."""
        found = {}
        for name, shard in self.shard_of.items():
            is_here = self.files.folder is not None or any(path.name == shard for path in self._opened)
            if is_here and self.files.find(shard) is not None:
                found[name] = self.shape(name)
        return found

    def _path_of(self, name: str) -> Path:
        shard = self.shard_of[name]
        path = self._path if shard == self._path.name else self.files.find(shard)
        if path is None:
            raise LanguageModelError(
                f"{self._path} says that {name} is in {shard}, which is not there. Download the model again."
            )
        if name not in self._names_in(path):
            raise LanguageModelError(f"{self._path} says that {name} is in {shard}, which has no such tensor.")
        return path

    def _names_in(self, path: Path) -> list[str]:
        if path.suffix == ".safetensors":
            return list(self._safetensors(path).keys())
        return list(self._pickled(path))

    def _slice(self, path: Path, name: str) -> Any:
        return self._safetensors(path).get_slice(name)

    def _safetensors(self, path: Path) -> Any:
        if path not in self._opened:
            try:
                self._opened[path] = safe_open(path, framework="pt")
            except (SafetensorError, OSError) as exc:
                raise LanguageModelError(_damaged(path, exc)) from exc
        return self._opened[path]

    def _pickled(self, path: Path) -> dict[str, torch.Tensor]:
        if path not in self._opened:
            self._opened[path] = _load_pickled(path)
        return cast(dict[str, torch.Tensor], self._opened[path])


def _load_pickled(path: Path) -> dict[str, torch.Tensor]:
    """Read a `.bin`, running no code of it."""
    try:
        # torch.save has zipped its files since 1.6; older ones can't be mapped and are read whole.
        is_zipped = path.open("rb").read(2) == b"PK"
        state = torch.load(path, map_location="cpu", weights_only=True, mmap=is_zipped)
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError) as exc:
        raise LanguageModelError(_damaged(path, exc)) from exc
    if not isinstance(state, dict):
        raise LanguageModelError(f"{path} holds a {type(state).__name__}, expected a state dict.")
    return {str(name): value for name, value in state.items() if isinstance(value, torch.Tensor)}


def _damaged(path: Path, exc: Exception) -> str:
    first_line = str(exc).partition("\n")[0]
    return f"{path} can't be read as weights ({first_line}). It may be a part of a download: get it again."
