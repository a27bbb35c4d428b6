"""ArtPhoto: artistic photographs, each made by its artist to evoke one of Mikels' eight emotions.

Home: https://www.imageemotion.org/ (Machajdik, Hanbury, ACM Multimedia 2010). Licence: no licence text;
research only. 806 pictures; the label is the file's name up to the first underscore, `sad` for sadness.
An `.rtf` read-me and a `.DS_Store` lie among the pictures. It has no official split.
"""

import posixpath
from collections.abc import Iterator
from pathlib import Path

from tinyemo_data import taxonomy
from tinyemo_data.settings import DatasetSettings
from tinyemo_data.sources.folder import Tree, descend, layout_error
from tinyemo_data.sources.source import DatasetCard, Entry, Reject, Source

TAXONOMY = "mikels8"
FOLDERS = ("testImages_artphoto",)

CARD = DatasetCard(
    name="artphoto",
    title="ArtPhoto",
    home="https://www.imageemotion.org/",
    licence="no licence text was published; taken as research only",
    layout="testImages_artphoto/<emotion>_<name>.jpg, all in one folder",
    taxonomy=TAXONOMY,
    published={
        "all": 806,
        "amusement": 101,
        "anger": 77,
        "awe": 102,
        "contentment": 70,
        "disgust": 70,
        "excitement": 105,
        "fear": 115,
        "sadness": 166,
    },
)


def read(root: Path, _settings: DatasetSettings) -> Iterator[Entry | Reject]:
    """Yield each picture, sorted by path; `root` may be `testImages_artphoto` itself.

    Raises LayoutError where no name is `<emotion>_<name>`, UnknownLabelError for a prefix that is no emotion.
    """
    tree = Tree(root)
    at = descend(tree, FOLDERS)
    found = [path if isinstance(path, Reject) else _sample(path, tree) for path in tree.pictures(at)]
    if not any(isinstance(sample, Entry) for sample in found):
        raise layout_error(tree, CARD.title, CARD.layout, at)
    yield from found


def _sample(path: str, tree: Tree) -> Entry | Reject:
    prefix, underscore, _ = posixpath.basename(path).partition("_")
    if not underscore:
        return Reject(path, "no_label", "its name has no '<emotion>_' in front")
    emotion = taxonomy.get(TAXONOMY).canonical(prefix, f"The name of {tree.root / path}")
    return Entry(path, None, emotion, "folder", TAXONOMY)


SOURCE = Source(CARD, read)
