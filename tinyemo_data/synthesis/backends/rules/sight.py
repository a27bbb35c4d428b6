"""What may be said of a picture: its facts, read with care.

A fact that is absent, out of range or no name is nothing; so is a name that would give an emotion away. What is left is
true as far as the facts are, and everything that a sentence claims comes from here.
"""

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tinyemo_data.synthesis.backends.rules import kinds
from tinyemo_data.synthesis.backends.rules.emotion_words import names_emotion
from tinyemo_data.synthesis.backends.rules.measures import Class, classify, ratio_of, shape_of
from tinyemo_data.synthesis.backends.rules.nouns import Name, read_name
from tinyemo_data.synthesis.backends.rules.numbers import read_number, read_pixels
from tinyemo_data.synthesis.backends.rules.palette import Palette, read_palette

MOST_THINGS = 12  # of an object list that are spoken of
WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class Face:
    """A facial expression: its kind where it is known, and whether it was given as a feeling."""

    name: Name
    kind: str | None
    is_felt: bool


@dataclass(frozen=True, slots=True)
class Sight:
    """All that may be said of one picture."""

    luma: float | None
    brightness: Class | None
    colourfulness: Class | None
    palette: Palette
    shape: Class | None
    ratio: str | None
    scene: Name | None
    place: kinds.Place | None  # of a scene that is in the table
    things: tuple[Name, ...]
    action: Name | None
    face: Face | None
    theme: Name | None
    known_words: frozenset[str]  # every word of every name, said or not

    def absent_things(self) -> list[str]:
        """Return things of the table that the object list excludes, and that nothing known of it hints at."""
        if not self.things:
            return []
        return [name for name, kin in kinds.absent_things().items() if not kin & self.known_words]


def see(facts: Mapping[str, Any]) -> Sight:
    """Read the facts of a request's `known`: the fields of `subject.Facts`, lists where it has tuples."""
    width, height = read_pixels(facts.get("width")), read_pixels(facts.get("height"))
    objects = [word for word in facts.get("objects") or () if isinstance(word, str)]
    scene, luma = _said(facts.get("scene")), read_number(facts.get("brightness"), 0, 1)
    others = (facts.get(key) for key in ("scene", "human_action", "theme", "facial_expression"))
    return Sight(
        luma=luma,
        brightness=classify("brightness", luma),
        colourfulness=classify("colourfulness", read_number(facts.get("colourfulness"), 0)),
        palette=read_palette(facts.get("dominant_colours") or ()),
        shape=shape_of(width, height),
        ratio=ratio_of(width, height) if width and height else None,
        scene=scene,
        place=kinds.place_of(scene) if scene else None,
        things=tuple(dict.fromkeys(name for word in objects if (name := _said(word))))[:MOST_THINGS],
        action=_said(facts.get("human_action")),
        face=_face(facts.get("facial_expression")),
        theme=_said(facts.get("theme")),
        known_words=_words(tuple(word for word in (*others, *objects) if isinstance(word, str))),
    )


def _said(raw: Any) -> Name | None:
    """Return a name that may be said: none that names an emotion."""
    name = read_name(raw) if isinstance(raw, str) else None
    return None if name is None or names_emotion(name.text) else name


def _face(raw: Any) -> Face | None:
    name = read_name(raw) if isinstance(raw, str) else None
    if name is None:
        return None
    kind, is_felt = kinds.face_kind(name) or (None, False)
    return None if names_emotion(name.text) and not is_felt else Face(name, kind, is_felt)


@functools.lru_cache(maxsize=65_536)
def _words(names: tuple[str, ...]) -> frozenset[str]:
    """Return the words of names, and their singulars."""
    words = {word for name in names for word in WORD.findall(name.lower())}
    return frozenset(words | {word[:-1] for word in words if word.endswith("s")})
