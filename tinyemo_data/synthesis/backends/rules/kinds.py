"""Which kind of place, thing, pose or face a name is: the tables of `places.yaml`, `things.yaml` and `people.yaml`."""

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tinyemo_data.synthesis.backends.rules.nouns import Name

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Place:
    """A known scene."""

    kind: str
    preposition: str


def place_of(name: Name) -> Place | None:
    """Return the kind and preposition of a scene, or None for one that is not in the table."""
    return _places().get(name.text)


def thing_kind(name: Name) -> str | None:
    """Return the kind of an object, by all of its name or by its last word."""
    kinds = _kinds("things", "kinds")
    return kinds.get(name.text) or kinds.get(name.text.split()[-1])


def pose_kind(name: Name) -> str | None:
    """Return the kind of an action, by all of its name or by its first word."""
    kinds = _kinds("people", "poses")
    return kinds.get(name.text) or kinds.get(name.text.split()[0])


def face_kind(name: Name) -> tuple[str, bool] | None:
    """Return the kind of a facial expression and whether the word names a feeling instead of a look."""
    return _faces().get(name.text)


def felt_face(kind: str) -> str:
    """Return how a face is named of which the feeling is known and not the look."""
    return str(read_table("people")["felt_as"][kind])


def face_feature(looks: str) -> str | None:
    """Return what a face has, for looks that are no adjective: a smile, a dropped jaw."""
    feature: str | None = read_table("people")["features"].get(looks)
    return feature


def unlike(kind: str) -> tuple[str, ...]:
    """Return places, one a kind, that a place of this kind is surely not."""
    places = read_table("places")
    samples = (places[other]["sample"] for other in places[kind]["unlike"])
    return tuple(sample for sample in samples if sample)


@functools.cache
def absent_things() -> dict[str, frozenset[str]]:
    """Return what nobody would overlook in a picture, each with the words that could mean it or bring it along."""
    return {name: frozenset([*name.split(), *kin]) for name, kin in read_table("things")["absent"].items()}


@functools.cache
def special_pose(text: str) -> tuple[str, str] | None:
    """Return what stands behind "someone is" and the phrase with "someone", where the rules would get them wrong."""
    found = read_table("people")["special"].get(text)
    return (found[0], found[1]) if found else None


@functools.cache
def read_table(file: str) -> Any:
    """Return a YAML table that lies beside the code."""
    return yaml.safe_load((FOLDER / f"{file}.yaml").read_text(encoding="utf-8"))


@functools.cache
def _places() -> dict[str, Place]:
    return {
        name: Place(kind, preposition)
        for kind, entry in read_table("places").items()
        for preposition, names in entry.items()
        if preposition not in ("sample", "unlike")
        for name in names
    }


@functools.cache
def _kinds(file: str, table: str) -> dict[str, str]:
    return {name: kind for kind, names in read_table(file)[table].items() for name in names}


@functools.cache
def _faces() -> dict[str, tuple[str, bool]]:
    faces = read_table("people")["faces"]
    return {
        name: (kind, is_felt == "felt")
        for kind, entry in faces.items()
        for is_felt, names in entry.items()
        for name in names
    }
