"""What is surely not so: things, places, measures and feelings that what is known of a picture excludes."""

import random

from tinyemo_data.synthesis.backends.rules import kinds, measures
from tinyemo_data.synthesis.backends.rules.grammar import Phrase, Phrases
from tinyemo_data.synthesis.backends.rules.lexicon import contrary_labels
from tinyemo_data.synthesis.backends.rules.measures import Class
from tinyemo_data.synthesis.backends.rules.nouns import read_name
from tinyemo_data.synthesis.backends.rules.sight import Sight
from tinyemo_data.synthesis.backends.rules.slots import in_place, measure_slots

# The levels of a measure that are surely other ones than each; of a middle one both ends are.
FAR = {
    "dark": ("bright",), "bright": ("dark",), "muted": ("vivid",), "vivid": ("muted",),
    "medium": ("dark", "bright", "muted", "vivid"),
}  # fmt: skip
# A nearly square picture may be wider or taller by a hair: it has no other shape that is surely false.
OTHER_SHAPE = {"wide": "tall", "tall": "wide"}


def absent_thing(sight: Sight, rng: random.Random) -> Phrase | None:
    """Return something that the object list excludes, with its article; None where there is no such list."""
    absent = sight.absent_things()
    return _named(absent[int(rng.random() * len(absent))]) if absent else None


def other_place(sight: Sight, rng: random.Random) -> str | None:
    """Return a place that the scene is surely not; None for a scene of no known kind."""
    if sight.place is None:
        return None
    others = [place for place in kinds.unlike(sight.place.kind) if not set(place.split()) & sight.known_words]
    return others[int(rng.random() * len(others))] if others else None


def other_class(measure: str, found: Class, rng: random.Random) -> Class | None:
    """Return an outermost class of a measure that a picture of this class is surely not in; the other shape."""
    if measure == "shape":
        return next((shape for shape in measures.shapes() if shape.name == OTHER_SHAPE.get(found.name)), None)
    every = measures.classes(measure)
    ends = [end for end in (every[0], every[-1]) if end.level in FAR[found.level]]
    return ends[int(rng.random() * len(ends))]


def other_label(label: str, taxonomy_name: str | None, rng: random.Random) -> str | None:
    """Return a label that is surely another feeling; None where the taxonomy is not known."""
    others = contrary_labels(label, taxonomy_name)
    return others[int(rng.random() * len(others))] if others else None


def false_slots(sight: Sight, rng: random.Random) -> dict[str, Phrases]:
    """Return phrases of slots (slots.py, and `leading`) that are surely false of the picture."""
    slots: dict[str, Phrases] = {}
    measured = {"brightness": sight.brightness, "colourfulness": sight.colourfulness, "shape": sight.shape}
    for measure, found in measured.items():
        other = other_class(measure, found, rng) if found is not None else None
        if other is not None:
            slots |= measure_slots(measure, other)
    for slot, family in (("leading", sight.palette.leading_family), ("mostly", sight.palette.prevailing_family)):
        others = [other for other in sight.palette.families if family is not None and other != family]
        if others:
            slots[slot] = tuple(map(Phrase, others))
    absent, place = absent_thing(sight, rng), other_place(sight, rng)
    if absent is not None:
        slots["thing"] = (absent,)
    if place is not None:
        slots |= _place_slots(place)
    return slots


def _place_slots(place: str) -> dict[str, Phrases]:
    name = read_name(place)
    known = kinds.place_of(name) if name is not None else None
    if name is None or known is None:
        return {}
    return {"place": (name.phrase,), "in_place": (in_place(name, known),)}


def _named(name: str) -> Phrase:
    found = read_name(name)
    return found.phrase if found is not None else Phrase(name)
