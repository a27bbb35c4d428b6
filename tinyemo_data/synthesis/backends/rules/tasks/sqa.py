"""Questions about the feeling that a picture evokes: the question never names it, the answer does."""

from typing import Any

from tinyemo_data.synthesis.backends.rules.compose import counter_slots, cue_slots, say
from tinyemo_data.synthesis.backends.rules.evidence import draw_cues
from tinyemo_data.synthesis.backends.rules.explanation import explain_by
from tinyemo_data.synthesis.backends.rules.question import Question, case_for

SECOND = 0.5  # how often a second cue follows in a sentence of its own


def answer(question: Question) -> dict[str, Any]:
    """Return a question about the feeling, and an answer that names the label once and says why."""
    case, rng = case_for(question, question.named), question.rng
    asked = say("sqa", "question", question.slots, rng)
    cues = draw_cues(case.cues, 2, rng)
    slots = {**question.slots, "label": case.emotion.named}
    if not cues:
        return {"question": asked, "answer": say("sqa", "weak answer", slots | counter_slots(case.silent, rng), rng)}
    sentences = [say("sqa", "answer", slots | cue_slots(cues[0], rng), rng)]
    if rng.random() < SECOND:
        sentences += explain_by(question, cues[1:])
    return {"question": asked, "answer": " ".join(sentences)}
