"""EmotionROI: Emotion6's 1,980 pictures with maps of the regions that evoke the emotion, and another split.

Home: http://chenlab.ece.cornell.edu/downloads.html (Peng et al., ICIP 2016). Licence: no licence text;
research only. Ekman's six emotions; a picture's folder is the search word that found it. Official split:
1,386 to train, 594 to test. Joy is joy here: the original's loader gave it contentment's id.
As the pictures are Emotion6's, training on these and testing on those is a leak.
"""

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tinyemo_data import taxonomy
from tinyemo_data.errors import LayoutError
from tinyemo_data.settings import DatasetSettings
from tinyemo_data.sources.boundary import leads_out
from tinyemo_data.sources.folder import Tree, labelled, layout_error, posix
from tinyemo_data.sources.listing import read_lines
from tinyemo_data.sources.source import DatasetCard, Entry, Reject, Source

TAXONOMY = "ekman6"
IMAGES = "images"
LISTS = "training_testing_split"
SPLITS = {"training.txt": "train", "testing.txt": "test"}

CARD = DatasetCard(
    name="emotionroi",
    title="EmotionROI",
    home="http://chenlab.ece.cornell.edu/downloads.html",
    licence="no licence text was published; taken as research only",
    layout="images/<emotion>/<number>.jpg and training_testing_split/{training,testing}.txt with lines "
    "<emotion>/<file> (ground_truth/ is not read)",
    taxonomy=TAXONOMY,
    published={"all": 1_980, "train": 1_386, "test": 594},
)


@dataclass(frozen=True)
class Listed:
    """One line of a split's list."""

    split: str
    emotion: str | None  # None where the line leads out of the dataset
    where: str


def read(root: Path, _settings: DatasetSettings) -> Iterator[Entry | Reject]:
    """Yield each listed picture, sorted by path, then what is in neither list.

    Raises LayoutError without the pictures or a list, or for a line that is no `<emotion>/<file>` or is in
    both lists; UnknownLabelError for a folder or a line of no emotion.
    """
    tree = Tree(root)
    images, lists = tree.child("", IMAGES), tree.child("", LISTS)
    if images is None or lists is None:
        raise layout_error(tree, CARD.title, CARD.layout)
    folders = labelled(tree, tree.folders(images), taxonomy.get(TAXONOMY))
    if not folders:
        raise layout_error(tree, CARD.title, CARD.layout, images)
    listed = _listed(tree, images, lists)
    for path, line in sorted(listed.items()):
        yield tree.refusal(path) or Entry(path, line.split, line.emotion, "keyword", TAXONOMY)
    yield from tree.strays(images)
    for folder, _ in folders:
        yield from tree.unlisted(folder, listed, "not_in_split", f"it is in neither of {', '.join(SPLITS)}")


def _listed(tree: Tree, images: str, lists: str) -> dict[str, Listed]:
    """Return the line of each listed picture, by its path."""
    listed: dict[str, Listed] = {}
    for name, split in SPLITS.items():
        file = tree.file(lists, name)
        if file is None:
            raise layout_error(tree, CARD.title, CARD.layout, lists)
        for number, text in read_lines(tree.root / file):
            where = f"{tree.root / file}, line {number}"
            path, emotion = _picture(posix(text), images, where)
            first = listed.setdefault(path, Listed(split, emotion, where))
            if first.split != split:
                raise LayoutError(f"{where}: '{text}' is in {first.where} as well. Keep it in one of the lists.")
    return listed


def _picture(listed: str, images: str, where: str) -> tuple[str, str | None]:
    """Return a listed picture's path and emotion. Raises LayoutError or UnknownLabelError naming the line."""
    if leads_out(listed):
        return listed, None
    parts = listed.removeprefix(f"{IMAGES}/").split("/")
    if len(parts) != 2:
        raise LayoutError(f"{where}: expected <emotion>/<file>, found {listed!r}. Mend that line.")
    emotion = taxonomy.get(TAXONOMY).canonical(parts[0], where)
    return posixpath.join(images, *parts), emotion


SOURCE = Source(CARD, read)
