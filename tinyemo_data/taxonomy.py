"""Emotion vocabularies, the spellings that datasets use, and the maps between them.

All of it is data, each entry with its source, in `taxonomies.yaml`; this module checks that data on
load and answers questions about it.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tinyemo_data.errors import SettingsError, UnknownLabelError, nearest

TAXONOMIES = Path(__file__).parent / "taxonomies.yaml"
# What surrounds labels in real files: Abstract wraps its header cells in single quotes.
WRAPPING = " \t\r\n\v\f\u00a0\ufeff'\"`‘’“”"
SYNONYMS_A_LABEL = 3


@dataclass(frozen=True)
class Taxonomy:
    """One vocabulary of emotions."""

    name: str
    title: str
    source: str
    labels: tuple[str, ...]  # canonical, sorted
    aliases: Mapping[str, str] = field(default_factory=dict, hash=False)  # spelling (lower-case) -> label

    def canonical(self, label: str, where: str) -> str:
        """Return the canonical spelling of `label`, read at `where` (file and row).

        Case, surrounding blanks and quotes do not count. Raises UnknownLabelError for another label.
        """
        spelling = label.strip(WRAPPING).lower()
        known = self.aliases.get(spelling, spelling)
        if known in self.labels:
            return known
        raise UnknownLabelError(
            f"{where}: the label {label!r} is not in the taxonomy '{self.name}' ({self.title})."
            f"{nearest(spelling, [*self.labels, *self.aliases])} Known: {', '.join(self.labels)}. "
            f"Mend it there; if it is one more spelling, add it to the aliases of {self.name} "
            f"in {TAXONOMIES.name}."
        )


@dataclass(frozen=True)
class LabelMap:
    """A named way from one vocabulary to another: total, but for labels that it leaves without a partner."""

    name: str
    source_taxonomy: str
    target_taxonomy: str
    source: str
    pairs: Mapping[str, str] = field(hash=False)  # label -> label
    unmapped: tuple[str, ...] = ()  # labels of the source taxonomy that have no partner, sorted
    notes: str = ""


@dataclass(frozen=True)
class Vocabularies:
    """Everything that a taxonomies file says, checked."""

    taxonomies: Mapping[str, Taxonomy]
    maps: Mapping[str, LabelMap]
    synonyms: Mapping[str, tuple[str, ...]]


def names() -> list[str]:
    """Return the names of the taxonomies, sorted."""
    return sorted(_embedded().taxonomies)


def get(name: str) -> Taxonomy:
    """Return a taxonomy. Raises SettingsError for an unknown name."""
    found = _embedded().taxonomies.get(name)
    if found is None:
        raise SettingsError(f"There is no taxonomy '{name}'.{nearest(name, names())} Known: {', '.join(names())}.")
    return found


def synonyms(label: str) -> tuple[str, ...]:
    """Return three synonyms of a canonical label. Raises UnknownLabelError for what is no canonical label."""
    known = _embedded().synonyms
    if label not in known:
        raise UnknownLabelError(
            f"Synonyms: there is no label {label!r}.{nearest(label, known)} "
            f"Known: {', '.join(sorted(known))}. "
            f"Pass the canonical spelling, or add its synonyms to {TAXONOMIES.name}."
        )
    return known[label]


def maps() -> list[LabelMap]:
    """Return all maps between taxonomies, sorted by name."""
    return [_embedded().maps[name] for name in sorted(_embedded().maps)]


def get_map(name: str) -> LabelMap:
    """Return a map between taxonomies. Raises SettingsError for an unknown name."""
    known = _embedded().maps
    if name not in known:
        raise SettingsError(
            f"There is no map '{name}' between taxonomies.{nearest(name, known)} Known: {', '.join(sorted(known))}."
        )
    return known[name]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _TaxonomyEntry(_Strict):
    title: str = Field(min_length=1)
    source: str = Field(min_length=1)
    labels: list[str] = Field(min_length=2)
    aliases: dict[str, str]


class _MapEntry(_Strict):
    origin: str = Field(alias="from")
    target: str = Field(alias="to")
    source: str = Field(min_length=1)
    notes: str = ""
    pairs: dict[str, str | None]


class _SynonymsEntry(_Strict):
    source: str = Field(min_length=1)
    labels: dict[str, list[str]]


class _File(_Strict):
    taxonomies: dict[str, _TaxonomyEntry]
    maps: dict[str, _MapEntry]
    synonyms: _SynonymsEntry


@functools.cache
def _embedded() -> Vocabularies:
    return read_taxonomies(TAXONOMIES)


def read_taxonomies(path: Path) -> Vocabularies:
    """Read and check a taxonomies file. Raises SettingsError naming the file, the entry and the mend."""
    try:
        content = _File.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as exc:
        raise SettingsError(f"{path} can't be read as YAML: {exc}. Restore it from the package.") from exc
    except ValidationError as exc:
        first: Any = exc.errors()[0]
        entry = ".".join(str(part) for part in first["loc"])
        raise SettingsError(f"{path}: {entry}: {first['msg']}; found {first['input']!r}. Mend that entry.") from exc
    taxonomies = {name: _taxonomy(name, entry, path) for name, entry in content.taxonomies.items()}
    label_maps = {name: _label_map(name, entry, taxonomies, path) for name, entry in content.maps.items()}
    return Vocabularies(taxonomies, label_maps, _synonyms(content.synonyms, taxonomies, path))


def _taxonomy(name: str, entry: _TaxonomyEntry, path: Path) -> Taxonomy:
    labels, where = entry.labels, f"taxonomies.{name}"
    _require(labels == sorted(set(labels)), path, f"{where}.labels", "sorted and unique labels", labels)
    plain = all(word == word.strip(WRAPPING).lower() and word for word in [*labels, *entry.aliases])
    _require(plain, path, where, "labels and aliases in lower case without quotes", labels)
    stray = sorted(set(entry.aliases.values()) - set(labels) | set(entry.aliases) & set(labels))
    _require(not stray, path, f"{where}.aliases", "other spellings of its labels", stray)
    return Taxonomy(name, entry.title, entry.source, tuple(labels), entry.aliases)


def _label_map(name: str, entry: _MapEntry, taxonomies: Mapping[str, Taxonomy], path: Path) -> LabelMap:
    for side in (entry.origin, entry.target):
        _require(side in taxonomies, path, f"maps.{name}", f"one of {', '.join(sorted(taxonomies))}", side)
    difference = sorted(set(entry.pairs) ^ set(taxonomies[entry.origin].labels))
    _require(not difference, path, f"maps.{name}.pairs", f"each label of {entry.origin} once", difference)
    pairs = {label: partner for label, partner in entry.pairs.items() if partner is not None}
    stray = sorted(set(pairs.values()) - set(taxonomies[entry.target].labels))
    _require(not stray, path, f"maps.{name}.pairs", f"labels of {entry.target}", stray)
    unmapped = tuple(sorted(set(entry.pairs) - set(pairs)))
    return LabelMap(name, entry.origin, entry.target, entry.source, pairs, unmapped, entry.notes)


def _synonyms(entry: _SynonymsEntry, taxonomies: Mapping[str, Taxonomy], path: Path) -> dict[str, tuple[str, ...]]:
    labels = {label for taxonomy in taxonomies.values() for label in taxonomy.labels}
    difference = sorted(set(entry.labels) ^ labels)
    _require(not difference, path, "synonyms.labels", "each label of every taxonomy once", difference)
    taken = set(labels)
    for label, words in entry.labels.items():
        distinct = len(set(words)) == len(words) == SYNONYMS_A_LABEL and not taken & set(words)
        expected = f"{SYNONYMS_A_LABEL} words that are nobody's label and no other label's synonyms"
        _require(distinct, path, f"synonyms.labels.{label}", expected, words)
        taken |= set(words)
    return {label: tuple(words) for label, words in entry.labels.items()}


def _require(holds: bool, path: Path, entry: str, expected: str, found: object) -> None:
    if not holds:
        raise SettingsError(f"{path}: {entry}: expected {expected}, found {found!r}. Mend that entry.")
