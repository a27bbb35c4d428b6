"""Which WEBEmo picture a released record is about: the author's absolute path, mended.

WEBEmo lies in `<split>/<emotion>/<file>`, two of its folders misspelt. The released sets spell those two in different
ways, and so do not join; the mended path is the one on disk, the label is the taxonomy's.
"""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from tinyemo_data import taxonomy
from tinyemo_data.synthesis.export.rules import ABSOLUTE
from tinyemo_data.synthesis.export.spelling import misspellings

DATASET, TAXONOMY = "webemo", "parrott25"
PLACE = re.compile(r"(?:^|[/\\])(train|validation|test)[/\\]([^/\\]+)[/\\]([^/\\]+\.[A-Za-z]+)$")


@dataclass(frozen=True)
class ReleasedPicture:
    """One picture of WEBEmo as a released record names it."""

    split: str
    folder: str  # as the record spells it
    file: str
    emotion: str  # the canonical label
    is_absolute: bool

    def at(self, folder: str) -> str:
        """Return the path `webemo/<split>/<folder>/<file>`."""
        return f"{DATASET}/{self.split}/{folder}/{self.file}"

    @property
    def folders(self) -> list[str]:
        """Return how the label's folder may be spelt on disk: as WEBEmo has it, as the taxonomy does, as here."""
        distributed = [wrong for wrong, label in misspellings().items() if label == self.emotion]
        return list(dict.fromkeys([*distributed, self.emotion, self.folder]))


def locate(path: object) -> ReleasedPicture | str:
    """Return the picture that a record's `image` names, or the fault that keeps it from being known."""
    found = PLACE.search(path) if isinstance(path, str) and path.isprintable() else None
    if found is None:
        return "unknown_path"
    split, folder, file = found.groups()
    labels = taxonomy.get(TAXONOMY)
    emotion = labels.aliases.get(folder.lower(), folder.lower())
    if emotion not in labels.labels:
        return "unknown_label"
    return ReleasedPicture(split, folder, file, emotion, ABSOLUTE.match(str(path)) is not None)


class PictureFolder:
    """The folder of all datasets: tells where a picture lies and what its bytes are, each looked at once."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._digests: dict[str, str | None] = {}

    def find(self, picture: ReleasedPicture) -> tuple[str, str | None] | None:
        """Return the picture's path below the folder and its SHA-256; None where it is not there.

        Where there is no folder to look into, the path is as WEBEmo is distributed and the digest is None.
        """
        if self._folder is None:
            return picture.at(picture.folders[0]), None
        for path in map(picture.at, picture.folders):
            if path not in self._digests:
                self._digests[path] = _digest(self._folder / path)
            if self._digests[path] is not None:
                return path, self._digests[path]
        return None


def _digest(path: Path) -> str | None:
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
