"""Notes: what is known of a picture, as short lines for a prompt."""

import functools
import re
from collections.abc import Callable

from tinyemo_data import taxonomy
from tinyemo_data.synthesis.subject import Facts, Subject
from tinyemo_data.synthesis.tasks.task import Setting
from tinyemo_data.synthesis.template import plain

LONGEST = 160  # characters of one note
OBJECTS = 12  # named at most
COLOURS = 3
BRIGHTNESS = ((0.2, "very dark"), (0.4, "rather dark"), (0.6, "of medium brightness"), (0.8, "rather bright"))
# Hasler & Süsstrunk 2003, "Measuring colourfulness in natural images", table 2: where each of their words begins.
COLOURFULNESS = ((15, "not colourful"), (33, "slightly colourful"), (45, "moderately colourful"),
                 (59, "fairly colourful"), (82, "quite colourful"), (109, "highly colourful"))  # fmt: skip
POLARITY = "sentiment"  # its words (good, bad, mixed) are no emotions


def notes_without_emotion(subject: Subject, setting: Setting) -> dict[str, str]:
    """Return a drawn part of the notes that say nothing of feelings: name to value, in a fixed order.

    What an expression or a rating says is left out, and so is any other word of annotators that names an emotion,
    whichever: the notes are then the same whatever the picture's label is.
    """
    said = _said(subject.facts, lambda line: not names_emotion(line))
    return _drawn({**said, **_measured(subject.facts)}, setting)


def notes_with_emotion(subject: Subject, setting: Setting) -> dict[str, str]:
    """Return a drawn part of all notes: name to value, in a fixed order."""
    facts = subject.facts
    return _drawn({**_said(facts, bool), **_measured(facts), **_felt(facts)}, setting)


@functools.lru_cache(maxsize=16_384)
def names_emotion(text: str) -> bool:
    """Tell whether a text holds a label of any taxonomy of emotions, a word that begins with one, or a synonym."""
    return _emotion_words().search(text) is not None


def _drawn(notes: dict[str, str], setting: Setting) -> dict[str, str]:
    """Return some of the notes, so that answers lean on the picture; where none is sent, all of them."""
    if not setting.sends_picture:
        return notes
    return {name: notes[name] for name in setting.draws.subset("notes", list(notes))}


def _said(facts: Facts, is_wanted: Callable[[str], bool]) -> dict[str, str]:
    """Return what annotators wrote, as far as it is wanted; of objects, each by itself."""
    objects = [line for text in facts.objects[:OBJECTS] if (line := _line(text)) and is_wanted(line)]
    notes = {"objects": _line(", ".join(objects))}
    for name, text in (("scene", facts.scene), ("activity", facts.human_action), ("theme", facts.theme)):
        line = _line(text or "")
        notes[name] = line if is_wanted(line) else ""
    return {name: line for name, line in notes.items() if line}


def _measured(facts: Facts) -> dict[str, str]:
    notes = {}
    if facts.brightness is not None:
        notes["brightness"] = f"{facts.brightness:.2f} of 1, {_word(facts.brightness, BRIGHTNESS, 'very bright')}"
    if facts.colourfulness is not None:
        notes["colours"] = _word(facts.colourfulness, COLOURFULNESS, "extremely colourful")
    if facts.dominant_colours:
        notes["main colours"] = ", ".join(f"{colour} {share:.0%}" for colour, share in facts.dominant_colours[:COLOURS])
    return notes


def _felt(facts: Facts) -> dict[str, str]:
    """Return what annotators said of feelings."""
    notes = {"facial expression": _line(facts.facial_expression or "")}
    if facts.valence is not None:
        notes["pleasantness as people rated it"] = f"{facts.valence:.2f} on the dataset's own scale"
    if facts.arousal is not None:
        notes["intensity as people rated it"] = f"{facts.arousal:.2f} on the dataset's own scale"
    return {name: line for name, line in notes.items() if line}


@functools.lru_cache(maxsize=16_384)
def _line(text: str) -> str:
    return plain(text.replace("_", " "))[:LONGEST].rstrip()


def _word(value: float, steps: tuple[tuple[float, str], ...], above: str) -> str:
    return next((word for bound, word in steps if value < bound), above)


@functools.cache
def _emotion_words() -> re.Pattern[str]:
    vocabularies = [taxonomy.get(name) for name in taxonomy.names() if name != POLARITY]
    labels = {label for known in vocabularies for label in known.labels}
    synonyms = {word for known in vocabularies for word in known.aliases}
    synonyms |= {word for label in labels for word in taxonomy.synonyms(label)}
    beginnings, words = ("|".join(sorted(map(re.escape, found))) for found in (labels, synonyms))
    return re.compile(rf"(?<![^\W\d_])(?:(?:{beginnings})|(?:{words})(?![^\W\d_]))", re.IGNORECASE)
