"""What of a picture may speak for an emotion: things that can be pointed at, and what they may do."""

import functools
import random
from dataclasses import dataclass

from tinyemo_data.synthesis.backends.rules import kinds
from tinyemo_data.synthesis.backends.rules.colour_names import temperature
from tinyemo_data.synthesis.backends.rules.grammar import Phrase, Phrases
from tinyemo_data.synthesis.backends.rules.lexicon import Emotion
from tinyemo_data.synthesis.backends.rules.nouns import Name
from tinyemo_data.synthesis.backends.rules.people import describe_face, describe_someone
from tinyemo_data.synthesis.backends.rules.sight import Sight
from tinyemo_data.synthesis.backends.rules.slots import in_place, quote

CONCRETE = ("face", "pose", "thing", "place", "theme")  # what a trigger is before light and colour are
RUN = 3  # words: two effects that share so many sound like one said twice
SHADES = 2  # of a family that are named one by one


@dataclass(frozen=True, slots=True)
class Evidence:
    """Something to point at: its names, and the keys under which emotions have entries for it."""

    kind: str
    keys: tuple[tuple[str, str], ...]  # the first that an emotion has an entry for counts
    subjects: Phrases


@dataclass(frozen=True, slots=True)
class Cue:
    """Something to point at and what it may contribute to one emotion."""

    kind: str
    subjects: Phrases
    effects: Phrases


def gather(sight: Sight) -> list[Evidence]:
    """Return all that can be pointed at, what is concrete first."""
    found = [*_people(sight), *(_thing(thing) for thing in sight.things), *_setting(sight), *_theme(sight)]
    for kind, measured in (("light", sight.brightness), ("colour", sight.colourfulness)):
        if measured is not None:
            found.append(Evidence(kind, ((kind, measured.level),), measured.nouns))
    return found + _hue(sight)


def cues_of(emotion: Emotion, evidence: list[Evidence]) -> list[Cue]:
    """Return what speaks for an emotion, in the order of the evidence."""
    found = []
    for item in evidence:
        effects = next((emotion.effects[key] for key in item.keys if key in emotion.effects), None)
        if effects is not None:
            found.append(Cue(item.kind, item.subjects, effects))
    return found


def silent(emotion: Emotion, evidence: list[Evidence]) -> list[Evidence]:
    """Return what says nothing about an emotion."""
    return [item for item in evidence if not any(key in emotion.effects for key in item.keys)]


def draw_cues(cues: list[Cue], count: int, rng: random.Random, after: tuple[Cue, ...] = ()) -> list[Cue]:
    """Draw up to `count` cues, concrete ones twice as likely, each with one effect that sounds like no other's.

    Nor does it sound like the effects of the cues that come before them (`after`).
    """
    rest, chosen = list(cues), list[Cue]()
    told = frozenset[str]().union(*(_runs(effect.text) for cue in after for effect in cue.effects))
    while rest and len(chosen) < count:
        cue = rest.pop(_draw_place(rest, rng))
        fresh = [effect for effect in cue.effects if told.isdisjoint(_runs(effect.text))]
        if fresh:
            effect = fresh[int(rng.random() * len(fresh))]
            told |= _runs(effect.text)
            chosen.append(Cue(cue.kind, cue.subjects, (effect,)))
    return chosen


def _draw_place(cues: list[Cue], rng: random.Random) -> int:
    weights = [2 if cue.kind in CONCRETE else 1 for cue in cues]
    place, at = 0, rng.random() * sum(weights)
    while at >= weights[place]:
        at -= weights[place]
        place += 1
    return place


@functools.cache
def _runs(effect: str) -> frozenset[str]:
    """Return the runs of three words in an effect; of a shorter one, all of it."""
    words = effect.split()
    return frozenset(" ".join(words[place : place + RUN]) for place in range(max(1, len(words) - RUN + 1)))


def _people(sight: Sight) -> list[Evidence]:
    found = []
    if sight.face is not None:
        keys = (("face", sight.face.kind),) if sight.face.kind else ()
        found.append(Evidence("face", keys, (describe_face(sight.face),)))
    if sight.action is not None:
        kind = kinds.pose_kind(sight.action)
        found.append(Evidence("pose", (("pose", kind),) if kind else (), describe_someone(sight.action)))
    return found


def _thing(thing: Name) -> Evidence:
    kind = kinds.thing_kind(thing)
    return Evidence("thing", (("thing", kind),) if kind else (), (thing.phrase,))


def _setting(sight: Sight) -> list[Evidence]:
    if sight.scene is None:
        return []
    place, phrase = sight.place, sight.scene.phrase
    if place is None:
        return [Evidence("place", (), (Phrase(f"{phrase.text} as the setting", phrase.plural),))]
    where = in_place(sight.scene, place).text
    return [Evidence("place", (("place", place.kind),), (Phrase(f"the setting {where}"), Phrase(f"a setting {where}")))]


def _theme(sight: Sight) -> list[Evidence]:
    if sight.theme is None:
        return []
    thing, pose, place = kinds.thing_kind(sight.theme), kinds.pose_kind(sight.theme), kinds.place_of(sight.theme)
    named = (("thing", thing), ("place", place.kind if place else None), ("pose", pose))
    quoted = quote(sight.theme).text
    subjects = (Phrase(f"the theme {quoted}"), Phrase(f"the subject {quoted}"))
    return [Evidence("theme", tuple((kind, key) for kind, key in named if key), subjects)]


def _hue(sight: Sight) -> list[Evidence]:
    family = sight.palette.leading_family
    if family is None:
        return []
    shades = [colour.name for colour in sight.palette.colours if colour.family == family][:SHADES]
    subjects = [Phrase(f"{family} tones", plural=True), *(Phrase(f"tones of {shade}", plural=True) for shade in shades)]
    return [Evidence("hue", (("hue", family), ("hue", temperature(family))), tuple(subjects))]
