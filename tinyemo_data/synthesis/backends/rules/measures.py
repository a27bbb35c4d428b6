"""What is measured of a picture, in words: the classes of `measures.yaml`."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import yaml

from tinyemo_data.synthesis.backends.rules.grammar import Phrase
from tinyemo_data.synthesis.backends.rules.nouns import article

MEASURES = Path(__file__).with_name("measures.yaml")
HIGHEST_TERM = 5  # of a ratio of sides in small numbers
NEAR = 0.02  # relative error up to which a ratio is said to be that of two small numbers


@dataclass(frozen=True, slots=True)
class Class:
    """A range of a measure and the phrases that name it."""

    name: str
    level: str  # dark, medium, bright; muted, medium, vivid; tall, even, wide
    adjectives: tuple[Phrase, ...]
    with_article: tuple[Phrase, ...]  # the adjectives behind `a` or `an`
    predicates: tuple[Phrase, ...]
    nouns: tuple[Phrase, ...]


def classify(measure: str, value: float | None) -> Class | None:
    """Return the class of a value of `brightness` (0–1) or `colourfulness` (M3, from 0)."""
    return None if value is None else next(found for below, found in _classes(measure) if value < below)


def shape_of(width: int | None, height: int | None) -> Class | None:
    """Return whether a picture is tall, even or wide; None where its size is not known."""
    if not width or not height:
        return None
    ratio, square = width / height, float(_file()["shape"]["square"])
    if 1 / (1 + square) <= ratio <= 1 + square:
        return _shapes()["even"]
    return _shapes()["wide" if ratio > 1 else "tall"]


@functools.lru_cache(maxsize=4096)
def ratio_of(width: int, height: int) -> str:
    """Return the ratio of the sides, the longer first: `5 to 4`, or `about 3 to 2`, or `1.27 to 1`."""
    ratio = max(width, height) / min(width, height)
    near = Fraction(ratio).limit_denominator(HIGHEST_TERM)
    if abs(float(near) - ratio) <= NEAR * ratio:
        exact = near == Fraction(max(width, height), min(width, height))
        return f"{'' if exact else 'about '}{near.numerator} to {near.denominator}"
    return f"about {ratio:.2f} to 1"


def classes(measure: str) -> list[Class]:
    """Return all classes of `brightness` or `colourfulness`, from the lowest."""
    return [found for _, found in _classes(measure)]


@functools.cache
def shapes() -> list[Class]:
    """Return the classes of a picture's shape."""
    return list(_shapes().values())


@functools.cache
def _classes(measure: str) -> tuple[tuple[float, Class], ...]:
    return tuple((float(entry["below"]), _class(name, entry)) for name, entry in _file()[measure].items())


@functools.cache
def _shapes() -> dict[str, Class]:
    return {name: _class(name, entry) for name, entry in _file()["shape"].items() if name != "square"}


def _class(name: str, entry: Mapping[str, Any]) -> Class:
    adjectives: list[str] = entry["adjective"]
    return Class(
        name=name,
        level=entry.get("level", name),
        adjectives=tuple(Phrase(word) for word in adjectives),
        with_article=tuple(Phrase(f"{article(word)} {word}") for word in adjectives),
        predicates=tuple(Phrase(words) for words in entry["predicate"]),
        nouns=tuple(Phrase(words, number == "many") for noun in entry["noun"] for number, words in noun.items()),
    )


@functools.cache
def _file() -> Any:
    return yaml.safe_load(MEASURES.read_text(encoding="utf-8"))
