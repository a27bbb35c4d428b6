"""What may contribute to each emotion: the entries of `emotions.yaml`, those of likenesses included."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tinyemo_data import taxonomy
from tinyemo_data.errors import UnknownLabelError, nearest
from tinyemo_data.synthesis.backends.rules.grammar import Phrase, Phrases

EMOTIONS = Path(__file__).with_name("emotions.yaml")
KINDS = ("light", "colour", "hue", "place", "thing", "pose", "face")
OPPOSITE = {"positive": "negative", "negative": "positive"}


@dataclass(frozen=True, slots=True)
class Emotion:
    """One label: how it is named in a sentence, what it feels like, and what may contribute to it."""

    named: Phrases
    feelings: Phrases  # without naming it
    effects: Mapping[tuple[str, str], Phrases]  # by what kind of cue, and which


def emotion(label: str) -> Emotion:
    """Return what is known of a label of any taxonomy. Raises UnknownLabelError for another one."""
    known = _emotions()
    if label not in known:
        raise UnknownLabelError(
            f"The rules know no emotion '{label}'.{nearest(label, known)} Add it to {EMOTIONS.name}, or use a label of "
            "a taxonomy."
        )
    return known[label]


@functools.cache
def contrary_labels(label: str, taxonomy_name: str | None) -> tuple[str, ...]:
    """Return the labels of a taxonomy that are surely another feeling: of the opposite polarity.

    Where the label itself has no clear polarity, every other label that has one.
    """
    if taxonomy_name is None:
        return ()
    others = [other for other in taxonomy.get(taxonomy_name).labels if other != label]
    if taxonomy_name == "sentiment":
        return tuple(other for other in others if OPPOSITE.get(label, other) == other)
    polarity = taxonomy.get_map(f"{taxonomy_name}_to_sentiment").pairs
    wanted = OPPOSITE.get(polarity.get(label, "ambiguous"))
    clear = [other for other in others if polarity.get(other) in OPPOSITE]
    return tuple(other for other in clear if wanted is None or polarity[other] == wanted)


@functools.cache
def _emotions() -> dict[str, Emotion]:
    raw = yaml.safe_load(EMOTIONS.read_text(encoding="utf-8"))
    return {label: _emotion(label, _inherited(entry, raw)) for label, entry in raw.items()}


def _inherited(entry: Mapping[str, Any], raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return an entry with all that it takes from what it is like, cue by cue."""
    base = _inherited(raw[entry["like"]], raw) if "like" in entry else {}
    merged = {kind: {**base.get(kind, {}), **entry.get(kind, {})} for kind in KINDS}
    return {**merged, "feeling": entry.get("feeling", base.get("feeling")), "named": entry.get("named")}


def _emotion(label: str, entry: Mapping[str, Any]) -> Emotion:
    return Emotion(
        named=(Phrase(entry["named"] or label),),
        feelings=tuple(map(Phrase, entry["feeling"])),
        effects={(kind, key): tuple(map(Phrase, effects)) for kind in KINDS for key, effects in entry[kind].items()},
    )
