"""From what may be said to the phrases that say it: the slots of sentence patterns, and which fact each is of."""

import functools
import random

from tinyemo_data.synthesis.backends.rules import kinds
from tinyemo_data.synthesis.backends.rules.colour_slots import describe_palette
from tinyemo_data.synthesis.backends.rules.grammar import Phrase, Phrases
from tinyemo_data.synthesis.backends.rules.measures import Class
from tinyemo_data.synthesis.backends.rules.nouns import Name, join
from tinyemo_data.synthesis.backends.rules.people import describe_action, describe_face, describe_someone
from tinyemo_data.synthesis.backends.rules.sight import Sight

# The slots that tell each fact. A fact is told once in a description.
SLOTS = {
    "brightness": ("light_adjective", "a_light", "light_predicate", "light_noun"),
    "luma": ("luma",),
    "colourfulness": ("vivid_adjective", "a_vivid", "vivid_predicate", "vivid_noun"),
    "colours": ("colours", "colour", "palette", "much", "mostly", "lightest", "deepest"),
    "colour shares": ("colour_share",),
    "warmth": ("warmth", "other_warmth"),
    "shape": ("shape_adjective", "a_shape", "shape_predicate", "shape_noun"),
    "ratio": ("ratio",),
    "scene": ("place", "in_place"),
    "objects": ("things", "thing", "others"),
    "action": ("action", "someone"),
    "face": ("face",),
    "theme": ("theme",),
}
FACTS = {slot: fact for fact, slots in SLOTS.items() for slot in slots}
PREFIXES = {"brightness": "light", "colourfulness": "vivid", "shape": "shape"}
MOST_THINGS = 4  # named in one sentence


def describe(sight: Sight, rng: random.Random) -> dict[str, Phrases]:
    """Return the phrases of every slot that something is known for."""
    slots = _describe_measures(sight) | describe_palette(sight.palette) | _describe_things(sight, rng)
    if sight.scene is not None:
        slots["place"] = (sight.scene.phrase,)
        if sight.place is not None:
            slots["in_place"] = (in_place(sight.scene, sight.place),)
    if sight.action is not None:
        slots["someone"] = describe_someone(sight.action)
        doing = describe_action(sight.action)
        if doing is not None:
            slots["action"] = (Phrase(doing),)
    if sight.face is not None and not sight.face.is_felt:
        slots["face"] = (describe_face(sight.face),)
    if sight.theme is not None:
        slots["theme"] = (quote(sight.theme),)
    return slots


def _describe_measures(sight: Sight) -> dict[str, Phrases]:
    slots: dict[str, Phrases] = {}
    measured = {"brightness": sight.brightness, "colourfulness": sight.colourfulness, "shape": sight.shape}
    for measure, found in measured.items():
        if found is not None:
            slots |= measure_slots(measure, found)
    if sight.luma is not None:
        slots["luma"] = (Phrase(f"{sight.luma * 100:.0f} percent"),)
    if sight.ratio is not None:
        slots["ratio"] = (Phrase(sight.ratio),)
    return slots


def measure_slots(measure: str, found: Class) -> dict[str, Phrases]:
    """Return the slots of a class of `brightness`, `colourfulness` or `shape`."""
    prefix = PREFIXES[measure]
    return {
        f"{prefix}_adjective": found.adjectives,
        f"a_{prefix}": found.with_article,
        f"{prefix}_predicate": found.predicates,
        f"{prefix}_noun": found.nouns,
    }


def _describe_things(sight: Sight, rng: random.Random) -> dict[str, Phrases]:
    if not sight.things:
        return {}
    slots: dict[str, Phrases] = {"things": _selections(sight.things, rng), "thing": (sight.things[0].phrase,)}
    others = tuple(thing for thing in sight.things if kinds.thing_kind(thing) != "person")
    return {**slots, "others": _selections(others, rng)} if others else slots


def in_place(scene: Name, place: kinds.Place) -> Phrase:
    """Return a scene with its preposition: `by a lake`, `in the mountains`."""
    phrase = scene.phrase
    return Phrase(f"{place.preposition} {f'the {scene.text}' if phrase.plural else phrase.text}")


def quote(name: Name) -> Phrase:
    """Return a name as it is, in quotation marks: right for words of any kind."""
    return Phrase(f'"{name.text}"')


def _selections(things: tuple[Name, ...], rng: random.Random) -> Phrases:
    """Return two ways of naming some of the things, each in an order of its own."""
    return tuple(name_things(_some(things, rng)) for _ in range(2))


def _some(things: tuple[Name, ...], rng: random.Random) -> list[Name]:
    rest, chosen = list(things), list[Name]()
    count = 1 + int(rng.random() * min(MOST_THINGS, len(rest)))
    while len(chosen) < count:
        chosen.append(rest.pop(int(rng.random() * len(rest))))
    return chosen


def name_things(things: list[Name]) -> Phrase:
    """Return things as one phrase."""
    phrases = [thing.phrase for thing in things]
    return Phrase(join([phrase.text for phrase in phrases]), len(phrases) > 1 or phrases[0].plural)


@functools.lru_cache(maxsize=4096)
def facts_of(slots: frozenset[str]) -> frozenset[str]:
    """Return the facts that slots tell."""
    return frozenset(FACTS[slot] for slot in slots)
