"""Rehydration: a published set joined with a user's own copy of its pictures, by the digests of their bytes."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import polars as pl

from tinyemo_data import sources
from tinyemo_data.errors import StagingError
from tinyemo_data.hub.published_set import PublishedSet, open_published
from tinyemo_data.progress import Meter, Report
from tinyemo_data.sources.folder import is_junk

HASHERS = 4  # files at a time: reading and hashing both leave the interpreter
AT_ITS_PLACE, ELSEWHERE, OTHER_BYTES, MISSING, UNNAMED = (
    "at_its_place", "elsewhere", "other_bytes", "missing", "unnamed",
)  # fmt: skip
MEANING = {
    AT_ITS_PLACE: "found where they belong",
    ELSEWHERE: "found at another place, by their bytes",
    OTHER_BYTES: "at their place with other bytes: not used",
    MISSING: "missing",
    UNNAMED: "not named by the set",
}


@dataclass(frozen=True)
class Rehydration:
    """Where the pictures of a set lie on this machine."""

    published: PublishedSet = field(repr=False)
    pictures: pl.DataFrame = field(repr=False)  # image, picture_sha256, dataset, found (of MEANING), path: null or str
    records: int

    @property
    def counts(self) -> dict[str, int]:
        """How many pictures were found how."""
        found = Counter(self.pictures["found"].to_list())
        return {how: found[how] for how in MEANING if found[how]}

    def table(self) -> pl.DataFrame:
        """Return the records whose picture was found, with its `path`."""
        return self._joined().collect()

    def write(self, path: Path) -> None:
        """Write what `table()` returns as Parquet, without holding all of it."""
        self._joined().sink_parquet(path, compression="zstd")

    def _joined(self) -> pl.LazyFrame:
        there = self.pictures.filter(pl.col("path").is_not_null()).select("image", "picture_sha256", "path")
        return self.published.scan().join(there.lazy(), on=["image", "picture_sha256"], maintain_order="left")

    def lines(self) -> Iterator[str]:
        """Say for people what was found, and where to get what was not."""
        yield f"{self.records:,} records about {len(self.pictures):,} pictures."
        for how, count in self.counts.items():
            yield f"- {count:,} pictures {MEANING[how]}"
        lacking = self.pictures.filter(pl.col("path").is_null())
        for dataset, count in lacking.group_by("dataset").len().sort("dataset").iter_rows():
            yield f"- {dataset or 'no dataset'}: {count:,} not at hand{_where_to_get(dataset)}"

    def __str__(self) -> str:
        return "\n".join(self.lines())


def rehydrate(location: str | Path, pictures: str | Path, report: Report | None = None) -> Rehydration:
    """Look for the pictures of a published set below `pictures`, which holds a folder a dataset, as distributed.

    A picture counts as found where a file has its very bytes: at its place, or, where that has none, anywhere below
    its dataset's folder. Raises HubError or StagingError where the set can't be had, or `pictures` is no folder.
    """
    root = Path(pictures).expanduser()
    if not root.is_dir():
        raise StagingError(
            f"There is no folder {root} of pictures. It should hold a folder a dataset: webemo/, emoset/."
        )
    published = open_published(location)
    records = published.scan().select("image", "picture_sha256", "dataset").collect()
    wanted = records.unique(maintain_order=True)
    rows = list(wanted.iter_rows())
    meter = Meter(len(rows), report)
    with ThreadPoolExecutor(HASHERS) as hashers:
        at_place = list(_counted(hashers.map(lambda row: look_at_place(root, row[0], row[1]), rows), meter))
        lost = {
            dataset for (how, _), (_, _, dataset) in zip(at_place, rows, strict=True) if how in (OTHER_BYTES, MISSING)
        }
        by_digest = dict(hashers.map(_digest_of, _pictures_below(root, lost)))
    found = [_or_elsewhere(how, path, row[1], by_digest) for (how, path), row in zip(at_place, rows, strict=True)]
    columns = pl.DataFrame(found, schema={"found": pl.String, "path": pl.String}, orient="row")
    return Rehydration(published, wanted.hstack(columns), len(records))


def look_at_place(root: Path, image: str, digest: str) -> tuple[str, str | None]:
    """Return how a picture was found at its place below `root` (of MEANING), and its path where it has those bytes."""
    place = PurePosixPath(image)
    if not image or not digest:
        return UNNAMED, None
    # A downloaded table must not lead out of the folder.
    if place.is_absolute() or ".." in place.parts or not (file := root / place).is_file():
        return MISSING, None
    return (AT_ITS_PLACE, str(file)) if sha256_of(file) == digest else (OTHER_BYTES, None)


def _counted(found: Iterable[tuple[str, str | None]], meter: Meter) -> Iterator[tuple[str, str | None]]:
    for one in found:
        meter.advance(1)
        yield one


def _or_elsewhere(how: str, path: str | None, digest: str, by_digest: dict[str, str]) -> tuple[str, str | None]:
    if how in (OTHER_BYTES, MISSING) and digest in by_digest:
        return ELSEWHERE, by_digest[digest]
    return how, path


def _pictures_below(root: Path, datasets: Iterable[str]) -> Iterator[Path]:
    for dataset in sorted(name for name in datasets if name):
        yield from (path for path in sorted((root / dataset).rglob("*")) if path.is_file() and not is_junk(path.name))


def _digest_of(path: Path) -> tuple[str, str]:
    return sha256_of(path), str(path)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _where_to_get(dataset: str) -> str:
    if dataset not in sources.names():
        return ""
    card = sources.get(dataset).card
    return f". {card.title}: {card.home} ({card.licence})"
