"""Draws the demo's datasets into the raw folder: once, whole, and never over anything else."""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Protocol

import orjson

from tinyemo_data.errors import SettingsError, nearest
from tinyemo_data.sample_corpus.drawn_folder import (
    Laid,
    Marker,
    read_marker,
    refuse_what_is_not_drawn,
    replace_drawn,
)
from tinyemo_data.sample_corpus.layouts import (
    abstract,
    artphoto,
    emoset,
    emotion6,
    emotionroi,
    fi,
    unbiasedemo,
    webemo,
)
from tinyemo_data.settings import SampleCorpusSettings


class Layout(Protocol):
    """Writes one dataset below a folder."""

    def __call__(self, root: Path, settings: SampleCorpusSettings) -> Laid:
        """Return what was written."""
        ...


LAYOUTS: dict[str, Layout] = {
    "abstract": abstract.lay_out,
    "artphoto": artphoto.lay_out,
    "emoset": emoset.lay_out,
    "emotion6": emotion6.lay_out,
    "emotionroi": emotionroi.lay_out,
    "fi": fi.lay_out,
    "unbiasedemo": unbiasedemo.lay_out,
    "webemo": webemo.lay_out,
}


@dataclass(frozen=True)
class CorpusReport:
    """What the raw folder holds now."""

    datasets: list[str]
    drawn: list[str]  # the datasets that this run drew; the others were there
    pictures: int  # whole pictures with a label, over all datasets
    pictures_by_dataset: dict[str, int]
    rejected: dict[str, dict[str, str]]  # by dataset: planted faults, path -> the quarantine's reason
    seconds: float


def draw_corpus(raw: Path, datasets: Sequence[str], settings: SampleCorpusSettings) -> CorpusReport:
    """Draw each dataset into `<raw>/<dataset>/`, in its distributed layout, unless it is there already.

    Equal settings give equal bytes. Raises SettingsError for a dataset that has no layout here, and
    StoreError, before anything is drawn, where a folder holds what was not drawn.
    """
    start = time.monotonic()
    fingerprints = {name: fingerprint(name, settings) for name in datasets}
    markers = {name: read_marker(raw / name) for name in datasets}
    missing = [name for name in datasets if not _is_drawn(markers[name], fingerprints[name])]
    for name in missing:
        refuse_what_is_not_drawn(raw / name)
    for name in missing:
        draw_one = partial(LAYOUTS[name], settings=settings)
        markers[name] = replace_drawn(raw / name, name, fingerprints[name], draw_one)
    done = {name: marker for name, marker in markers.items() if marker is not None}
    return CorpusReport(
        datasets=list(done), drawn=missing, pictures=sum(marker.pictures for marker in done.values()),
        pictures_by_dataset={name: marker.pictures for name, marker in done.items()},
        rejected={name: marker.rejected for name, marker in done.items()}, seconds=time.monotonic() - start,
    )  # fmt: skip


def fingerprint(dataset: str, settings: SampleCorpusSettings) -> str:
    """Return a digest of all that a drawn dataset depends on. Raises SettingsError for an unknown dataset."""
    if dataset not in LAYOUTS:
        raise SettingsError(
            f"The dataset '{dataset}' can't be drawn.{nearest(dataset, LAYOUTS)} The demo has layouts of "
            f"{', '.join(LAYOUTS)}; for others use a profile with `pictures: real`."
        )
    parts = {"dataset": dataset, "settings": settings.model_dump(), "code": _code_digest()}
    return hashlib.sha256(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _is_drawn(marker: Marker | None, wanted: str) -> bool:
    return marker is not None and marker.fingerprint == wanted


@cache
def _code_digest() -> str:
    """Digest this package's code and styles: another hand draws other pictures."""
    digest = hashlib.sha256()
    folder = Path(__file__).parents[1]
    for path in sorted([*folder.rglob("*.py"), *folder.rglob("*.yaml")]):
        digest.update(path.relative_to(folder).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()
