"""Emotion6: pictures found by six emotion words, each rated by 15 people who often felt something else.

Home: http://chenlab.ece.cornell.edu/downloads.html (Peng, Chen, Sadovnik & Gallagher, CVPR 2015). Licence:
academic research only. 1,980 pictures, 330 a search word. The folder is the search word; what people felt is
`ground_truth.txt`: a distribution over Ekman's six and neutral, valence and arousal. TinyEmo's authors
released CLIP features of the pictures in folders by split; those carry the search word alone.
"""

import math
import os
import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tinyemo_data import taxonomy
from tinyemo_data.errors import LayoutError, SettingsError
from tinyemo_data.sample import SPLITS
from tinyemo_data.settings import DatasetSettings
from tinyemo_data.sources.folder import Tree, has_labels, is_junk, labelled, layout_error, posix
from tinyemo_data.sources.listing import read_text
from tinyemo_data.sources.source import DatasetCard, Entry, Reject, Source

IMAGES, GROUND_TRUTH, NEUTRAL = "images", "ground_truth.txt", "neutral"
EKMAN = taxonomy.get("ekman6")
PROBABILITIES = {f"prob. {emotion}": emotion for emotion in (*EKMAN.labels, NEUTRAL)}
COLUMNS = ("image_filename", "valence", "arousal", *PROBABILITIES)
SUM_TOLERANCE = 0.05  # seven values rounded to two digits are off by 0.035 at most
TIE = 1e-9

CARD = DatasetCard(
    name="emotion6",
    title="Emotion6",
    home="http://chenlab.ece.cornell.edu/downloads.html",
    licence="academic research only",
    layout="images/<emotion>/<1..330>.jpg and ground_truth.txt; "
    "or, as released features, images/{train,validation,test}/<emotion>/<n>.pt",
    taxonomy=EKMAN.name,
    published={"all": 1_980, **dict.fromkeys(EKMAN.labels, 330)},
)


@dataclass(frozen=True)
class Rating:
    """What people felt at one picture."""

    line: int  # in ground_truth.txt, from 1
    path: str  # <emotion>/<file>, as the file has it
    valence: float
    arousal: float
    distribution: dict[str, float]  # over Ekman's six and neutral; sums to about 1


def is_released_features(root: Path) -> bool:
    """Tell whether `root` holds features in folders by split, and not pictures."""
    return any((root / IMAGES / split).is_dir() for split in SPLITS)


def read(root: Path, settings: DatasetSettings) -> Iterator[Entry | Reject]:
    """Yield each picture, sorted by path, then the ratings that have no picture.

    The label is the search word, or with `label: distribution` what most people felt; `neutral` and `tie` are
    rejected then. Without ground_truth.txt, search words are still labels. Raises LayoutError or
    UnknownLabelError naming the file and row.
    """
    tree = Tree(root)
    images = tree.child("", IMAGES)
    if images is None or not tree.folders(images):
        raise layout_error(tree, CARD.title, CARD.layout, images or "")
    folders = labelled(tree, tree.folders(images), EKMAN)
    if len({keyword for _, keyword in folders}) < len(folders):
        raise layout_error(tree, CARD.title, "one folder an emotion", images)
    listing = tree.file("", GROUND_TRUTH)
    if listing is None and settings.label == "distribution":
        expected = f"{GROUND_TRUTH} beside {IMAGES}/ (label: distribution needs it; label: keyword does not)"
        raise layout_error(tree, CARD.title, expected)
    yield from tree.strays(images)
    if listing is None:
        yield Reject(GROUND_TRUTH, "missing", "no distribution, valence and arousal; search words are the labels")
        ratings = None
    else:
        ratings = read_ratings(root / listing)
    yield from _pictures(tree, folders, ratings, settings)


def _pictures(
    tree: Tree, folders: list[tuple[str, str]], ratings: dict[str, Rating] | None, settings: DatasetSettings
) -> Iterator[Entry | Reject]:
    unseen = dict(ratings or {})
    for folder, keyword in folders:
        for path in tree.pictures(folder):
            name = posixpath.basename(path.path if isinstance(path, Reject) else path)
            rating = unseen.pop(_key(keyword, name), None)
            if isinstance(path, Reject):
                yield path
            elif ratings is None:
                yield Entry(path, None, keyword, "keyword", EKMAN.name, keyword=keyword)
            elif (rating := rating or ratings.get(_key(keyword, name))) is None:
                yield Reject(path, "no_ground_truth", f"{GROUND_TRUTH} has no row {keyword}/{name}")
            else:
                yield _rated(path, keyword, rating, settings)
    for rating in unseen.values():
        detail = f"row {rating.line} of {GROUND_TRUTH} rates it, and there is no such picture"
        yield Reject(f"{IMAGES}/{rating.path}", "missing", detail)


def _rated(path: str, keyword: str, rating: Rating, settings: DatasetSettings) -> Entry | Reject:
    emotion, label_source = keyword, "keyword"
    if settings.label == "distribution":
        highest = max(rating.distribution.values())
        modes = [label for label, share in rating.distribution.items() if share >= highest - TIE]
        if len(modes) > 1:
            return Reject(path, "tie", f"{' and '.join(modes)} have {highest:g} each")
        if modes == [NEUTRAL]:
            return Reject(path, "neutral", f"most people felt nothing ({highest:g})")
        emotion, label_source = modes[0], "distribution"
    return Entry(
        path, None, emotion, label_source, EKMAN.name, distribution=rating.distribution, keyword=keyword,
        valence=rating.valence, arousal=rating.arousal,
    )  # fmt: skip


