"""JSON that leaves without the folders of this machine that it names."""

from collections.abc import Collection
from pathlib import PurePath
from typing import Any

import orjson

from tinyemo_data.store import Store

# What `save_pretrained` writes the place in that a model was loaded from, at any depth.
ORIGINS = ("_name_or_path", "name_or_path")


def read_public(store: Store, key: str, names: Collection[str] | None = None) -> bytes:
    """Return a JSON file of the store without folders; untouched, byte for byte, where it names none.

    `names` are the fields that are looked at, at any depth; None: all of them.
    """
    values = store.read_json(key)
    public = without_folders(values, names)
    if public == values:
        return store.read_bytes(key)
    return orjson.dumps(public, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def without_folders(values: Any, names: Collection[str] | None = None, name: str = "") -> Any:
    """Return JSON values in which each path of a machine is its last part alone; `names` as in `read_public`."""
    if isinstance(values, dict):
        return {inner: without_folders(value, names, inner) for inner, value in values.items()}
    if isinstance(values, list):
        return [without_folders(value, names, name) for value in values]
    return without_folder(values) if isinstance(values, str) and (names is None or name in names) else values


def without_folder(location: str) -> str:
    """Return a path's last part; a hub id, and any text that begins like no path, stays as it is."""
    path = PurePath(location)
    is_path = path.is_absolute() or location.startswith(("./", "../", "~"))
    return path.name or location if is_path else location
