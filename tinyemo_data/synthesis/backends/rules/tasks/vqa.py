"""Questions about what can be seen, each with an answer that the facts bear out.

Open questions ask for a fact; the others are answered by yes, where the fact is as asked, or by no, where what is known
excludes it for sure.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from tinyemo_data.synthesis.backends.rules.colour_names import families
from tinyemo_data.synthesis.backends.rules.compose import can_say, one_of, say
from tinyemo_data.synthesis.backends.rules.contrast import absent_thing, other_place
from tinyemo_data.synthesis.backends.rules.filling import fill, pick
from tinyemo_data.synthesis.backends.rules.grammar import Phrase, Phrases, Slots
from tinyemo_data.synthesis.backends.rules.narrative import tell
from tinyemo_data.synthesis.backends.rules.nouns import read_name
from tinyemo_data.synthesis.backends.rules.question import Question
from tinyemo_data.synthesis.backends.rules.slots import FACTS, name_things
from tinyemo_data.synthesis.backends.rules.wording import pool

MORE = 0.6  # how often a further sentence follows the answer
OPEN = ("brightness", "colours", "colourfulness", "orientation", "ratio", "range", "warmth", "setting", "objects",
        "action", "face", "theme")  # fmt: skip
OPPOSITE = {"dark": "bright", "bright": "dark"}


@dataclass(frozen=True, slots=True)
class Asked:
    """One possible question: its pool, that of its answer, and the slots of both."""

    question: str
    answer: str
    slots: Slots


def answer(question: Question) -> dict[str, Any]:
    """Return a question and its answer."""
    rng = question.rng
    possible = [found for kind in KINDS if (found := kind(question)) is not None]
    asked = possible[int(rng.random() * len(possible))]
    pattern = pick(pool("vqa", asked.answer).fitting(frozenset(asked.slots)), rng)
    sentences = [fill(pattern, asked.slots, rng)]
    if rng.random() < MORE:
        told = {FACTS[slot] for slot in pattern.slots if slot in FACTS} | set(ABOUT.get(asked.answer, ()))
        sentences += tell(question.slots, rng, 1, frozenset(told))
    return {"question": say("vqa", asked.question, asked.slots, rng), "answer": " ".join(sentences)}


def _open(kind: str, question: Question) -> Asked | None:
    slots = frozenset(question.slots)
    if can_say("vqa", f"{kind} question", slots) and can_say("vqa", f"{kind} answer", slots):
        return Asked(f"{kind} question", f"{kind} answer", question.slots)
    return None


def _brightness_check(question: Question) -> Asked | None:
    found = question.sight.brightness
    if found is None or found.level not in OPPOSITE:
        return None
    if question.rng.random() < 0.5:
        return _asked(question, "brightness check", "brightness yes", found.adjectives)
    return _asked(question, "brightness check", "brightness no", (Phrase(OPPOSITE[found.level]),))


def _main_colour(question: Question) -> Asked | None:
    family = question.sight.palette.leading_family
    shades = _shades(question, family) if family else ()
    if family is None or not shades:
        return None
    slots = {**question.slots, "family": (Phrase(family),), "shade": shades}
    return Asked("main colour question", "main colour answer", slots)


def _mostly(question: Question) -> Asked | None:
    sight, rng = question.sight, question.rng
    prevailing = sight.palette.prevailing_family
    if prevailing is not None and rng.random() < 0.5:
        shades = _shades(question, prevailing)
        return _asked(question, "mostly", "mostly yes", (Phrase(prevailing),), shade=shades) if shades else None
    others = [Phrase(family) for family in families() if sight.palette.surely_not_mostly(family)]
    return _asked(question, "mostly", "mostly no", (one_of(others, rng),)) if others else None


def _setting_check(question: Question) -> Asked | None:
    if "place" not in question.slots:
        return None
    if question.rng.random() < 0.5:
        return Asked("setting yes question", "setting yes answer", question.slots)
    place = other_place(question.sight, question.rng)
    other = read_name(place) if place is not None else None
    return _asked(question, "setting no", "setting no", (other.phrase,)) if other is not None else None


def _object_check(question: Question) -> Asked | None:
    sight, rng = question.sight, question.rng
    if not sight.things:
        return None
    if rng.random() < 0.5:
        thing = sight.things[int(rng.random() * len(sight.things))]
        others = [other for other in sight.things if other is not thing]
        extra = {"others_than_asked": (name_things(others[:2]),)} if others else {}
        return _asked(question, "object yes", "object yes", (thing.phrase,), **extra)
    absent = absent_thing(sight, rng)
    return _asked(question, "object no", "object no", (absent,)) if absent is not None else None


def _asked(question: Question, asked: str, answered: str, about: Phrases, **extra: Phrases) -> Asked:
    slots = {**question.slots, "asked": (one_of(about, question.rng),), **extra}
    return Asked(f"{asked} question", f"{answered} answer", slots)


def _shades(question: Question, family: str) -> Phrases:
    return tuple(Phrase(colour.name) for colour in question.sight.palette.colours if colour.family == family)[:2]


KINDS: tuple[Callable[[Question], Asked | None], ...] = (
    *(partial(_open, kind) for kind in OPEN),
    _brightness_check, _main_colour, _mostly, _setting_check, _object_check,
)  # fmt: skip
# The facts that an answer is about, besides those that its words tell: none of them is said once more.
ABOUT: dict[str, tuple[str, ...]] = {
    "brightness answer": ("brightness", "luma"),
    "brightness yes answer": ("brightness", "luma"),
    "brightness no answer": ("brightness", "luma"),
    "main colour answer": ("colours", "colour shares"),
    "mostly yes answer": ("colours", "colour shares"),
    "mostly no answer": ("colours", "colour shares"),
    "orientation answer": ("shape", "ratio"),
    "ratio answer": ("shape", "ratio"),
    "setting no answer": ("scene",),
    "object yes answer": ("objects",),
    "object no answer": ("objects",),
}