def read_features(root: Path, settings: DatasetSettings) -> Iterator[Entry | Reject]:
    """Yield each released feature, by split, then sorted by path; the folder is the search word.

    Raises LayoutError where pictures lie beside them, SettingsError where another label is asked for.
    """
    if settings.label != "keyword":
        raise SettingsError(
            f"datasets.{CARD.name}.label is '{settings.label}', but {root} holds released features, which "
            "carry no distribution. Set label: keyword, or put the pictures and ground_truth.txt there."
        )
    tree = Tree(root)
    images = tree.child("", IMAGES)
    if images is None or has_labels(tree, images, EKMAN):
        expected = f"either pictures or features in {IMAGES}/, not both: move one of them to a folder of its own"
        raise layout_error(tree, CARD.title, expected, images or "")
    for folder in tree.folders(images):
        split = posixpath.basename(folder)
        if split not in SPLITS:
            yield Reject(folder, "unexpected_folder", f"it is none of {', '.join(SPLITS)}; nothing in it was read")
            continue
        for below, keyword in labelled(tree, tree.folders(folder), EKMAN):
            yield from _tensors(tree, below, split, keyword)
        yield from tree.strays(folder)
    yield from tree.strays(images)


def _tensors(tree: Tree, folder: str, split: str, keyword: str) -> Iterator[Entry | Reject]:
    for name in sorted(os.listdir(tree.root / folder)):  # noqa: PTH208
        path = posixpath.join(folder, name)
        if is_junk(name):
            continue
        refused = tree.strayed(path)
        if refused is not None:
            yield refused
        elif not name.lower().endswith(".pt"):
            yield Reject(path, "not_a_feature", "released features are files that end in .pt")
        else:
            yield Entry(path, split, keyword, "keyword", EKMAN.name, keyword=keyword)


def read_ratings(path: Path) -> dict[str, Rating]:
    """Read ground_truth.txt; return each rating by `_key`.

    The format: UTF-8, tab-separated, a header with the names in [brackets], rows `disgust/1.jpg<TAB>…`.
    Raises LayoutError or UnknownLabelError naming the file, the row, what was expected and the mend.
    """
    lines = enumerate(read_text(path).replace("\r\n", "\n").replace("\r", "\n").split("\n"), start=1)
    rows = ((number, line.split("\t")) for number, line in lines if line.strip())
    number, header = next(rows, (1, []))
    columns = _columns(f"{path}, row {number}", header)
    ratings: dict[str, Rating] = {}
    for number, cells in rows:
        where = f"{path}, row {number}"
        if len(cells) != len(columns):
            raise _malformed(where, f"{len(columns)} cells between tabs as in the header", f"{len(cells)} cells")
        rating = _rating(where, number, dict(zip(columns, cells, strict=True)))
        first = ratings.setdefault(_key(*rating.path.split("/")), rating)
        if first is not rating:
            raise _malformed(where, "each picture once", f"'{rating.path}' as in row {first.line}")
    return ratings


def _key(keyword: str, name: str) -> str:
    """Return what joins a picture to its row: base names repeat across folders, and their case may differ."""
    return f"{keyword}/{name.casefold()}"


def _columns(where: str, header: list[str]) -> list[str]:
    columns = [cell.strip().strip("[]").strip().lower() for cell in header]
    if sorted(columns) != sorted(COLUMNS):
        expected = f"the header {' '.join(f'[{column}]' for column in COLUMNS)}, separated by tabs"
        raise _malformed(where, expected, repr("\t".join(header)[:200]))
    return columns


def _rating(where: str, number: int, cells: Mapping[str, str]) -> Rating:
    parts = posix(cells["image_filename"]).removeprefix(f"{IMAGES}/").split("/")
    if len(parts) != 2 or not parts[1] or parts[1] in (".", ".."):
        raise _malformed(where, "a picture named <emotion>/<file>", repr(cells["image_filename"][:200]))
    keyword = EKMAN.canonical(parts[0], where)
    distribution = {emotion: _number(where, column, cells[column]) for column, emotion in PROBABILITIES.items()}
    total = math.fsum(distribution.values())
    if any(not 0 <= share <= 1 for share in distribution.values()) or abs(total - 1) > SUM_TOLERANCE:
        raise _malformed(where, "seven probabilities in 0..1 that sum to 1", f"{distribution} (sum {total:g})")
    valence, arousal = (_number(where, column, cells[column]) for column in ("valence", "arousal"))
    return Rating(number, f"{keyword}/{parts[1]}", valence, arousal, distribution)


def _number(where: str, column: str, cell: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise _malformed(where, f"a finite number in column [{column}]", repr(cell[:50]))
    return value


def _malformed(where: str, expected: str, found: str) -> LayoutError:
    return LayoutError(
        f"{where}: expected {expected}; found {found}. Mend that row, or take {GROUND_TRUTH} from the "
        "distribution again."
    )


SOURCE = Source(CARD, read, is_released_features, read_features)
