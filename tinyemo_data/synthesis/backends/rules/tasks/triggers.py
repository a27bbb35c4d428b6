"""Triggers: the detail of a picture that speaks most for its label."""

from typing import Any

from tinyemo_data.synthesis.backends.rules.compose import cue_slots, say
from tinyemo_data.synthesis.backends.rules.evidence import CONCRETE, draw_cues
from tinyemo_data.synthesis.backends.rules.grammar import Phrase, Phrases
from tinyemo_data.synthesis.backends.rules.question import Question, case_for

SECOND = 0.5  # how often the next detail is named as well
WHOLE = Phrase("the picture as a whole")


def answer(question: Question) -> dict[str, Any]:
    """Return a detail and a sentence or two on why it; the label is named once."""
    case, rng = case_for(question, question.named), question.rng
    concrete = [cue for cue in case.cues if cue.kind in CONCRETE]
    cues = draw_cues(concrete or case.cues, 1, rng)
    slots: dict[str, Phrases] = {"label": case.emotion.named}
    if not cues:
        evidence = question.evidence
        subject = evidence[0].subjects[:1] if evidence else (WHOLE,)
        slots = {**question.slots, **slots, "subject": subject}
        return {"detail": subject[0].text, "answer": say("triggers", "weak answer", slots, rng)}
    found = cue_slots(cues[0], rng)
    sentences = [say("triggers", "answer", slots | found, rng)]
    others = [cue for cue in case.cues if cues[0].subjects[0] not in cue.subjects]
    second = draw_cues(others, 1, rng, after=(cues[0],))
    if second and rng.random() < SECOND:
        sentences.append(say("triggers", "second", cue_slots(second[0], rng), rng))
    return {"detail": found["subject"][0].text, "answer": " ".join(sentences)}
