"""A published set on this machine: its records and its manifest."""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import orjson
import polars as pl

from tinyemo_data.errors import StagingError, TableError
from tinyemo_data.hub.downloading import find_published
from tinyemo_data.hub.files import MANIFEST, Manifest, parse_manifest
from tinyemo_data.hub.shards import DIGEST_MARK

RECORDS = "data/train-*.parquet"


@dataclass(frozen=True)
class PublishedSet:
    """A folder that holds a published set."""

    folder: Path
    manifest: Manifest

    @property
    def revision(self) -> str | None:
        """The commit that it was downloaded at, where the Hub's client put it there."""
        return self.folder.name if self.folder.parent.name == "snapshots" else None

    def scan(self) -> pl.LazyFrame:
        """Return the records, `picture_sha256` as bare hex digits. Raises TableError where there are none."""
        files = sorted(self.folder.glob(RECORDS))
        if not files:
            raise TableError(f"{self.folder} holds no {RECORDS}: it is no published set, or is not whole.")
        return pl.scan_parquet(files).with_columns(pl.col("picture_sha256").str.strip_prefix(DIGEST_MARK))

    def prompt(self, prompt_id: str) -> str | None:
        """Return the text of a prompt that made it; None where it is not part of the set."""
        place = PurePosixPath(f"{prompt_id}.md")
        # A downloaded table must not lead out of the folder.
        if place.is_absolute() or ".." in place.parts:
            return None
        path = self.folder / "prompts" / place
        return path.read_text(encoding="utf-8") if path.is_file() else None


def open_published(location: str | Path) -> PublishedSet:
    """Open a published set: a folder, or a hub id (`namespace/name`, `…@revision`), which is downloaded.

    Raises HubError where it can't be had, StagingError where it holds no manifest of this version.
    """
    folder = find_published(location, "dataset").resolve()
    path = folder / MANIFEST
    try:
        return PublishedSet(folder, parse_manifest(lambda: orjson.loads(path.read_bytes()), str(path)))
    except (OSError, orjson.JSONDecodeError) as exc:
        raise StagingError(f"{path} can't be read ({type(exc).__name__}): {folder} is no published set.") from exc
