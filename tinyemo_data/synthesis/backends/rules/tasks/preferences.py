"""Two answers of which one is better: grounded in the picture, against one with a planted flaw that is named.

The flaws are those of careless answers: another label than the picture's, a thing that is not there, no ground at all.
"""

from collections.abc import Callable
from typing import Any

from tinyemo_data.synthesis.backends.rules.compose import cue_slots, say
from tinyemo_data.synthesis.backends.rules.contrast import absent_thing, other_label
from tinyemo_data.synthesis.backends.rules.evidence import Cue, draw_cues
from tinyemo_data.synthesis.backends.rules.explanation import explain_by
from tinyemo_data.synthesis.backends.rules.grammar import Phrases
from tinyemo_data.synthesis.backends.rules.kinds import thing_kind
from tinyemo_data.synthesis.backends.rules.narrative import narrate
from tinyemo_data.synthesis.backends.rules.nouns import read_name
from tinyemo_data.synthesis.backends.rules.question import Question, case_for

CUES = 2  # of each answer, at most

Flawed = tuple[str, str]  # the answer and what is wrong with it


def answer(question: Question) -> dict[str, Any]:
    """Return a grounded answer, a flawed one and the flaw; each names its label once."""
    chosen = " ".join([*narrate(question.slots, question.rng, 1), *_argue(question, question.named)])
    possible = [flawed for flaw in FLAWS if (flawed := flaw(question)) is not None]
    rejected, flaw = possible[int(question.rng.random() * len(possible))]
    return {"chosen": chosen, "rejected": rejected, "flaw": flaw}


def _argue(question: Question, label: str) -> list[str]:
    """Return sentences on how what is seen leads to a label."""
    case, rng = case_for(question, label), question.rng
    cues = draw_cues(case.cues, CUES, rng)
    slots = {**question.slots, "label": case.emotion.named}
    if not cues:
        return [say("sqa", "weak answer", slots, rng)]
    return [say("sqa", "answer", slots | cue_slots(cues[0], rng), rng), *explain_by(question, cues[1:])]


def _wrong_label(question: Question) -> Flawed | None:
    other = other_label(question.named, question.taxonomy, question.rng)
    if other is None:
        return None
    return " ".join(_argue(question, other)), f"wrong label: it argues for {other}, and the label is {question.named}"


def _invented_object(question: Question) -> Flawed | None:
    invented = absent_thing(question.sight, question.rng)
    if invented is None:
        return None
    case, rng = case_for(question, question.named), question.rng
    cue = Cue("thing", (invented,), _effects_of(question, invented.text))
    made_up = say("preferences", "invented", {"invented": (invented,), "effect": cue.effects}, rng)
    named = say("sqa", "weak answer", {"label": case.emotion.named}, rng)
    return f"{made_up} {named}", f"invented object: {invented.text} is not in the picture"


def _effects_of(question: Question, thing: str) -> Phrases:
    """Return what a thing that is not there may be claimed to do: as its kind would, or any kind of thing."""
    effects = case_for(question, question.named).emotion.effects
    name = read_name(thing.split(" ", 1)[1])
    kind = thing_kind(name) if name else None
    own = effects.get(("thing", kind)) if kind else None
    return own or tuple(phrase for (sort, _), phrases in effects.items() if sort == "thing" for phrase in phrases)


def _ungrounded(question: Question) -> Flawed | None:
    case, rng = case_for(question, question.named), question.rng
    slots = {"label": case.emotion.named}
    sentences = [say("preferences", "ungrounded", slots, rng), say("preferences", "ungrounded second", slots, rng)]
    return " ".join(sentences), "ungrounded: it points at nothing that can be seen"


FLAWS: tuple[Callable[[Question], Flawed | None], ...] = (_wrong_label, _invented_object, _ungrounded)
