"""A folder of drawn pictures: complete or not there, drawn once, and never in the place of anything else.

Drawing happens in a hidden sibling. Its marker, which lists every file and its digest, is written last, and
then the sibling takes the folder's place by a rename. A folder is replaced only while it still is what its
marker says, so that nothing that people put there is ever lost.
"""

import hashlib
import os
import shutil
import socket
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import orjson

from tinyemo_data.errors import StoreError

MARKER = ".drawn.json"


@dataclass(frozen=True)
class Laid:
    """What a layout wrote: how many files are whole pictures with a label, and why the others are not.

    `rejected` maps a path (relative to the dataset's root) to the quarantine's reason for it.
    """

    pictures: int
    rejected: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Marker:
    """The completion mark of a drawn folder."""

    dataset: str
    fingerprint: str  # of everything that the drawing depends on
    pictures: int
    rejected: dict[str, str]
    files: dict[str, str]  # SHA-256 of every file, by its path


def read_marker(folder: Path) -> Marker | None:
    """Return the marker of a folder; None where there is none that can be read as one."""
    try:
        return Marker(**orjson.loads((folder / MARKER).read_bytes()))
    except (OSError, orjson.JSONDecodeError, TypeError):
        return None


def refuse_what_is_not_drawn(folder: Path) -> None:
    """Raise StoreError unless `folder` is absent, empty, or still exactly what was drawn into it."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise _refusal(folder, "is a link or a file", "Remove it")
    if not folder.is_dir() or not any(folder.iterdir()):
        return
    marker = read_marker(folder)
    if marker is None:
        raise _refusal(folder, f"holds files, and no {MARKER} says that they were drawn", "Move them away")
    for path, digest in sorted(_digests(folder).items()):
        if marker.files.get(path) != digest:
            raise _refusal(folder, f"holds {path}, which was not drawn so", "Move it away, or delete the folder")


def replace_drawn(folder: Path, dataset: str, fingerprint: str, lay_out: Callable[[Path], Laid]) -> Marker:
    """Let `lay_out` fill a sibling of `folder`, then put that in its place. Raises StoreError.

    Where another run has meanwhile drawn the same, its folder stays.
    """
    _remove_abandoned(folder)
    aside = folder.with_name(_name_aside(folder, "drawing"))
    try:
        aside.mkdir(parents=True)
        laid = lay_out(aside)
        marker = Marker(dataset, fingerprint, laid.pictures, laid.rejected, _digests(aside))
        _write_marker(aside, marker)
        found = read_marker(folder)
        if found is None or found.fingerprint != fingerprint:
            _swap(aside, folder)
    except OSError as exc:
        raise StoreError(
            f"Pictures can't be drawn into {folder} ({exc}). Make room, or name another raw folder."
        ) from exc
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return marker


def _swap(aside: Path, folder: Path) -> None:
    refuse_what_is_not_drawn(folder)
    old = folder.with_name(_name_aside(folder, "old"))
    if folder.exists():
        folder.rename(old)
    aside.rename(folder)
    _sync(folder.parent)
    shutil.rmtree(old, ignore_errors=True)


def _write_marker(folder: Path, marker: Marker) -> None:
    path = folder / MARKER
    path.write_bytes(orjson.dumps(asdict(marker), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS))
    _sync(path)


def _digests(folder: Path) -> dict[str, str]:
    """Return the digest of every file below `folder` but the marker; a link has none that could be equal."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found[name] = "link"
        elif path.is_file() and name != MARKER:
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def _name_aside(folder: Path, purpose: str) -> str:
    return f".{folder.name}.{socket.gethostname()}.{os.getpid()}.{purpose}"


def _remove_abandoned(folder: Path) -> None:
    """Remove what killed runs of this machine left beside `folder`: half-drawn folders and replaced ones."""
    host = socket.gethostname()
    for purpose in ("drawing", "old"):
        for left in folder.parent.glob(f".{folder.name}.{host}.*.{purpose}"):
            owner = left.name.removesuffix(f".{purpose}").rpartition(".")[2]
            if owner == str(os.getpid()) or (Path("/proc").exists() and not Path(f"/proc/{owner}").exists()):
                shutil.rmtree(left, ignore_errors=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _refusal(folder: Path, found: str, mend: str) -> StoreError:
    return StoreError(
        f"{folder} {found}. Pictures are drawn only into folders that hold nothing else. {mend}, or give "
        "the demo a raw folder of its own (TINYEMO_RAW)."
    )
