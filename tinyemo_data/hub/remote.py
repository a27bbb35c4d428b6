"""What a repository on the Hub holds now, and what would have to be sent to make it what was staged."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from tinyemo_data.errors import HubError
from tinyemo_data.hub.files import MANIFEST, FileEntry
from tinyemo_data.hub.repository import Repository

if TYPE_CHECKING:
    from huggingface_hub import HfApi

# Path in the repository -> the file on this machine, and its digest.
Files = Mapping[str, tuple[Path, FileEntry]]
MAIN = "main"
# Files that make the Hub's viewer and `load_dataset` read them as this repository's records.
OUR_FOLDER = "data/"


@dataclass(frozen=True)
class RemoteFile:
    """One file on the Hub, by the digest that it is known by there."""

    sha256: str | None  # of files in large file storage
    git: str  # SHA-1 of the git blob: of the content of other files


@dataclass(frozen=True)
class Remote:
    """One revision of a repository on the Hub."""

    head: str  # commit
    private: bool
    files: dict[str, RemoteFile]


@dataclass(frozen=True)
class Plan:
    """What differs."""

    add: list[str]
    delete: list[str]
    unchanged: list[str]


def read_remote(api: "HfApi", repository: Repository, revision: str = MAIN) -> Remote:
    """Ask the Hub what a revision holds. Raises what its client raises."""
    from huggingface_hub.hf_api import RepoFile

    info = api.repo_info(repository.id, repo_type=repository.kind, revision=revision)
    tree = api.list_repo_tree(repository.id, repo_type=repository.kind, revision=info.sha, recursive=True)
    files = {
        entry.path: RemoteFile(entry.lfs.sha256 if entry.lfs else None, entry.blob_id)
        for entry in tree if isinstance(entry, RepoFile)
    }  # fmt: skip
    return Remote(str(info.sha), bool(info.private), files)


def plan_of(local: Files, remote: Remote, published: list[str]) -> Plan:
    """Return what must be sent, and what of `published` (paths of an earlier revision of ours) must go."""
    same = [path for path, (file, entry) in local.items() if is_same(file, entry, remote.files.get(path))]
    gone = [path for path in published if path in remote.files and path not in local]
    return Plan(sorted(local.keys() - set(same)), sorted(gone), sorted(same))


def is_same(file: Path, entry: FileEntry, there: RemoteFile | None) -> bool:
    """Tell whether a file on the Hub has the content of a local one."""
    if there is None:
        return False
    return there.sha256 == entry.sha256 if there.sha256 is not None else there.git == git_blob_digest(file)


def git_blob_digest(file: Path) -> str:
    """Return the SHA-1 by which git names a file's content."""
    content = file.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def published_paths(api: "HfApi", repository: Repository, remote: Remote) -> list[str]:
    """Return the paths that the repository's own manifest names; none where it was never published by us.

    Raises HubError where others put files where this project's records lie: readers would take them for ours.
    """
    listed = _manifest_paths(api, repository, remote)
    strangers = sorted(path for path in remote.files if path.startswith(OUR_FOLDER) and path not in listed)
    if strangers:
        raise HubError(
            f"{repository.id} holds {', '.join(strangers[:3])}{' and more' if len(strangers) > 3 else ''}, which this "
            f"project did not publish and readers would take for its records. Remove what is below {OUR_FOLDER} on the "
            f"Hub, or choose another name (hub.repositories.{repository.what})."
        )
    return listed


def _manifest_paths(api: "HfApi", repository: Repository, remote: Remote) -> list[str]:
    if MANIFEST not in remote.files:
        return []
    path = api.hf_hub_download(repository.id, MANIFEST, repo_type=repository.kind, revision=remote.head)
    try:
        return [entry["path"] for entry in orjson.loads(Path(path).read_bytes())["files"]] + [MANIFEST]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return []
