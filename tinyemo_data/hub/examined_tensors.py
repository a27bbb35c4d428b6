"""Looking through safetensors files: their headers' text, and what their tensors begin like."""

import io
from collections.abc import Iterator

import orjson

from tinyemo_data.hub.contents import HEAD, UNMISTAKABLE, picture_format
from tinyemo_data.hub.found import Found
from tinyemo_data.hub.private_text import MEANING, find_private
from tinyemo_data.store import Store

HEADER = 8  # bytes that hold the header's length


def examine_safetensors(store: Store, folder: str, path: str, patterns: dict[str, str]) -> Iterator[Found]:
    """Yield what a safetensors file holds that must not leave: in its header, and as what each tensor begins."""
    with store.open(f"{folder}/{path}") as file:
        length = int.from_bytes(file.read(HEADER), "little")
        size = file.seek(0, io.SEEK_END)
        file.seek(HEADER)
        text = file.read(length) if length < size else b""
        try:
            header = orjson.loads(text)
            starts = [value["data_offsets"][0] for name, value in header.items() if name != "__metadata__"]
        except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError, IndexError):
            yield Found(path, "", "unknown_file", "no safetensors file")
            return
        for trace in find_private(text.decode("utf-8", "replace"), patterns):
            yield Found(path, "header", trace.reason, MEANING[trace.reason])
        for start in starts:
            file.seek(HEADER + length + start)
            if (picture := picture_format(file.read(HEAD))) in UNMISTAKABLE:
                yield Found(path, f"byte {HEADER + length + start}", "picture", f"a picture ({picture})")
