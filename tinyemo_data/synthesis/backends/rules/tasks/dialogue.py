"""Conversations: what is seen, what feeling that may evoke, and why."""

import random
from typing import Any

from tinyemo_data.synthesis.backends.rules.compose import cue_slots, say
from tinyemo_data.synthesis.backends.rules.evidence import Cue, draw_cues
from tinyemo_data.synthesis.backends.rules.explanation import admit, explain_by
from tinyemo_data.synthesis.backends.rules.grammar import Phrase
from tinyemo_data.synthesis.backends.rules.narrative import narrate
from tinyemo_data.synthesis.backends.rules.question import Question, case_for

MOST_CUES = 3
FEWEST_WORDS = 16  # of all answers; below, what is seen comes first
DESCRIBED = 0.7  # how often the conversation begins with what is seen
CHANGED = 0.5  # how often it ends with what the impression hangs on


def answer(question: Question) -> dict[str, Any]:
    """Return two to four turns; the label is named once, in an answer."""
    case, rng = case_for(question, question.named), question.rng
    is_described = rng.random() < DESCRIBED
    turns = [_describe(question)] if is_described else list[dict[str, str]]()
    named = say("dialogue", "feeling answer", {"label": case.emotion.named}, rng)
    turns.append(_turn(question, "feeling", named))
    cues = draw_cues(case.cues, 1 + int(rng.random() * MOST_CUES), rng)
    turns.append(_turn(question, "why", " ".join(explain_by(question, cues) if cues else [admit(question, case)])))
    if rng.random() < CHANGED:
        turns.append(_turn(question, "change", _change(cues, rng)))
    if not is_described and sum(len(turn["answer"].split()) for turn in turns) < FEWEST_WORDS:
        turns.insert(0, _describe(question))
    return {"turns": turns}


def _change(cues: list[Cue], rng: random.Random) -> str:
    """Return what the impression hangs on: by its name, or by a pronoun where nothing else was spoken of."""
    if not cues:
        return say("dialogue", "change blank", {}, rng)
    slots = cue_slots(cues[0], rng)
    if len(cues) == 1:
        slots["subject"] = (Phrase("them" if slots["it"][0].plural else "it"),)
    return say("dialogue", "change answer", slots, rng)


def _describe(question: Question) -> dict[str, str]:
    sentences = narrate(question.slots, question.rng, 1 + int(question.rng.random() * 2))
    return _turn(question, "content", " ".join(sentences))


def _turn(question: Question, kind: str, answer: str) -> dict[str, str]:
    return {"question": say("dialogue", f"{kind} question", question.slots, question.rng), "answer": answer}
