"""Names that others gave to things, as they stand in a sentence: cleaned, with an article, joined by commas.

A name is data. Whatever it says, it is put in as a noun where it looks like one, in quotation marks where it does not,
and left out where it holds what no sentence may: control characters are dropped, marks and slips refuse it.
"""

import functools
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from tinyemo_data.synthesis.backends.rules.emotion_words import is_unsayable
from tinyemo_data.synthesis.backends.rules.grammar import Phrase

NOUNS = Path(__file__).with_name("nouns.yaml")
LONGEST = 60  # characters of a name that is said
MOST_WORDS = 4  # of a plain noun
MARKS = "-'’&.,"  # besides letters, figures and blanks, all that a name may hold
KINDS = ("unique", "mass", "plural", "singular", "things_in_ing", "an_before", "a_before", "function_words", "vacuous")

Number = Literal["count", "mass", "plural"]


@dataclass(frozen=True, slots=True)
class Name:
    """A cleaned name: lower case, single blanks."""

    text: str
    is_plain: bool  # a noun of a few words, that grammar can be applied to
    phrase: Phrase  # with its article; quoted where it is no plain noun


@functools.lru_cache(maxsize=65_536)
def read_name(raw: str | None) -> Name | None:
    """Return a fact as a name, or None where it can't be said."""
    text = clean(raw or "")
    if not text or is_unsayable(text) or text in _nouns()["vacuous"]:
        return None
    words = text.split()
    looks_plain = len(words) <= MOST_WORDS and all(
        re.fullmatch(r"[^\W\d_]+(?:['’-][^\W\d_]+)*", word) for word in words
    )
    is_plain = looks_plain and not _nouns()["function_words"] & set(words)
    return Name(text, is_plain, _phrase(text) if is_plain else Phrase(f'something called "{text}"'))


def _phrase(text: str) -> Phrase:
    number, written = number_of(text), write(text)
    if text in _nouns()["unique"]:
        return Phrase(f"the {written}")
    return Phrase(f"{article(text)} {written}" if number == "count" else written, number == "plural")


def clean(raw: str) -> str:
    """Return a name in lower case and single blanks, or nothing where it holds what no name does."""
    spaced = "".join(" " if char == "_" or unicodedata.category(char)[0] in "CZ" else char for char in raw)
    text = " ".join(spaced.split()).lower()
    if "/" in text:  # `stage/indoor`, as Places writes it
        text = " ".join(reversed([part.strip() for part in text.split("/") if part.strip()]))
    is_sound = all(char in MARKS or char == " " or unicodedata.category(char)[0] in "LMN" for char in text)
    return text if is_sound and len(text) <= LONGEST and any(char.isalpha() for char in text) else ""


def number_of(text: str) -> Number:
    """Return how a noun is counted, by the whole of it or by its last word."""
    nouns, head = _nouns(), text.split()[-1]
    for word in (text, head):
        if word in nouns["mass"]:
            return "mass"
        if word in nouns["plural"]:
            return "plural"
        if word in nouns["singular"]:
            return "count"
    if head.endswith("ing") and head not in nouns["things_in_ing"]:
        return "mass"
    return (
        "plural"
        if len(head) > 2 and head.endswith("s") and not head.endswith(("ss", "us", "is", "'s", "’s"))
        else "count"
    )


def article(text: str) -> str:
    """Return `a` or `an`, by how the first word sounds."""
    first, nouns = re.split(r"[ ]", text, maxsplit=1)[0], _nouns()
    if first in nouns["an_before"]:
        return "an"
    if first in nouns["a_before"] or first.startswith(("eu", "one-")):
        return "a"
    return "an" if first[0] in "aeiouáàâäéèêëíìîïóòôöúùûü" else "a"


def write(text: str) -> str:
    """Return a noun with its capitals: `ufo` is written `UFO`."""
    written = _nouns()["written"]
    return " ".join(written.get(word, word) for word in text.split())


def join(texts: Sequence[str], last: str = " and ") -> str:
    """Return `a`, `a and b`, or `a, b and c`."""
    return last.join([", ".join(texts[:-1]), texts[-1]]) if len(texts) > 1 else texts[0]


@functools.cache
def _nouns() -> dict[str, Any]:
    raw = yaml.safe_load(NOUNS.read_text(encoding="utf-8"))
    return {**{kind: frozenset(map(str, raw[kind])) for kind in KINDS}, "written": raw["written"]}
