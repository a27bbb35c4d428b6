"""Filling a sentence pattern: alternatives are drawn, slots get phrases, verbs agree with them."""

import functools
import random
from collections.abc import Callable, Sequence

from tinyemo_data.synthesis.backends.rules.grammar import Choice, Part, Pattern, Phrase, Slots

IRREGULAR = {"be": ("is", "are"), "have": ("has", "have")}


def fill(pattern: Pattern, slots: Slots, rng: random.Random) -> str:
    """Return the pattern as a sentence: capital first, a full stop last where it has no other end.

    Every slot of the pattern must be in `slots`; a slot that comes twice is filled with the same phrase twice.
    """
    return finish(fill_clause(pattern, slots, rng))


def fill_clause(pattern: Pattern, slots: Slots, rng: random.Random) -> str:
    """Return the pattern filled, as it stands inside a sentence."""
    out: list[str] = []
    _fill(pattern.parts, slots, rng.random, {}, out)
    return "".join(out)


def _fill(
    parts: Sequence[Part], slots: Slots, draw: Callable[[], float], chosen: dict[str, Phrase], out: list[str]
) -> None:
    for part in parts:
        if isinstance(part, str):
            out.append(part)
        elif isinstance(part, Choice):
            options = part.options
            _fill(options[int(draw() * len(options))], slots, draw, chosen, out)
        else:
            phrase = chosen.get(part.name)
            if phrase is None:
                phrases = slots[part.name]
                phrase = chosen[part.name] = phrases[int(draw() * len(phrases))]
            out.append(phrase.text if part.verb is None else conjugate(part.verb, phrase.plural))


def finish(text: str) -> str:
    """Return a sentence with a capital and an end."""
    text = text.strip()
    end = "" if text[-1:] in ".?!" or text[-2:] == '."' else "."
    return text[:1].upper() + text[1:] + end


@functools.cache
def conjugate(verb: str, plural: bool) -> str:
    """Return a verb's present tense in the third person: `tend` gives `tends` for one and `tend` for many."""
    if verb in IRREGULAR:
        return IRREGULAR[verb][plural]
    if plural:
        return verb
    if verb[-1] == "y" and verb[-2] not in "aeiou":
        return f"{verb[:-1]}ies"
    return f"{verb}es" if verb.endswith(("s", "x", "z", "ch", "sh", "o")) else f"{verb}s"


def pick(options: Sequence[Pattern], rng: random.Random) -> Pattern:
    """Return one of the patterns."""
    return options[int(rng.random() * len(options))]
