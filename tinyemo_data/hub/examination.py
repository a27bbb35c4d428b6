"""The gate that everything passes before it leaves: no picture, no path, no key, no address, nothing unknown."""

from collections.abc import Iterator
from pathlib import PurePosixPath

from tinyemo_data.errors import LicenceError
from tinyemo_data.hub.contents import HEAD, KINDS, SENTENCEPIECE, VOCABULARIES, picture_format
from tinyemo_data.hub.examined_parquet import examine_parquet
from tinyemo_data.hub.examined_tensors import examine_safetensors
from tinyemo_data.hub.files import staged_paths
from tinyemo_data.hub.found import Found
from tinyemo_data.hub.private_text import MEANING, OF_VOCABULARIES, find_private, patterns_here
from tinyemo_data.store import Store

SHOWN = 20  # findings that a message names


def examine(store: Store, folder: str, features_allowed: bool = False, places: tuple[str, ...] = ()) -> list[Found]:
    """Look through every file below a staged repository; return what must not leave, in the order of paths.

    `features_allowed`: vectors of numbers may be in it. `places` are folders of this machine that no text may name,
    besides its home, its working folder and the store's.
    """
    patterns = patterns_here((str(store.root), *places))
    return [
        found
        for path in staged_paths(store, folder)
        for found in _file(store, folder, path, patterns, features_allowed)
    ]


def refuse_private(store: Store, folder: str, features_allowed: bool = False, places: tuple[str, ...] = ()) -> None:
    """Raise LicenceError, naming what was found and where, unless `examine` finds nothing."""
    found = examine(store, folder, features_allowed, places)
    if found:
        more = f" And {len(found) - SHOWN} more." if len(found) > SHOWN else ""
        listed = "; ".join(map(str, found[:SHOWN]))
        raise LicenceError(
            f"{store.path(folder)} holds what must not leave: {listed}.{more} Remove it where it comes from, and stage "
            "the repository again."
        )


def _file(store: Store, folder: str, path: str, patterns: dict[str, str], features_allowed: bool) -> Iterator[Found]:
    name = PurePosixPath(path).name
    kind = KINDS.get(PurePosixPath(path).suffix)
    with store.open(f"{folder}/{path}") as file:
        picture = picture_format(file.read(HEAD))
    for trace in find_private(path, patterns):
        yield Found(path, "its name", trace.reason, MEANING[trace.reason])
    if picture:
        yield Found(path, "", "picture", f"a picture ({picture})")
    elif kind == "parquet":
        yield from examine_parquet(store, folder, path, patterns, features_allowed)
    elif kind == "safetensors":
        yield from examine_safetensors(store, folder, path, patterns)
    elif kind == "text":
        yield from _text(path, store.read_bytes(f"{folder}/{path}"), patterns, name in VOCABULARIES)
    elif name != SENTENCEPIECE:
        yield Found(path, "", "unknown_file", "a file of a kind that no repository is made of")


def _text(path: str, content: bytes, patterns: dict[str, str], vocabulary: bool) -> Iterator[Found]:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        yield Found(path, "", "unknown_file", "a text file that holds no UTF-8")
        return
    asked = {name: one for name, one in patterns.items() if not (vocabulary and name in OF_VOCABULARIES)}
    for trace in find_private(text, asked):
        line = text.count("\n", 0, trace.at) + 1
        yield Found(path, f"line {line}", trace.reason, MEANING[trace.reason])
