"""Misspelt emotion labels, as datasets and released sets have them, and their mending.

Which spellings these are is data: the aliases in `taxonomies.yaml` that are nearly their label. An alias that is a
word of its own (`sad`, `content`) is no misspelling in a sentence.
"""

import difflib
import functools
import re

from tinyemo_data import taxonomy

NEARLY = 0.9  # difflib's ratio: cheerfullness 0.96, irritabilty 0.96; content 0.78, sad 0.6
USUAL = "Predicted Label:"
LEAD = USUAL.lower()
PREDICTED = re.compile(rf"{LEAD}[ \t]*(?P<label>[^\r\n]*)", re.IGNORECASE)
MARKUP = " \t.!*_`'\""


@functools.cache
def misspellings() -> dict[str, str]:
    """Return misspelt label -> label, over all taxonomies."""
    return {
        alias: label
        for name in taxonomy.names()
        for alias, label in taxonomy.get(name).aliases.items()
        if difflib.SequenceMatcher(None, alias, label).ratio() >= NEARLY
    }


@functools.cache
def labels() -> frozenset[str]:
    """Return the canonical labels of all taxonomies of emotions."""
    return frozenset(label for name in taxonomy.names() if name != "sentiment" for label in taxonomy.get(name).labels)


def find_misspelling(text: str) -> str | None:
    """Return a misspelt label that `text` holds, in lower case, or None."""
    lowered = text.lower()
    return next((wrong for wrong in misspellings() if wrong in lowered), None)


def mend_spelling(text: str) -> str:
    """Return `text` with misspelt labels mended, a capital letter kept, and nothing else changed."""
    if find_misspelling(text) is None:
        return text
    return _pattern().sub(_mended, text)


def predicted_label(text: str) -> str | None:
    """Return what the last `Predicted Label:` of `text` states, as it stands there; None where there is none."""
    if LEAD not in text.lower():
        return None
    # From its usual spelling on: looking for any case in a long text costs more than all other rules together.
    found = list(PREDICTED.finditer(text, max(0, text.rfind(USUAL))))
    return found[-1]["label"].strip() if found else None


def mend_predicted_label(text: str) -> str:
    """Return `text` with the label of its `Predicted Label:` lines spelt as its taxonomy has it; others stay."""
    return PREDICTED.sub(_canonical_line, text) if LEAD in text.lower() else text


def canonical_label(word: str) -> str | None:
    """Return the canonical spelling of an emotion label, whatever its case and the markup around it; else None."""
    plain = word.strip(MARKUP).lower()
    return plain if plain in labels() else _aliases().get(plain)


@functools.cache
def _aliases() -> dict[str, str]:
    return {alias: label for name in taxonomy.names() for alias, label in taxonomy.get(name).aliases.items()}


@functools.cache
def _pattern() -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, misspellings())), re.IGNORECASE)


def _mended(found: re.Match[str]) -> str:
    label = misspellings()[found[0].lower()]
    return label.capitalize() if found[0][0].isupper() else label


def _canonical_line(found: re.Match[str]) -> str:
    label = canonical_label(found["label"])
    return f"{USUAL} {label}" if label else found[0]
