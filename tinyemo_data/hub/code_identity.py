"""Which code made a repository: the package's version, and a digest of its source files."""

import functools
import hashlib
import importlib.metadata
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
SOURCES = {".py", ".yaml", ".j2"}


@functools.cache
def code_identity() -> dict[str, str]:
    """Return `version` and `sha256`: of the paths below the package and the content of its sources, in path order.

    Prompts are left out: records name theirs by a digest of their own.
    """
    hasher = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*")):
        name = path.relative_to(PACKAGE).as_posix()
        if path.suffix in SOURCES and not name.startswith("prompts/"):
            hasher.update(f"{name}\0{path.stat().st_size}\0".encode())
            hasher.update(path.read_bytes())
    return {"version": importlib.metadata.version("tinyemo-data"), "sha256": hasher.hexdigest()}
