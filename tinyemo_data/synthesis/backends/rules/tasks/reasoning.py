"""Reasons: from what can be pointed at to the label, with no more certainty than that gives."""

from typing import Any

from tinyemo_data.synthesis.backends.rules.compose import say
from tinyemo_data.synthesis.backends.rules.explanation import concede, conclude, explain
from tinyemo_data.synthesis.backends.rules.narrative import narrate
from tinyemo_data.synthesis.backends.rules.question import Question, case_for

DESCRIBED_FIRST = 0.6  # how often a short reason begins with what is seen
CONCLUDED = 0.7  # how often it ends with the feeling
CONCEDED = 0.35  # how often it says what does not speak for it
FEWEST_WORDS = 24  # of a short reason; below, it says more of what is seen
CAREFUL = 6  # sentences of a careful reason, about
CAREFUL_WORDS = 60
CAREFUL_CUES = 4
OBSERVATIONS = (3, 6)  # fewest and most of a careful reason
SENTENCES = 6  # of a description, at most


def answer_short(question: Question) -> dict[str, Any]:
    """Return a reason of two to seven sentences, and the label. Nothing but the label's field names it."""
    case, rng = case_for(question, question.named), question.rng
    described = rng.random() < DESCRIBED_FIRST
    sentences = explain(question, case, 1 + int(rng.random() * 3))
    if rng.random() < CONCEDED:
        sentences += concede(question, case)
    if rng.random() < CONCLUDED:
        sentences.append(conclude(question, case))
    return {"reasoning": _with_description(question, sentences, int(described), FEWEST_WORDS), "label": question.named}


def answer_careful(question: Question) -> dict[str, Any]:
    """Return what is seen, a reason of about six sentences, and the label."""
    case, rng = case_for(question, question.named), question.rng
    fewest, most = OBSERVATIONS
    observations = narrate(question.slots, rng, fewest + int(rng.random() * (most - fewest + 1)))
    sentences = explain(question, case, CAREFUL_CUES) + concede(question, case) + [conclude(question, case)]
    if len(sentences) < CAREFUL - 1:
        sentences.append(say("reasons", "caveat", question.slots, rng))
    reasoning = _with_description(question, sentences, max(1, CAREFUL - len(sentences)), CAREFUL_WORDS)
    return {"observations": observations, "reasoning": reasoning, "label": question.named}


def _with_description(question: Question, sentences: list[str], least: int, words: int) -> str:
    """Put what is seen before the reasons: `least` sentences, and more where there are fewer than `words` words."""
    missing = words - sum(len(sentence.split()) for sentence in sentences)
    described = narrate(question.slots, question.rng, SENTENCES)
    count = least
    while count < len(described) and sum(len(sentence.split()) for sentence in described[:count]) < missing:
        count += 1
    return " ".join([*described[:count], *sentences])
