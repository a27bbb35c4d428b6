"""Text that must not leave: paths of a machine, keys, e-mail addresses, pictures written as text.

The patterns mean the same to Python's `re` and to polars' Rust expressions, so that millions of texts are looked
through at once and only what is found is named one by one.
"""

import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import polars as pl

from tinyemo_data.synthesis.redaction import KEYS, SHORTEST

# What a path begins with on machines that people work on; a web address has letters before it.
_ROOTS = (
    "home|Users|root|tmp|var|mnt|media|opt|data|work|workspace|scratch|srv|private|Volumes|content|kaggle|gpfs|lustre"
    "|nfs|cluster|projects?|datasets?|net|usr|etc|run"
)
PATTERNS = {
    "absolute_path": rf"(?:^|[^\w./:~-])/(?:{_ROOTS})/[\w.~-]+|file:/{{1,3}}[\w.]|\b[A-Za-z]:\\{{1,2}}[\w.]",
    "api_key": (
        r"\b(?:sk|pk|rk)-[A-Za-z0-9_-]{16,}|\bhf_[A-Za-z0-9]{16,}|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{30,}"
        r"|\bgithub_pat_[A-Za-z0-9_]{20,}|\bxox[abeoprs]-[A-Za-z0-9-]{10,}|\bAIza[0-9A-Za-z_-]{30,}"
        r"|\beyJ[A-Za-z0-9_-]{10,}\.eyJ|-----BEGIN [A-Z ]*KEY"
    ),
    "email_address": r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}",
    # The first bytes of JPEG, PNG, GIF, WebP, BMP and TIFF in base64, with some of what follows them.
    "picture_as_text": (
        r"data:image/|(?:/9j/[A-Za-z0-9+/]|iVBORw0KGgo|R0lGOD[dl]h|UklGR[A-Za-z0-9+/]{6}XRUJQ"
        r"|Qk[0-3][A-Za-z0-9+/]{5}AAAA|SUkqAA|TU0AKg)[A-Za-z0-9+/=]{40,}"
    ),
    "unreadable_block": r"[A-Za-z0-9+/_=-]{256,}",
}
MEANING = {
    "absolute_path": "an absolute path of a machine",
    "api_key": "what looks like an API key",
    "email_address": "an e-mail address",
    "picture_as_text": "a picture written as text",
    "unreadable_block": "256 or more characters without a blank, which could be anything",
    "machine_place": "a folder of this machine",
    "credential": "a credential of this environment",
}
# Vocabularies hold pieces of every text of the web: their entries are no paths and no blocks of ours.
OF_VOCABULARIES = frozenset({"absolute_path", "unreadable_block", "email_address"})
OF_THIS_MACHINE = frozenset({"machine_place", "credential"})
SHORTEST_PLACE = 2  # parts below the root: "/tmp" alone is a word like others


class Trace(NamedTuple):
    """What was found in a text. The text itself is not repeated: it may be a secret."""

    reason: str
    at: int  # last character of it


def patterns_here(places: tuple[str, ...] = ()) -> dict[str, str]:
    """Return the patterns with those of this machine: its folders, `places`, and the values of its credentials."""
    folders = {str(Path.home()), str(Path.cwd()), tempfile.gettempdir(), *places}
    deep = sorted(folder for folder in folders if len(Path(folder).parts) > SHORTEST_PLACE)
    secrets = sorted(os.environ[name] for name in KEYS if len(os.environ.get(name, "")) >= SHORTEST)
    here = dict(PATTERNS)
    if deep:
        here["machine_place"] = "|".join(map(re.escape, deep))
    if secrets:
        here["credential"] = "|".join(map(re.escape, secrets))
    return here


def find_private(text: str, patterns: dict[str, str]) -> Iterator[Trace]:
    """Yield the first trace of each pattern in `text`."""
    for reason, pattern in patterns.items():
        found = re.search(pattern, text, re.MULTILINE)
        if found:
            yield Trace(reason, found.end() - 1)


def find_rows(texts: pl.Series, patterns: dict[str, str]) -> list[tuple[int, str]]:
    """Return (row, reason) of the texts that hold something, each row's first reason; null is nothing."""
    everything = "|".join(f"(?:{pattern})" for pattern in patterns.values())
    rows = texts.str.contains(everything).fill_null(False).arg_true().to_list()
    return [(row, next(find_private(texts[row], patterns), Trace("unreadable_block", 0)).reason) for row in rows]
