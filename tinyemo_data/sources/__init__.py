"""One module a dataset; each turns its real on-disk layout into Sample rows. `names()` lists them."""

import importlib
import pkgutil

from tinyemo_data.errors import SettingsError, nearest
from tinyemo_data.sources.source import Source

# Shared by the datasets' modules, which never import one another.
NOT_DATASETS = {"boundary", "flaw", "folder", "jpeg", "listing", "phash", "picture", "source", "split"}


def names() -> list[str]:
    """Return the names of the datasets that have a module here, sorted."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if module.name not in NOT_DATASETS)


def get(name: str) -> Source:
    """Return the source of a dataset. Raises SettingsError for a name that has no module here."""
    if name not in names():
        raise SettingsError(f"There is no dataset '{name}'.{nearest(name, names())} Known: {', '.join(names())}.")
    source = importlib.import_module(f"{__name__}.{name}").SOURCE
    assert isinstance(source, Source)
    return source
