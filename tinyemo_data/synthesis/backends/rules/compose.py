"""Small steps that all tasks share: a sentence from a pool, and the slots that a cue brings."""

import random
from collections.abc import Sequence

from tinyemo_data.synthesis.backends.rules.evidence import Cue, Evidence
from tinyemo_data.synthesis.backends.rules.filling import fill, pick
from tinyemo_data.synthesis.backends.rules.grammar import Pattern, Phrase, Phrases, Slots
from tinyemo_data.synthesis.backends.rules.wording import pool


def say(file: str, name: str, slots: Slots, rng: random.Random) -> str:
    """Return a sentence of a pool by a pattern that needs no other slots than these; there must be one."""
    return fill(pick(pool(file, name).fitting(frozenset(slots)), rng), slots, rng)


def say_afresh(file: str, name: str, slots: Slots, rng: random.Random, used: set[Pattern]) -> str:
    """Return a sentence by a pattern that was not used before, as long as there is one; note it as used."""
    fitting = pool(file, name).fitting(frozenset(slots))
    pattern = pick([one for one in fitting if one not in used] or fitting, rng)
    used.add(pattern)
    return fill(pattern, slots, rng)


def can_say(file: str, name: str, slots: frozenset[str]) -> bool:
    """Tell whether a pool has a pattern that needs no other slots than these."""
    return bool(pool(file, name).fitting(slots))


def one_of(phrases: Phrases, rng: random.Random) -> Phrase:
    """Return one of the phrases."""
    return phrases[int(rng.random() * len(phrases))]


def cue_slots(cue: Cue, rng: random.Random, suffix: str = "") -> dict[str, Phrases]:
    """Return the slots of one cue: what it is called, what it may do, and its pronoun."""
    subject = one_of(cue.subjects, rng)
    it = Phrase("they" if subject.plural else "it", subject.plural)
    return {f"subject{suffix}": (subject,), f"effect{suffix}": cue.effects, f"it{suffix}": (it,)}


def counter_slots(silent: Sequence[Evidence], rng: random.Random) -> dict[str, Phrases]:
    """Return the slot of something that does not speak for the label; none where everything does."""
    return {"counter": silent[int(rng.random() * len(silent))].subjects} if silent else {}
