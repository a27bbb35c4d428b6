"""How files lie in a dataset's folder: what is junk, what is a picture, and what leads out of the dataset.

Every source walks its folder through `Tree`, so that all of them skip, refuse and sort alike. Paths are
relative to the dataset's root, with /; nothing is opened here.
"""

import os
import posixpath
import re
import stat
from collections.abc import Container, Iterable, Iterator
from pathlib import Path

from tinyemo_data.errors import LayoutError, UnknownLabelError
from tinyemo_data.sources.boundary import Boundary, file_mode, leads_out
from tinyemo_data.sources.source import DatasetCard, Reject
from tinyemo_data.taxonomy import Taxonomy

PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff")
# What systems and archivers leave behind; ArtPhoto ships an .rtf read-me among its pictures.
JUNK_NAMES = {"thumbs.db", "desktop.ini", "__macosx"}
JUNK_SUFFIXES = (".rtf",)
NOT_PLAIN = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")  # Python reads bytes that are no UTF-8 as surrogates
SHOWN_ENTRIES = 6


def is_junk(name: str) -> bool:
    """Tell whether a file or folder is skipped without a word: hidden, or left behind by a system."""
    lowered = name.casefold()
    return lowered.startswith(".") or lowered in JUNK_NAMES or lowered.endswith(JUNK_SUFFIXES)


def is_plain(name: str) -> bool:
    """Tell whether a name can be stored as text: no control characters, no bytes outside UTF-8."""
    return NOT_PLAIN.search(name) is None


def is_picture(name: str) -> bool:
    """Tell by its suffix, in any case, whether a file is a picture."""
    return name.casefold().endswith(PICTURE_SUFFIXES)


def posix(listed: str) -> str:
    """Return a path that a list or a JSON file names, with single / and without `.`; nothing is resolved."""
    path = listed.strip().replace("\\", "/")
    parts = [part for part in path.split("/") if part not in ("", ".")]
    return "/" * path.startswith("/") + "/".join(parts)


def within(at: str, listed: str) -> str:
    """Return the path that a list names relative to the folder `at`; one that leads out stays as it is."""
    path = posix(listed)
    return path if leads_out(path) else posixpath.join(at, path)


class Tree:
    """A dataset's root, read in sorted order; nothing that leads out of it is ever followed."""

    def __init__(self, root: Path) -> None:
        """Point at `root`. Raises LayoutError where it is no folder."""
        self.root = root
        if not root.is_dir():
            raise LayoutError(f"{root} is no folder. Unpack the dataset there, or name its folder.")
        self._boundary = Boundary(root)

    def child(self, at: str, name: str) -> str | None:
        """Return the folder `name` in the folder `at`, its case not counting; None where there is none."""
        return _best(self.folders(at), posixpath.join(at, name))

    def file(self, at: str, name: str) -> str | None:
        """Return the file `name` in the folder `at`, its case not counting; None where there is none."""
        return _best([path for path in self._usable(at) if self.is_file(path)], posixpath.join(at, name))

    def folders(self, at: str) -> list[str]:
        """Return the folders directly in the folder `at`."""
        return [path for path in self._usable(at) if self._is_folder(path)]

    def is_file(self, path: str) -> bool:
        """Tell whether a path leads to a regular file."""
        return stat.S_ISREG(self._mode(path))

    def strays(self, at: str) -> Iterator[Reject]:
        """Yield a Reject for each thing in the folder `at`, where only folders belong, that is no folder."""
        for path in self._paths(at):
            wrong = self.refusal(path) or Reject(path, "no_label", "it lies beside the folders, in none of them")
            if wrong.reason != "unexpected_folder":
                yield wrong

    def pictures(self, at: str) -> Iterator[str | Reject]:
        """Yield each picture directly in the folder `at`, and a Reject for each thing there that is none."""
        is_inside = self._boundary.holds_folder(at)
        for path, is_regular in self._scan(at):
            # What the folder's own listing tells is not asked again: most files need no more than that.
            is_sound = is_inside and is_regular and is_picture(path) and is_plain(path)
            yield path if is_sound else self.refusal(path) or path

    def unlisted(self, at: str, listed: Container[str], reason: str, detail: str) -> Iterator[Reject]:
        """Yield a Reject for each thing directly in the folder `at` that is not in `listed`."""
        for path in self._paths(at):
            if path not in listed:
                yield self.refusal(path) or Reject(path, reason, detail)

    def refusal(self, path: str) -> Reject | None:
        """Say why a path can't be a picture of this dataset; None where it can.

        Reasons: `bad_name`, `outside_dataset`, `missing`, `unexpected_folder`, `not_a_picture`.
        """
        strayed = self.strayed(path)
        if strayed is not None:
            return strayed
        mode = self._mode(path)
        if not mode:
            return Reject(path, "missing", "it is listed or linked to, and there is no such file")
        if stat.S_ISDIR(mode):
            return Reject(path, "unexpected_folder", "a folder where a picture belongs; nothing in it is read")
        if not is_picture(path):
            return Reject(path, "not_a_picture", f"its suffix is none of {', '.join(PICTURE_SUFFIXES)}")
        return None if stat.S_ISREG(mode) else Reject(path, "not_a_picture", "it is no regular file")

    def strayed(self, path: str) -> Reject | None:
        """Refuse a path with `bad_name` or `outside_dataset`; None where it stays in the dataset."""
        if not is_plain(path):
            detail = "its name is no text (control characters, or bytes that are no UTF-8): rename it"
            return Reject(_escaped(path), "bad_name", detail)
        if not self._boundary.holds(path):
            detail = "it leads out of the dataset's folder: copy what it names into the dataset"
            return Reject(path, "outside_dataset", detail)
        return None

    def saw(self, at: str) -> str:
        """Return the first entries of the folder `at` for a message: `'a' (a folder), 'b.txt'`."""
        names = [f"'{_escaped(posixpath.basename(path))}'{self._kind(path)}" for path in self._paths(at)]
        shown = ", ".join(names[:SHOWN_ENTRIES]) or "nothing"
        return shown if len(names) <= SHOWN_ENTRIES else f"{shown} and {len(names) - SHOWN_ENTRIES} more"

    def _kind(self, path: str) -> str:
        if not self._boundary.holds(path):
            return " (a link out of the dataset, not followed)"
        return " (a folder)" if self._is_folder(path) else ""

    def _paths(self, at: str) -> list[str]:
        return [path for path, _ in self._scan(at)]

    def _scan(self, at: str) -> list[tuple[str, bool]]:
        """Return what is in the folder `at` in sorted order, each with whether it is a regular file and no link."""
        try:
            with os.scandir(self.root / at) as entries:
                found = [(e.name, e.is_file(follow_symlinks=False)) for e in entries if not is_junk(e.name)]
        except OSError as exc:
            raise LayoutError(f"{self.root / at} can't be listed ({exc}). Mend its permissions.") from exc
        return [(posixpath.join(at, name), is_regular) for name, is_regular in sorted(found)]

    def _usable(self, at: str) -> Iterator[str]:
        return (path for path in self._paths(at) if self.strayed(path) is None)

    def _mode(self, path: str) -> int:
        return file_mode(f"{self.root}/{path}")

    def _is_folder(self, path: str) -> bool:
        return stat.S_ISDIR(self._mode(path))


