"""EmoSet's layout: split lists, `image/` and `annotation/` by emotion, and an `info.json` that numbers all labels.

The annotations are true: they say what was drawn, and brightness and colourfulness as measured.
"""

from pathlib import Path
from typing import Any

import orjson

from tinyemo_data import taxonomy
from tinyemo_data.sample_corpus.drawing import Facts, draw
from tinyemo_data.sample_corpus.drawn_folder import Laid
from tinyemo_data.sample_corpus.layouts.files import Album, share_out, write_file
from tinyemo_data.settings import SampleCorpusSettings

FAULTS = ("empty_file", "truncated")
LABELS = taxonomy.get("mikels8").labels
VALIDATION_SHARE, TEST_SHARE = 0.05, 0.15
LISTS = {"train": "train.json", "validation": "val.json", "test": "test.json"}
SHORT_ROWS = "test"  # the list whose rows come without an id, as some copies have them
LEVELS = [round(step / 10, 1) for step in range(11)]
WORDS = ("scene", "facial_expression", "human_action", "object")


def lay_out(root: Path, settings: SampleCorpusSettings) -> Laid:
    """Write EmoSet-118K's files below `root`, `pictures_per_emotion` pictures an emotion."""
    album = Album(root, FAULTS)
    lists: dict[str, list[list[str]]] = {split: [] for split in LISTS}
    annotations: list[dict[str, Any]] = []
    splits = share_out(settings.pictures_per_emotion, VALIDATION_SHARE, TEST_SHARE)
    for rank, emotion in enumerate(LABELS):
        for index, split in enumerate(splits):
            name = f"{emotion}_{index:05d}"
            image, annotation = f"image/{emotion}/{name}.jpg", f"annotation/{emotion}/{name}.json"
            drawing = draw(emotion, f"{settings.seed}/emoset/{index}", settings.size)
            album.add(image, drawing.image, rank, index)
            annotations.append(annotate(name, drawing.facts))
            write_file(root, annotation, orjson.dumps(annotations[-1], option=orjson.OPT_INDENT_2))
            lists[split].append([emotion, *([] if split == SHORT_ROWS else [name]), image, annotation])
    for split, rows in lists.items():
        write_file(root, LISTS[split], orjson.dumps(rows))
    write_file(root, "info.json", orjson.dumps(number_labels(annotations), option=orjson.OPT_INDENT_2))
    return Laid(album.pictures, album.rejected)


def annotate(name: str, facts: Facts) -> dict[str, Any]:
    """Return a picture's annotation; attributes that nobody could annotate are left out."""
    optional = {
        "scene": facts.scene,
        "object": list(facts.objects) or None,
        "facial_expression": facts.facial_expression,
        "human_action": facts.human_action,
    }
    return {
        "image_id": name,
        "emotion": facts.emotion,
        "brightness": round(facts.brightness, 1),
        "colorfulness": round(facts.colourfulness, 1),
        **{key: value for key, value in optional.items() if value is not None},
    }


def number_labels(annotations: list[dict[str, Any]]) -> dict[str, Any]:
    """Return `info.json`: for the emotion and each attribute, its labels with their numbers, both ways."""
    words: dict[str, set[str]] = {attribute: set() for attribute in WORDS}
    for annotation in annotations:
        for attribute, found in words.items():
            value = annotation.get(attribute, [])
            found.update([value] if isinstance(value, str) else value)
    levels = [str(level) for level in LEVELS]
    labels = {"emotion": list(LABELS), "brightness": levels, "colorfulness": levels}
    labels |= {attribute: sorted(found) for attribute, found in words.items()}
    return {
        attribute: {
            "label2idx": {label: number for number, label in enumerate(names)},
            "idx2label": {str(number): label for number, label in enumerate(names)},
        }
        for attribute, names in labels.items()
    }
