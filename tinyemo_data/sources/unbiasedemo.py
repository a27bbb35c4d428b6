"""UnbiasedEmo: the same objects in pictures of different emotions, made to measure a dataset's bias.

Home: https://rpand002.github.io/emotion.html (Panda et al., ECCV 2018). Licence: no licence text; research
only. 3,045 pictures of six emotions, with love and without disgust. The folder below the emotion names the
**object**: it is the bias variable and is kept. File names have blanks. No official split is known.
"""

import posixpath
from collections.abc import Iterator
from pathlib import Path

from tinyemo_data import taxonomy
from tinyemo_data.settings import DatasetSettings
from tinyemo_data.sources.folder import Tree, find_emotions
from tinyemo_data.sources.source import DatasetCard, Entry, Reject, Source

TAXONOMY = "unbiasedemo6"
FOLDERS = ("UnBiasedEmo", "images")

CARD = DatasetCard(
    name="unbiasedemo",
    title="UnbiasedEmo",
    home="https://rpand002.github.io/emotion.html",
    licence="no licence text was published; taken as research only",
    layout="UnBiasedEmo/images/<emotion>/<object>/<file>.jpg",
    taxonomy=TAXONOMY,
    published={"all": 3_045},
)


def read(root: Path, _settings: DatasetSettings) -> Iterator[Entry | Reject]:
    """Yield each picture, sorted by emotion and object; `root` may be `UnBiasedEmo` or its `images`.

    A picture beside the objects' folders has no object. Raises LayoutError where there are no emotions'
    folders, UnknownLabelError for a folder of no emotion (such as disgust).
    """
    tree = Tree(root)
    at, folders = find_emotions(tree, FOLDERS, taxonomy.get(TAXONOMY), CARD)
    yield from tree.strays(at)
    for folder, emotion in folders:
        objects = tree.folders(folder)
        yield from _samples(tree, folder, emotion, None, objects)
        for below in objects:
            yield from _samples(tree, below, emotion, posixpath.basename(below), [])


def _samples(
    tree: Tree, folder: str, emotion: str, pictured: str | None, expected: list[str]
) -> Iterator[Entry | Reject]:
    """Yield what lies directly in a folder, but for the folders that are `expected` there."""
    for path in tree.pictures(folder):
        if isinstance(path, str):
            yield Entry(path, None, emotion, "folder", TAXONOMY, object=pictured)
        elif path.path not in expected:
            yield path


SOURCE = Source(CARD, read)