def layout_error(tree: Tree, dataset: str, expected: str, at: str = "") -> LayoutError:
    """Return the error of a folder that is not as `dataset` is distributed: expected, seen, and the mend."""
    return LayoutError(
        f"{tree.root / at} does not lie as {dataset} is distributed. Expected {expected}; "
        f"seen {tree.saw(at)}. Unpack the dataset as it came, or name its folder in the setting 'folder'."
    )


def descend(tree: Tree, names: Iterable[str]) -> str:
    """Return the innermost of the nested folders `names` that is there, passing over those that are not."""
    at = ""
    for name in names:
        at = tree.child(at, name) or at
    return at


def labelled(tree: Tree, folders: Iterable[str], labels: Taxonomy) -> list[tuple[str, str]]:
    """Return each folder with the emotion that names it. Raises UnknownLabelError naming the folder."""
    return [(path, labels.canonical(posixpath.basename(path), f"The folder {tree.root / path}")) for path in folders]


def has_labels(tree: Tree, at: str, labels: Taxonomy) -> bool:
    """Tell whether a folder in the folder `at` is named for an emotion: a layout is recognised by one."""
    for path in tree.folders(at):
        try:
            labels.canonical(posixpath.basename(path), path)
        except UnknownLabelError:
            continue
        return True
    return False


def find_emotions(
    tree: Tree, names: tuple[str, ...], labels: Taxonomy, card: DatasetCard
) -> tuple[str, list[tuple[str, str]]]:
    """Return the folder that holds the emotions' folders, and these with their emotions.

    It is the last of the nested folders `names`, or the root where the root is one of them already.
    Raises LayoutError where no emotion's folder is there, UnknownLabelError as `labelled` does.
    """
    at = descend(tree, names)
    is_named = posixpath.basename(at).casefold() == names[-1].casefold()
    if not (tree.folders(at) if is_named else has_labels(tree, at, labels)):
        raise layout_error(tree, card.title, card.layout, at)
    return at, labelled(tree, tree.folders(at), labels)


def _best(paths: list[str], wanted: str) -> str | None:
    """Return `wanted` where it is among `paths`, else the first that differs in case alone."""
    alike = [path for path in paths if path.casefold() == wanted.casefold()]
    return wanted if wanted in alike else min(alike, default=None)


def _escaped(name: str) -> str:
    """Return a name for messages and tables: what is no plain character is written as its escape."""
    return "".join(c if is_plain(c) else c.encode("unicode_escape").decode("ascii") for c in name)
