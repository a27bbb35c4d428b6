"""Words that name an emotion: what no description may hold, since it would give a label away."""

import functools
import re
from pathlib import Path
from typing import Any

import yaml

from tinyemo_data import taxonomy

WORDS = Path(__file__).with_name("emotion_words.yaml")
SHORT = 3  # letters up to which a word of a taxonomy counts only as a whole word: `fun` is no funeral


@functools.lru_cache(maxsize=65_536)
def names_emotion(text: str) -> bool:
    """Tell whether a text holds a label of any taxonomy, another spelling, a synonym, or a word of their family."""
    return _emotion_pattern().search(text) is not None


@functools.lru_cache(maxsize=65_536)
def is_unsayable(text: str) -> bool:
    """Tell whether a text holds what would pass for a slip of a language model."""
    lowered = text.lower()
    return any(piece in lowered for piece in _words()["unsayable"])


@functools.cache
def _words() -> Any:
    return yaml.safe_load(WORDS.read_text(encoding="utf-8"))


@functools.cache
def _emotion_pattern() -> re.Pattern[str]:
    whole, stems = set(_words()["whole"]), set(_words()["stems"])
    for name in taxonomy.names():
        known = taxonomy.get(name)
        words = {*known.labels, *known.aliases}
        if "ambiguous" not in words:  # synonyms of polarity (good, mixed, clear) are words of any description
            words |= {word for label in known.labels for word in taxonomy.synonyms(label)}
        whole |= {word for word in words if len(word) <= SHORT}
        stems |= {word for word in words if len(word) > SHORT}
    begins = "|".join(sorted(map(re.escape, stems)))
    entire = "|".join(sorted(map(re.escape, whole)))
    return re.compile(rf"(?<![^\W\d_])(?:(?:{begins})|(?:{entire})(?![^\W\d_]))", re.IGNORECASE)
