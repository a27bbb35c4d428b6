"""Descriptions: several sentences of which each tells facts that none before it told."""

import functools
import random

from tinyemo_data.synthesis.backends.rules.filling import fill, pick
from tinyemo_data.synthesis.backends.rules.grammar import Pattern, Slots
from tinyemo_data.synthesis.backends.rules.slots import FACTS, facts_of
from tinyemo_data.synthesis.backends.rules.wording import Pool, pool

# What a description begins with where it is known, and how often: the rest of the facts follow.
FOREGROUND = frozenset({"objects", "scene", "action", "face", "theme"})
FOREGROUND_FIRST = 0.75
PEOPLE = frozenset({"action", "face"})  # facts that tell of a person


def narrate(slots: Slots, rng: random.Random, sentences: int) -> list[str]:
    """Return up to `sentences` sentences about what the slots tell; fewer where less is known.

    No fact is told twice. Where nothing is known there is no sentence.
    """
    return tell(slots, rng, sentences, frozenset())


def tell(slots: Slots, rng: random.Random, sentences: int, told: frozenset[str]) -> list[str]:
    """Return up to `sentences` sentences about what the slots tell besides the facts that were `told` before."""
    found: list[str] = []
    while len(found) < sentences:
        slots, told = (_without_people(slots), told) if told & PEOPLE else (slots, told)
        is_first = not found and not told
        pattern = _next(
            pool("caption", "opening" if is_first else "further"), without(frozenset(slots), told), rng, is_first
        )
        if pattern is None:
            break
        found.append(fill(pattern, slots, rng))
        told |= facts_of(pattern.slots)
    return found


def _without_people(slots: Slots) -> Slots:
    """Leave persons out of the objects: who was told of as doing something is not counted once more."""
    if "things" not in slots:
        return slots
    rest = {name: phrases for name, phrases in slots.items() if name not in ("things", "thing")}
    return {**rest, "things": slots["others"]} if "others" in slots else rest


def _next(patterns: Pool, untold: frozenset[str], rng: random.Random, is_first: bool) -> Pattern | None:
    fitting = patterns.fitting(untold)
    if is_first and rng.random() < FOREGROUND_FIRST:
        fitting = _foreground(fitting) or fitting
    return pick(fitting, rng) if fitting else None


@functools.lru_cache(maxsize=1024)
def _foreground(patterns: tuple[Pattern, ...]) -> tuple[Pattern, ...]:
    return tuple(pattern for pattern in patterns if facts_of(pattern.slots) & FOREGROUND)


@functools.lru_cache(maxsize=16_384)
def without(slots: frozenset[str], facts: frozenset[str]) -> frozenset[str]:
    """Return the slots that tell none of these facts."""
    return frozenset(slot for slot in slots if FACTS[slot] not in facts)
