"""Why a picture may evoke a label, without naming it: sentences about what speaks for it and what does not."""

from tinyemo_data.synthesis.backends.rules.compose import counter_slots, cue_slots, say, say_afresh
from tinyemo_data.synthesis.backends.rules.evidence import Cue, draw_cues
from tinyemo_data.synthesis.backends.rules.grammar import Pattern
from tinyemo_data.synthesis.backends.rules.question import Case, Question

WHOLE = ("light", "colour", "hue", "place")  # cues whose effect is that of the whole picture as well
OF_THE_WHOLE = 0.25  # how often such an effect is told of the picture
PAIRED = 0.4  # how often two cues share a sentence


def explain(question: Question, case: Case, cues: int) -> list[str]:
    """Return sentences about up to `cues` cues; one that admits it where nothing speaks for the label."""
    chosen = draw_cues(case.cues, cues, question.rng)
    return explain_by(question, chosen) if chosen else [admit(question, case)]


def explain_by(question: Question, cues: list[Cue]) -> list[str]:
    """Return a sentence for each cue, or for two of them together."""
    rng, sentences, rest, used = question.rng, list[str](), list(cues), set[Pattern]()
    while rest:
        cue = rest.pop(0)
        slots = {**question.slots, **cue_slots(cue, rng)}
        if rest and rng.random() < PAIRED:
            slots |= cue_slots(rest.pop(0), rng, "_b")
            sentences.append(say_afresh("reasons", "double", slots, rng, used))
        else:
            is_whole = cue.kind in WHOLE and rng.random() < OF_THE_WHOLE
            sentences.append(say_afresh("reasons", "atmosphere" if is_whole else "single", slots, rng, used))
    return sentences


def admit(question: Question, case: Case) -> str:
    """Return a sentence that says how little can be pointed at."""
    slots = counter_slots(case.silent, question.rng)
    return say("reasons", "weak" if slots else "blank", slots, question.rng)


def concede(question: Question, case: Case) -> list[str]:
    """Return a sentence about something that does not speak for the label, where there is something."""
    slots = counter_slots(case.silent, question.rng)
    return [say("reasons", "concession", slots, question.rng)] if slots and case.cues else []


def conclude(question: Question, case: Case) -> str:
    """Return a sentence that comes to the feeling."""
    return say("reasons", "closing", {"feeling": case.emotion.feelings}, question.rng)
