"""What lies in a dataset's folder and what only seems to: links and lists may name files anywhere on the machine."""

import os
import posixpath
import re
import stat
from pathlib import Path

WINDOWS_DRIVE = re.compile(r"[A-Za-z]:/")


def leads_out(path: str) -> bool:
    """Tell by its text alone whether a path leaves the folder that it is relative to."""
    return not path or path.startswith("/") or bool(WINDOWS_DRIVE.match(path)) or ".." in path.split("/")


def file_mode(path: str, follow: bool = True) -> int:
    """Return the file type and mode that a path leads to, 0 where it leads to nothing."""
    try:
        # For 300,000 files, making a Path of each costs more than asking the system.
        return os.stat(path, follow_symlinks=follow).st_mode  # noqa: PTH116
    except (OSError, ValueError):  # absent, a loop of links, too long a name
        return 0


class Boundary:
    """A dataset's root; each folder in it is looked at once, however many files it holds."""

    def __init__(self, root: Path) -> None:
        """Point at `root`, which may be a link itself."""
        self._root = os.fspath(root)
        self._real_root = Path(os.path.realpath(root))
        self._inside: dict[str, bool] = {}

    def holds(self, path: str) -> bool:
        """Tell whether `path` (relative, with /) stays in the dataset, as text and through every link on its way."""
        if leads_out(path) or not self.holds_folder(posixpath.dirname(path)):
            return False
        is_link = stat.S_ISLNK(file_mode(f"{self._root}/{path}", follow=False))
        return not is_link or self._is_inside(path)

    def holds_folder(self, path: str) -> bool:
        """Tell whether the folder `path` (relative; empty: the root) lies in the dataset."""
        if path not in self._inside:
            self._inside[path] = not path or (not leads_out(path) and self._is_inside(path))
        return self._inside[path]

    def _is_inside(self, path: str) -> bool:
        return Path(os.path.realpath(f"{self._root}/{path}")).is_relative_to(self._real_root)
