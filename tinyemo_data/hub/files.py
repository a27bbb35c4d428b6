"""A staged repository's files, and its manifest: the digest and the lineage of each.

The manifest is written last. It holds no times and no paths of a machine, so that equal content gives equal bytes.
"""

import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from tinyemo_data.errors import StagingError, StoreError
from tinyemo_data.store import Store

MANIFEST = "manifest.json"
FORMAT = 1


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FileEntry(_Strict):
    """One file of a repository."""

    path: str
    bytes: int
    sha256: str
    made_from: list[str]  # keys of `made_from` of the manifest


class Manifest(_Strict):
    """What a repository holds, what it was made of, and what stands against publishing it."""

    format: int
    what: str
    repository: str
    kind: str
    pictures: str  # drawn or real
    code: dict[str, str]  # version and digest
    made_from: dict[str, str]  # key in the store -> its SHA-256
    prompts: dict[str, str]  # id -> SHA-256 of its text
    generators: list[str]
    datasets: list[str]
    features_of: list[str]  # datasets whose picture features are in it
    undecided_slices: list[str]
    contamination_measured: bool
    files: list[FileEntry]


@dataclass
class Stage:
    """A repository in the making: files are put into it, each with what it was made of."""

    store: Store
    folder: str
    made_from: dict[str, list[str]] = field(default_factory=dict)  # path -> store keys

    def put(self, path: str, content: bytes, made_from: Iterable[str] = ()) -> None:
        """Write a file."""
        self.store.write_bytes(f"{self.folder}/{path}", content)
        self.note(path, made_from)

    def copy(self, key: str, path: str) -> None:
        """Copy a file of the store, however large."""
        with self.store.local(key) as source, self.store.writing(f"{self.folder}/{path}") as aside:
            shutil.copyfile(source, aside)
        self.note(path, [key])

    def note(self, path: str, made_from: Iterable[str]) -> None:
        """Say that a file was written otherwise."""
        self.made_from[path] = sorted(made_from)

    def entries(self) -> list[FileEntry]:
        """Return the files, sorted by path, with their digests."""
        return [
            FileEntry(path=path, bytes=_size(self.store, key), sha256=self.store.digest(key), made_from=keys)
            for path, keys in sorted(self.made_from.items())
            for key in [f"{self.folder}/{path}"]
        ]

    def finish(self, **facts: Any) -> Manifest:
        """Write the manifest, then remove what an earlier staging left behind."""
        sources = sorted({key for keys in self.made_from.values() for key in keys})
        digests = {key: self.store.digest(key) for key in sources}
        manifest = Manifest(format=FORMAT, made_from=digests, files=self.entries(), **facts)
        self.store.write_json(f"{self.folder}/{MANIFEST}", manifest.model_dump())
        for path in staged_paths(self.store, self.folder):
            if path not in self.made_from and path != MANIFEST:
                self.store.remove(f"{self.folder}/{path}")
        return manifest


def staged_paths(store: Store, folder: str) -> list[str]:
    """Return the paths of all files below a staged repository, sorted, hidden ones as well."""
    root = store.path(folder)
    if not root.exists():
        return []
    below = len(PurePosixPath(root.path).parts)
    files = (entry for entry in root.rglob("*") if entry.is_file())
    return sorted("/".join(PurePosixPath(entry.path).parts[below:]) for entry in files)


def read_manifest(store: Store, folder: str) -> Manifest:
    """Read a staged repository's manifest. Raises StagingError where there is none of this version."""
    return parse_manifest(lambda: store.read_json(f"{folder}/{MANIFEST}"), str(store.path(f"{folder}/{MANIFEST}")))


def parse_manifest(read: Any, where: str) -> Manifest:
    """Return the manifest that `read()` gives as JSON values. Raises StagingError naming `where`."""
    try:
        return Manifest.model_validate(read())
    except (StoreError, ValidationError) as exc:
        first = exc.errors()[0]["msg"] if isinstance(exc, ValidationError) else exc
        raise StagingError(f"{where} is no manifest of a staged repository ({first}). Stage it again.") from exc


def differences(store: Store, folder: str, manifest: Manifest) -> list[str]:
    """Say, a sentence each, in what the files differ from their manifest."""
    listed = {entry.path: entry for entry in manifest.files}
    found = set(staged_paths(store, folder)) - {MANIFEST}
    sentences = [f"{path} was not staged" for path in sorted(found - set(listed))]
    sentences += [f"{path} is gone" for path in sorted(set(listed) - found)]
    sentences += [
        f"{path} was changed" for path in sorted(found & set(listed))
        if store.digest(f"{folder}/{path}") != listed[path].sha256
    ]  # fmt: skip
    return sentences


def _size(store: Store, key: str) -> int:
    return int(store.path(key).stat().st_size)
