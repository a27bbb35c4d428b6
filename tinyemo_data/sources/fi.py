"""FI (Flickr and Instagram): Mikels' eight emotions, found by search words and confirmed by annotators.

Home: https://qzyou.github.io/ (You, Luo, Jin, Yang, AAAI 2016). Licence: no licence text; research only.
Published with 23,308 pictures; the usual copy holds 23,185, some of them "banned picture" placeholders.
It has no official split.
"""

from collections.abc import Iterator
from pathlib import Path

from tinyemo_data import taxonomy
from tinyemo_data.settings import DatasetSettings
from tinyemo_data.sources.folder import Tree, find_emotions
from tinyemo_data.sources.source import DatasetCard, Entry, Reject, Source

TAXONOMY = "mikels8"
FOLDERS = ("emotion_dataset",)

CARD = DatasetCard(
    name="fi",
    title="FI (Flickr and Instagram)",
    home="https://qzyou.github.io/",
    licence="no licence text was published; taken as research only",
    layout="emotion_dataset/<emotion>/*.jpg",
    taxonomy=TAXONOMY,
    published={"all": 23_308},
)


def read(root: Path, _settings: DatasetSettings) -> Iterator[Entry | Reject]:
    """Yield each picture of each emotion's folder, sorted by path; `root` may be `emotion_dataset` itself.

    Raises LayoutError where there are no emotions' folders, UnknownLabelError for a folder of no emotion.
    """
    tree = Tree(root)
    at, folders = find_emotions(tree, FOLDERS, taxonomy.get(TAXONOMY), CARD)
    yield from tree.strays(at)
    for folder, emotion in folders:
        for path in tree.pictures(folder):
            yield path if isinstance(path, Reject) else Entry(path, None, emotion, "folder", TAXONOMY)


SOURCE = Source(CARD, read)
