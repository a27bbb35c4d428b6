"""A tensor as `torch.save` writes it: a zip archive; `data.pkl` describes the values in `data/<record>`."""

import math
import struct
import zipfile
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinyemo_data.features.tensor_pickle import TensorView, UnexpectedPickleError, read_tensor_pickle

LARGEST_STORAGE = 1 << 28  # bytes; a feature cut out of a batch brings the whole batch along
ITEM_SIZES = {"float16": 2, "float32": 4, "bfloat16": 2}
# All that zipfile raises for damage (RuntimeError: a newer or encrypted archive), and what this module does.
DAMAGE = (zipfile.BadZipFile, EOFError, ValueError, RuntimeError, struct.error)


class UnexpectedTensorError(Exception):
    """The file holds something else than one plain vector; the message says what."""


def read_vector(path: Path) -> npt.NDArray[np.float16]:
    """Read the one vector (D,) or (1, D) in `path` as float16.

    Raises UnexpectedTensorError for other content, and OSError where the file can't be read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            view = read_tensor_pickle(_member(archive, "data.pkl"))
            content = _member(archive, f"data/{view.storage.record}")
            big_endian = _is_big_endian(archive)
        return _to_float16(_values(view, content, big_endian))
    except (UnexpectedPickleError, *DAMAGE) as exc:
        raise UnexpectedTensorError(str(exc) or type(exc).__name__) from exc


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    """Return the record `name`, whatever the archive calls its folder."""
    for member in archive.infolist():
        if member.filename.partition("/")[2] == name:
            if member.compress_type != zipfile.ZIP_STORED or member.flag_bits & 1:
                raise ValueError(f"'{name}' compressed or encrypted, which torch never writes")
            if member.file_size > LARGEST_STORAGE:
                raise ValueError(f"'{name}' of {member.file_size:,} bytes")
            return archive.read(member)
    raise ValueError(f"an archive without '{name}'")


def _is_big_endian(archive: zipfile.ZipFile) -> bool:
    names = {member.filename.partition("/")[2] for member in archive.infolist()}
    return "byteorder" in names and _member(archive, "byteorder") == b"big"


def _values(view: TensorView, content: bytes, big_endian: bool) -> npt.NDArray[np.float32] | npt.NDArray[np.float16]:
    """Return the (D,) values that `view` picks from its storage, bfloat16 as float32."""
    shape, strides = view.shape, view.strides
    if len(shape) == 2 and shape[0] == 1:
        shape, strides = shape[1:], strides[1:]
    if len(shape) != 1 or len(strides) != 1 or math.prod(shape) == 0:
        raise ValueError(f"a tensor of shape {view.shape}")
    if len(content) != view.storage.values * ITEM_SIZES[view.storage.dtype]:
        raise ValueError(f"{len(content):,} bytes for {view.storage.values:,} values of {view.storage.dtype}")
    last = view.offset + (shape[0] - 1) * strides[0]
    if max(last, shape[0] - 1) >= view.storage.values:
        raise ValueError(f"a tensor that reaches value {last:,} of {view.storage.values:,}")
    order = ">" if big_endian else "<"
    kind = {"float16": "f2", "float32": "f4", "bfloat16": "u2"}[view.storage.dtype]
    stored = np.frombuffer(content, dtype=order + kind)
    picked = stored[view.offset + strides[0] * np.arange(shape[0])]
    if view.storage.dtype == "bfloat16":  # the upper half of a float32
        picked = (picked.astype(np.uint32) << 16).view(np.float32)
    return picked


def _to_float16(values: npt.NDArray[np.float32] | npt.NDArray[np.float16]) -> npt.NDArray[np.float16]:
    with np.errstate(over="ignore"):
        feature = values.astype(np.float16)
    if not np.isfinite(feature).all():
        place = int(np.flatnonzero(~np.isfinite(feature))[0])
        raise ValueError(f"the value {values[place]} at {place}, which float16 can't hold")
    return feature
