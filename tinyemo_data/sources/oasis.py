"""OASIS (Open Affective Standardized Image Set): how pleasant and how arousing 822 people found 900 pictures.

Home: https://osf.io/6pnd7/ (Kurdi, Lozano, Banaji, Behavior Research Methods 2017). Licence: free for use in
research. It has **dimensions only**: valence and arousal, means on scales from 1 to 7, and no emotion. The
theme goes to `keyword`, the category (object, person, scenery, animal) to `object`. No official split.

This module is the example of how a dataset is added: a card, a reader, and nothing elsewhere.
"""

import posixpath
from collections.abc import Iterator
from pathlib import Path

from tinyemo_data.errors import LayoutError
from tinyemo_data.settings import DatasetSettings
from tinyemo_data.sources.folder import Tree, layout_error, within
from tinyemo_data.sources.listing import Row, read_csv
from tinyemo_data.sources.source import DatasetCard, Entry, Reject, Source

RATINGS = "OASIS.csv"
IMAGES = "images"
COLUMNS = ("theme", "category", "valence_mean", "arousal_mean")
LEAST, MOST = 1.0, 7.0  # the scales' ends

CARD = DatasetCard(
    name="oasis",
    title="OASIS (Open Affective Standardized Image Set)",
    home="https://osf.io/6pnd7/",
    licence="free for use in research",
    layout="images/<Theme>.jpg and OASIS.csv with Theme, Category, Valence_mean, Arousal_mean (and, where "
    "pictures have other names, File); the theme becomes `keyword`, the category `object`",
    taxonomy=None,
    published={"all": 900},
)


def read(root: Path, _settings: DatasetSettings) -> Iterator[Entry | Reject]:
    """Yield each rated picture, sorted by path, then what has no rating.

    Raises LayoutError without the ratings or the pictures, or where a rating is no number from 1 to 7 or a
    picture is rated twice.
    """
    tree = Tree(root)
    images, ratings = tree.child("", IMAGES), tree.file("", RATINGS)
    if images is None or ratings is None:
        raise layout_error(tree, CARD.title, CARD.layout)
    rows = _rows_by_picture(tree, images, root / ratings)
    for path in sorted(rows):
        yield tree.refusal(path) or _sample(path, rows[path])
    yield from tree.unlisted(images, rows, "no_rating", f"{RATINGS} has no row of it")


def _rows_by_picture(tree: Tree, images: str, ratings: Path) -> dict[str, Row]:
    # The distribution names a picture by its theme, some of them with a blank behind: compare stems.
    pictures = {_stem(path): path for path in tree.pictures(images) if isinstance(path, str)}
    rows: dict[str, Row] = {}
    for row in read_csv(ratings, COLUMNS):
        name = row.cells.get("file") or f"{row.cells['theme']}.jpg"
        path = within(images, name)
        if posixpath.dirname(path) == images:
            path = pictures.get(_stem(path), path)
        if path in rows:
            raise row.error("theme", f"each picture in one row (row {rows[path].number} has {path})")
        rows[path] = row
    if not rows:
        raise LayoutError(f"{ratings} has a header and no ratings. Take the file from the distribution again.")
    return rows


def _stem(path: str) -> str:
    return posixpath.splitext(posixpath.basename(path))[0].strip().casefold()


def _sample(path: str, row: Row) -> Entry | Reject:
    if not row.cells["valence_mean"] or not row.cells["arousal_mean"]:
        return Reject(path, "no_rating", f"row {row.number} has no valence or no arousal")
    return Entry(
        path,
        split=None,
        emotion=None,
        label_source="dimensions",
        taxonomy=None,
        keyword=_theme(row.cells["theme"]),
        valence=_rating(row, "valence_mean"),
        arousal=_rating(row, "arousal_mean"),
        object=row.cells["category"].casefold() or None,
    )


def _theme(cell: str) -> str | None:
    """Return a theme without the number that tells its pictures apart: `Alcohol 5` is of `alcohol`."""
    words = cell.casefold().split()
    return " ".join(words[:-1] if len(words) > 1 and words[-1].isdigit() else words) or None


def _rating(row: Row, column: str) -> float:
    expected = f"a mean rating from {LEAST:g} to {MOST:g}"
    try:
        rating = float(row.cells[column])
    except ValueError as exc:
        raise row.error(column, expected) from exc
    if not LEAST <= rating <= MOST:  # NaN is in no range
        raise row.error(column, expected)
    return rating


SOURCE = Source(CARD, read)
