"""WEBEmo: stock pictures found by 25 emotion words; the word is the label, and nobody checked it.

Home: https://rpand002.github.io/emotion.html (Panda et al., ECCV 2018). Licence: no licence text, and the
pictures are a stock agency's thumbnails; research only. About 268,000 pictures, 213,952 of them to train.
The 25 emotions follow Parrott's tree; two folders are misspelt (`cheerfullness`, `irritabilty`) and get
their proper labels.
"""

from collections.abc import Iterator
from pathlib import Path

from tinyemo_data import taxonomy
from tinyemo_data.settings import DatasetSettings
from tinyemo_data.sources.folder import Tree, labelled, layout_error
from tinyemo_data.sources.source import DatasetCard, Entry, Reject, Source

TAXONOMY = "parrott25"
SPLITS = ("train", "validation", "test")

CARD = DatasetCard(
    name="webemo",
    title="WEBEmo",
    home="https://rpand002.github.io/emotion.html",
    licence="no licence text was published, and the pictures are a stock agency's; taken as research only",
    layout="{train,validation,test}/<emotion>/*.jpg",
    taxonomy=TAXONOMY,
    published={"train": 213_952},
)


def read(root: Path, _settings: DatasetSettings) -> Iterator[Entry | Reject]:
    """Yield each picture, by split, then sorted by path; the splits are the official ones.

    A split that is not there is left out. Raises LayoutError where there is none, UnknownLabelError for a
    folder of no emotion.
    """
    tree, labels = Tree(root), taxonomy.get(TAXONOMY)
    splits = {split: folder for split in SPLITS if (folder := tree.child("", split)) is not None}
    folders = {split: labelled(tree, tree.folders(folder), labels) for split, folder in splits.items()}
    if not any(folders.values()):
        raise layout_error(tree, CARD.title, CARD.layout)
    yield from tree.unlisted("", splits.values(), "no_split", f"it is in none of {', '.join(SPLITS)}")
    for split, below in folders.items():
        yield from tree.strays(splits[split])
        for folder, emotion in below:
            yield from _samples(tree, folder, split, emotion)


def _samples(tree: Tree, folder: str, split: str, emotion: str) -> Iterator[Entry | Reject]:
    for path in tree.pictures(folder):
        yield path if isinstance(path, Reject) else Entry(path, split, emotion, "keyword", TAXONOMY)


SOURCE = Source(CARD, read)
