"""EmoSet-118K: Mikels' eight emotions, each picture labelled by people and annotated with six attributes.

Home: https://vcc.tech/EmoSet (Yang et al., ICCV 2023). Licence: none is stated; research only. 118,102
pictures = 94,481 train + 5,905 validation + 17,716 test, the official splits. The lists' rows come as
`[emotion, id, image, annotation]` or `[emotion, image, annotation]`; info.json comes with a table an
attribute (`{"emotion": {"label2idx": …}, "scene": …}`) or with the emotions' alone (`{"label2idx": …}`).
Rows and annotations name emotions by word, so its numbers are checked for and not needed.
"""

import posixpath
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tinyemo_data import taxonomy
from tinyemo_data.errors import LayoutError, UnknownLabelError
from tinyemo_data.settings import DatasetSettings
from tinyemo_data.sources.folder import Tree, descend, layout_error, within
from tinyemo_data.sources.listing import read_json
from tinyemo_data.sources.source import DatasetCard, Entry, Reject, Source

TAXONOMY = "mikels8"
FOLDERS = ("EmoSet-118K",)
INFO = "info.json"
SPLITS = {"train.json": "train", "val.json": "validation", "test.json": "test"}
IMAGES = "image"
LEVELS = ("brightness", "colorfulness")  # 0.0 to 1.0
WORDS = ("scene", "facial_expression", "human_action")

CARD = DatasetCard(
    name="emoset",
    title="EmoSet-118K",
    home="https://vcc.tech/EmoSet",
    licence="no licence is stated, the pictures are from social networks; taken as research only",
    layout="info.json, {train,val,test}.json, image/<emotion>/<id>.jpg and annotation/<emotion>/<id>.json",
    taxonomy=TAXONOMY,
    published={"all": 118_102, "train": 94_481, "validation": 5_905, "test": 17_716},
)


class Listed(NamedTuple):
    """One row of a split's list."""

    split: str
    number: int  # of the row, from 1
    emotion: str
    annotation: str


def read(root: Path, _settings: DatasetSettings) -> Iterator[Entry | Reject]:
    """Yield each listed picture, by split in the order of its list, then what is in no list.

    `root` may be `EmoSet-118K` or what holds it. The lists are checked before the first picture; annotations
    are read one at a time. A picture without an annotation has no attributes; a broken annotation rejects it.
    Raises LayoutError for lists, rows or an info.json of another form, or a picture listed twice;
    UnknownLabelError for a row of no emotion.
    """
    tree = Tree(root)
    at = descend(tree, FOLDERS)
    _check_info(tree, at)
    listed = _listed(tree, at)
    for path, row in listed.items():
        yield tree.refusal(path) or _sample(tree, path, row)
    images = tree.child(at, IMAGES)
    if images is not None:
        yield from tree.strays(images)
        for folder in tree.folders(images):
            yield from tree.unlisted(folder, listed, "not_in_split", f"it is in none of {', '.join(SPLITS)}")


def _check_info(tree: Tree, at: str) -> None:
    """Check the emotions of an info.json; the file may be absent. Raises LayoutError or UnknownLabelError."""
    file = tree.file(at, INFO)
    if file is None:
        return
    info = read_json(tree.root / file)
    table = info.get("emotion", info) if isinstance(info, dict) else None
    numbers = table.get("label2idx") if isinstance(table, dict) else None
    if not isinstance(numbers, dict) or not numbers:
        raise LayoutError(
            f"{tree.root / file}: expected 'label2idx', at the top or in 'emotion'; found {_shown(info)}. "
            "Take the file from the distribution again, or remove it: the lists suffice."
        )
    for label in numbers:
        taxonomy.get(TAXONOMY).canonical(label, str(tree.root / file))


def _listed(tree: Tree, at: str) -> dict[str, Listed]:
    """Return the row of each listed picture, by its path."""
    listed: dict[str, Listed] = {}
    for name, split in SPLITS.items():
        file = tree.file(at, name)
        if file is None:
            raise layout_error(tree, CARD.title, CARD.layout, at)
        rows = read_json(tree.root / file)
        if not isinstance(rows, list):
            raise LayoutError(f"{tree.root / file}: expected a list of rows, found {_shown(rows)}.")
        for number, cells in enumerate(rows, start=1):
            where = f"{tree.root / file}, row {number}"
            path, row = _row(cells, where, split, number, at)
            first = listed.setdefault(path, row)
            if first is not row:
                raise LayoutError(
                    f"{where}: '{path}' is in row {first.number} of the {first.split} list already. Keep one."
                )
    return listed


def _row(cells: Any, where: str, split: str, number: int, at: str) -> tuple[str, Listed]:
    is_row = isinstance(cells, list) and len(cells) in (3, 4)
    if not is_row or not all(isinstance(cell, str) for cell in (cells[0], *cells[-2:])):
        raise LayoutError(
            f"{where}: expected [emotion, id, image, annotation] or [emotion, image, annotation], "
            f"found {_shown(cells)}. Take the file from the distribution again."
        )
    emotion = taxonomy.get(TAXONOMY).canonical(cells[0], where)
    image, annotation = (within(at, cell) for cell in cells[-2:])
    return image, Listed(split, number, emotion, annotation)


def _sample(tree: Tree, path: str, row: Listed) -> Entry | Reject:
    """Return a picture with its attributes, or why its labels or its annotation can't be used."""
    strayed = tree.strayed(row.annotation)
    if strayed is not None:
        return Reject(path, strayed.reason, f"its annotation {strayed.path}: {strayed.detail}")
    annotation, attributes = {}, None
    if tree.is_file(row.annotation):
        try:
            annotation = read_json(tree.root / row.annotation)
            attributes = _attributes(annotation, row.annotation)
        except LayoutError as exc:
            return Reject(path, "bad_annotation", str(exc).replace(f"{tree.root}/", ""))
    labels = {"folder": posixpath.basename(posixpath.dirname(path)), "annotation": annotation.get("emotion")}
    for place, label in labels.items():
        if label is not None and not _is_same(label, row.emotion):
            return Reject(path, "label_mismatch", f"the list says '{row.emotion}', the {place} {_shown(label)}")
    return Entry(path, row.split, row.emotion, "folder", TAXONOMY, attributes=attributes)


def _is_same(label: object, emotion: str) -> bool:
    try:
        return taxonomy.get(TAXONOMY).canonical(str(label), "") == emotion
    except UnknownLabelError:
        return False


def _attributes(annotation: Any, where: str) -> dict[str, Any]:
    """Return the six attributes, None for an absent one. Raises LayoutError for one of another type."""
    if not isinstance(annotation, dict):
        raise LayoutError(f"{where}: expected an object of attributes, found {_shown(annotation)}")
    objects = annotation.get("object")
    if objects is not None and not (isinstance(objects, list) and all(isinstance(o, str) for o in objects)):
        raise LayoutError(f"{where}: 'object': expected a list of words, found {_shown(objects)}")
    levels = {key: _level(annotation.get(key), f"{where}: '{key}'") for key in LEVELS}
    words = {key: _word(annotation.get(key), f"{where}: '{key}'") for key in WORDS}
    return {**levels, **words, "object": objects}


def _level(value: Any, where: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise LayoutError(f"{where}: expected a number from 0 to 1, found {_shown(value)}")
    return float(value)


def _word(value: Any, where: str) -> str | None:
    if value is not None and not isinstance(value, str):
        raise LayoutError(f"{where}: expected a word, found {_shown(value)}")
    return value


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


SOURCE = Source(CARD, read)
