"""Licences: what of which dataset may be published. The data is in `licences.yaml`, each entry with its source."""

import functools
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict

from tinyemo_data import sources
from tinyemo_data.errors import LicenceError, nearest

LICENCES = Path(__file__).parent / "licences.yaml"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class OwnLicence(_Strict):
    """What our own text and weights are published under."""

    name: str  # as the Hub's metadata names it
    title: str
    url: str
    note: str


class DatasetLicence(_Strict):
    """What of one dataset may be published."""

    found: str
    source: str
    cite: str
    pictures: Literal["never"]
    features: Literal["override", "never"]


class Paper(_Strict):
    """What the method is cited by."""

    title: str
    author: str
    year: int
    url: str


class Licences(_Strict):
    """All that `licences.yaml` says."""

    ours: OwnLicence
    paper: Paper
    datasets: dict[str, DatasetLicence]


@functools.cache
def all_licences() -> Licences:
    """Return what `licences.yaml` says."""
    return Licences.model_validate(yaml.safe_load(LICENCES.read_text(encoding="utf-8")))


def licence_of(dataset: str) -> DatasetLicence:
    """Return what of a dataset may be published. Raises LicenceError where nobody looked that up."""
    known = all_licences().datasets
    if dataset not in known:
        raise LicenceError(
            f"Nothing is known of what may be published of the dataset '{dataset}'.{nearest(dataset, known)} Look its "
            f"licence up, and add it to {LICENCES.name} beside {', '.join(known)}."
        )
    return known[dataset]


def licence_rows(datasets: Iterable[str]) -> list[dict[str, str]]:
    """Return, for cards, each dataset's name, title, home and what its licence says. Raises LicenceError."""
    rows = []
    for name in sorted(datasets):
        licence, card = licence_of(name), sources.get(name).card
        rows.append({"name": name, "title": card.title, "home": card.home, **licence.model_dump()})
    return rows
