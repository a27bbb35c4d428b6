"""Where tables, blobs and reports live: any fsspec location, written atomically.

A reader sees a file's old content or its new content, never a part of it: on a local disk through
a synced sibling and `rename`, on object stores through one put (which they make atomic), elsewhere
through a put aside and a move.
"""

import contextlib
import hashlib
import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Literal

import orjson
import polars as pl
from upath import UPath

from tinyemo_data.errors import StoreError

# Object stores show an object only when its put has completed; `memory` swaps a finished buffer in.
ATOMIC_PUT = {"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oss", "memory"}
LOCAL = {"", "file", "local"}
MARKER = "store.json"
BLOCK = 1 << 20  # bytes

Pictures = Literal["drawn", "real"]


class Store:
    """A folder of keys (`samples/emotion6.parquet`), on a disk or behind any fsspec URL."""

    def __init__(self, url: str | os.PathLike[str]) -> None:
        """Point at `url`: a path, or an fsspec URL such as `s3://bucket/folder` or `memory://name`."""
        self.url = os.fspath(url)
        try:
            self.root = UPath(self.url)
        except (ValueError, ImportError) as exc:
            raise StoreError(
                f"The store {self.url} can't be opened: {exc}. Give a path or an fsspec URL, and install what its "
                "protocol needs (for s3://: pip install 'tinyemo-data[s3]')."
            ) from exc
        self.is_local = self.root.protocol in LOCAL

    def __repr__(self) -> str:
        return f"Store({self.url!r})"

    def path(self, key: str) -> UPath:
        """Return the location of `key`. Raises StoreError for a key that leads outside the store."""
        parts = PurePosixPath(key).parts
        if not parts or ".." in parts or key.startswith("/"):
            raise StoreError(f"'{key}' is no key of the store {self.url}: give a relative path without '..'.")
        return self.root.joinpath(*parts)

    def exists(self, key: str) -> bool:
        """Tell whether `key` was completely written."""
        return bool(self.path(key).exists())

    def keys(self, prefix: str) -> list[str]:
        """Return the keys of the files directly in the folder `prefix`, sorted; files in the making are not keys."""
        folder = self.path(prefix)
        if not folder.exists():
            return []
        names = [entry.name for entry in folder.iterdir() if not entry.name.startswith(".") and entry.is_file()]
        return [f"{prefix}/{name}" for name in sorted(names)]

    def remove(self, key: str) -> None:
        """Delete `key`; a key that is not there is no error."""
        self.path(key).unlink(missing_ok=True)

    @contextlib.contextmanager
    def writing(self, key: str) -> Iterator[Path]:
        """Give a local path to write to; when the block ends without an error its content becomes `key`."""
        target = self.path(key)
        if self.is_local:
            with _local_replacement(Path(str(target))) as aside:
                yield aside
            return
        with tempfile.TemporaryDirectory(prefix="tinyemo-") as folder:
            aside = Path(folder) / target.name
            yield aside
            self._put(aside, target)

    def _put(self, aside: Path, target: UPath) -> None:
        filesystem = target.fs
        filesystem.makedirs(target.parent.path, exist_ok=True)
        if target.protocol in ATOMIC_PUT:
            filesystem.put_file(str(aside), target.path)
            return
        part = f"{target.parent.path}/{_part_name(target.name)}"
        filesystem.put_file(str(aside), part)
        filesystem.mv(part, target.path)

    @contextlib.contextmanager
    def local(self, key: str) -> Iterator[Path]:
        """Give `key` as a local file to read: itself on a local store, a temporary copy elsewhere."""
        source = self._existing(key)
        if self.is_local:
            yield Path(str(source))
            return
        with tempfile.TemporaryDirectory(prefix="tinyemo-") as folder:
            copy = Path(folder) / source.name
            source.fs.get_file(source.path, str(copy))
            yield copy

    def open(self, key: str) -> BinaryIO:
        """Open `key` for reading, seekable. Raises StoreError where it is absent."""
        return self._existing(key).open("rb")

    def write_bytes(self, key: str, content: bytes) -> None:
        """Write `content` atomically."""
        with self.writing(key) as aside:
            aside.write_bytes(content)

    def read_bytes(self, key: str) -> bytes:
        """Read all of `key`. Raises StoreError where it is absent."""
        return bytes(self._existing(key).read_bytes())

    def write_json(self, key: str, value: Any) -> None:
        """Write `value` as indented JSON with sorted keys, so that equal values give equal bytes."""
        options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
        self.write_bytes(key, orjson.dumps(value, option=options | orjson.OPT_SERIALIZE_NUMPY))

    def read_json(self, key: str) -> Any:
        """Read JSON. Raises StoreError where `key` is absent or no JSON."""
        try:
            return orjson.loads(self.read_bytes(key))
        except orjson.JSONDecodeError as exc:
            raise StoreError(f"{self.path(key)} holds no JSON ({exc}). Delete it and run its step again.") from exc

    def write_table(self, key: str, table: pl.DataFrame) -> None:
        """Write `table` as Parquet (zstd); equal tables give equal bytes."""
        with self.writing(key) as aside:
            table.write_parquet(aside, compression="zstd", statistics=True)

    def read_table(self, key: str) -> pl.DataFrame:
        """Read Parquet. Raises StoreError where `key` is absent or no Parquet."""
        try:
            with self.open(key) as file:
                return pl.read_parquet(file, use_pyarrow=False)
        except pl.exceptions.PolarsError as exc:
            mend = "Delete it and run its step again."
            raise StoreError(f"{self.path(key)} is no readable Parquet ({exc}). {mend}") from exc

    def digest(self, key: str) -> str:
        """Return the SHA-256 of `key`'s content, in hex."""
        with self.open(key) as file:
            digest = hashlib.sha256()
            while block := file.read(BLOCK):
                digest.update(block)
        return digest.hexdigest()

    def claim(self, pictures: Pictures) -> None:
        """Remember whether this store's pictures are drawn or real. Raises StoreError on a mix of both."""
        if self.exists(MARKER):
            found = self.read_json(MARKER).get("pictures")
            if found != pictures:
                raise StoreError(
                    f"The store {self.url} holds what was made of {found} pictures; this profile has {pictures} ones. "
                    "Give TINYEMO_STORE a folder of its own (every figure would mix the two)."
                )
            return
        self.write_json(MARKER, {"pictures": pictures})

    def _existing(self, key: str) -> UPath:
        source = self.path(key)
        if not source.exists():
            raise StoreError(f"{source} is not there: materialize the asset that writes it first.")
        return source


def _part_name(name: str) -> str:
    return f".{name}.{socket.gethostname()}.{os.getpid()}.part"


@contextlib.contextmanager
def _local_replacement(target: Path) -> Iterator[Path]:
    """Give a sibling of `target`; on success sync it and rename it over `target`, on failure remove it."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise StoreError(f"{target.parent} can't be made ({exc}). Mend its permissions, or move the store.") from exc
    _remove_abandoned_parts(target)
    aside = target.with_name(_part_name(target.name))
    try:
        yield aside
        _sync(aside)
        aside.replace(target)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    _sync(target.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove_abandoned_parts(target: Path) -> None:
    """Remove parts of `target` that a killed process of this machine left behind."""
    host = socket.gethostname()
    for part in target.parent.glob(f".{target.name}.{host}.*.part"):
        owner = part.name.removesuffix(".part").rpartition(".")[2]
        if owner.isdigit() and not Path(f"/proc/{owner}").exists() and Path("/proc").exists():
            part.unlink(missing_ok=True)
