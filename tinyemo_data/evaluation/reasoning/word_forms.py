"""How the same thing is said otherwise: plurals, and the table `word_forms.yaml`."""

import functools
import re
from pathlib import Path
from typing import Any

import yaml

from tinyemo_data.synthesis.backends.rules.nouns import clean, number_of

FORMS = Path(__file__).with_name("word_forms.yaml")
SIBILANT = ("ses", "xes", "zes", "ches", "shes")


@functools.lru_cache(maxsize=65_536)
def canonical(name: str) -> str:
    """Return a name in small letters, its last word in the singular; of words for the same thing the first one."""
    text = clean(name)
    if not text:
        return ""
    head = " ".join([*text.split()[:-1], singular(text.split()[-1])])
    return _first_of_same().get(text) or _first_of_same().get(head) or head


@functools.lru_cache(maxsize=65_536)
def singular(word: str) -> str:
    """Return the singular of a plural noun, and any other word as it is."""
    irregular: dict[str, str] = _table()["irregular"]
    if word in irregular:
        return irregular[word]
    if number_of(word) != "plural" or not word.endswith("s"):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    return word[:-2] if word.endswith(SIBILANT) else word[:-1]


@functools.cache
def aside() -> re.Pattern[str]:
    """Return the pattern of what a text says of no thing in the picture: comparisons, up to a mark, and viewers."""
    compared, people, doings = ("|".join(map(re.escape, _table()[key])) for key in ("compared", "people", "doings"))
    return re.compile(rf"\b(?:{compared})\b[^.,;:!?]*|\b(?:{people}) (?:{doings})\b", re.IGNORECASE)


@functools.cache
def _first_of_same() -> dict[str, str]:
    return {word: group[0] for group in _table()["same"] for word in group}


@functools.cache
def _table() -> Any:
    return yaml.safe_load(FORMS.read_text(encoding="utf-8"))
