"""A true and a false statement that differ in one claim: a fact or the feeling, swapped for what is surely not so."""

import random
from typing import Any

from tinyemo_data.errors import RulesError
from tinyemo_data.synthesis.backends.rules.compose import one_of, say
from tinyemo_data.synthesis.backends.rules.contrast import false_slots, other_label
from tinyemo_data.synthesis.backends.rules.filling import fill_clause, finish, pick
from tinyemo_data.synthesis.backends.rules.grammar import Pattern, Phrase, Slots
from tinyemo_data.synthesis.backends.rules.lexicon import emotion
from tinyemo_data.synthesis.backends.rules.question import Question
from tinyemo_data.synthesis.backends.rules.slots import FACTS
from tinyemo_data.synthesis.backends.rules.wording import pool

FEELING_SWAPPED = 0.4  # how often the feeling is what is false, where a fact could be
BEFORE = 0.75  # how often a statement begins with something else that is true
SEEDS = 2**53
FACT_OF = {**FACTS, "label": "feeling", "leading": "most frequent colour"}
# Facts that would give away that another one is false.
RELATED = {"brightness": ("luma",), "shape": ("ratio",), "most frequent colour": ("colours", "warmth")}
# The shortest form of a fact, in which it is said what was false, and what it is called.
SHORT = {
    "brightness": ("light_adjective", "brightness"),
    "colourfulness": ("vivid_adjective", "colourfulness"),
    "shape": ("shape_adjective", "format"),
    "colours": ("mostly", "prevailing colour"),
    "most frequent colour": ("leading", "most frequent colour"),
    "objects": ("thing", "thing shown"),
    "scene": ("place", "setting"),
    "feeling": ("label", "feeling"),
}


def answer(question: Question) -> dict[str, Any]:
    """Return both statements and what is false in the second one. Raises RulesError where nothing can be swapped."""
    rng = question.rng
    true, false = _fixed(_true_slots(question), rng), _fixed(_false_slots(question), rng)
    pattern = _draw(pool("statements", "statement").fitting(frozenset(true)), false, rng)
    if pattern is None:
        raise RulesError(
            f"Nothing known of this picture can be swapped for what is surely false, nor can '{question.named}'. Give "
            "the request its taxonomy or more facts."
        )
    fact = _swapped(pattern, false, rng)
    swapped = {name: phrases for name, phrases in false.items() if FACT_OF[name] == fact}
    seed, before = int(rng.random() * SEEDS), _before(pattern, true, rng)
    return {
        "true_statement": _state(before, pattern, true, seed),
        "false_statement": _state(before, pattern, {**true, **swapped}, seed),
        "what_is_false": _correct(fact, true, false, rng),
    }


def _true_slots(question: Question) -> Slots:
    slots = {**question.slots, "label": emotion(question.named).named}
    family = question.sight.palette.leading_family
    return {**slots, "leading": (Phrase(family),)} if family is not None else slots


def _false_slots(question: Question) -> Slots:
    slots = false_slots(question.sight, question.rng)
    other = other_label(question.named, question.taxonomy, question.rng)
    return {**slots, "label": emotion(other).named} if other is not None else slots


def _fixed(slots: Slots, rng: random.Random) -> dict[str, tuple[Phrase]]:
    """Return one phrase a slot, so that both statements say the rest in the same words."""
    return {name: (one_of(phrases, rng),) for name, phrases in slots.items()}


def _draw(patterns: tuple[Pattern, ...], false: Slots, rng: random.Random) -> Pattern | None:
    """Draw a pattern with a slot that can be swapped."""
    possible = [pattern for pattern in patterns if not pattern.slots.isdisjoint(false)]
    return possible[int(rng.random() * len(possible))] if possible else None


def _before(pattern: Pattern, true: Slots, rng: random.Random) -> str:
    """Return what may stand before a statement, of facts that it does not tell; often nothing."""
    facts = {FACT_OF[slot] for slot in pattern.slots}
    facts |= {related for fact in facts for related in RELATED.get(fact, ())}
    others = frozenset(slot for slot in true if FACT_OF[slot] not in facts)
    fitting = pool("statements", "before").fitting(others)
    return f"{fill_clause(pick(fitting, rng), true, rng)} " if fitting and rng.random() < BEFORE else ""


def _state(before: str, pattern: Pattern, slots: Slots, seed: int) -> str:
    """Return a statement; equal seeds give equal alternatives."""
    clause = fill_clause(pattern, slots, random.Random(seed))
    return finish(before + clause[:1].lower() + clause[1:])


def _swapped(pattern: Pattern, false: Slots, rng: random.Random) -> str:
    """Draw the fact of a pattern that is swapped."""
    facts = sorted({FACT_OF[slot] for slot in pattern.slots if slot in false})
    if len(facts) > 1 and "feeling" in facts:
        facts = ["feeling"] if rng.random() < FEELING_SWAPPED else [fact for fact in facts if fact != "feeling"]
    return facts[int(rng.random() * len(facts))]


def _correct(fact: str, true: Slots, false: Slots, rng: random.Random) -> str:
    slot, called = SHORT[fact]
    return say(
        "statements", "what was false", {"fact": (Phrase(called),), "right": true[slot], "wrong": false[slot]}, rng
    )
