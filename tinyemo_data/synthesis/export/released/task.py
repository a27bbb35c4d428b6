"""Which task a released record does: the files do not say, so it is told from the turns.

The prompts that made the sets were not published. Reasoning answers have their two headings; a question about the
sentiment speaks of feelings; a caption is asked for by a verb of describing; what is left asks about what is seen.
"""

import re

from tinyemo_data import taxonomy
from tinyemo_data.synthesis.export.released.picture import TAXONOMY
from tinyemo_data.synthesis.export.spelling import predicted_label
from tinyemo_data.synthesis.gates.label_words import label_of_words

REASONING = re.compile(r"^\W*Reasoning\W", re.IGNORECASE)
FEELINGS = re.compile(r"\b(?:emotion|sentiment|mood|feel|evok|atmosphere)", re.IGNORECASE)
DESCRIBING = re.compile(
    r"^(?:please |can you |could you )?(?:describe|summari[sz]e|caption|write|give|provide|offer|share|present|relay"
    r"|render|create|explain|narrate|clarify|generate|compose|analy[sz]e|depict|detail)\b",
    re.IGNORECASE,
)
WORD = re.compile(r"[a-z]+")


def tell_task(question: str, answer: str, emotion: str) -> str:
    """Return `reasoning`, `sqa`, `caption` or `vqa` for a question (without <image>) and its answer."""
    if predicted_label(answer) is not None or REASONING.match(answer):
        return "reasoning"
    if FEELINGS.search(question) or names_label(question, emotion):
        return "sqa"
    return "caption" if DESCRIBING.match(question) else "vqa"


def names_label(text: str, emotion: str) -> bool:
    """Tell whether a text names the label, or a clear inflection of it."""
    return emotion in _named(text)


def states_label(question: str, emotion: str, options: list[str]) -> bool:
    """Tell whether a reasoning prompt names the label besides its place among the options."""
    return _named(question).count(emotion) > int(emotion in options)


def offered_options(question: str) -> list[str]:
    """Return the labels that a reasoning prompt lists, each once, in their order; none where it names but one."""
    labels = taxonomy.get(TAXONOMY)
    spelt = [labels.aliases.get(word, word) for word in WORD.findall(question.lower())]
    options = list(dict.fromkeys(word for word in spelt if word in labels.labels))
    return options if len(options) > 1 else []


def _named(text: str) -> list[str]:
    words = label_of_words()
    return [words[word] for word in WORD.findall(text.lower()) if word in words]
