"""WEBEmo's layout: `<split>/<emotion>/<n>.jpg` over 25 search words, two of them misspelt as in the original."""

from pathlib import Path

from tinyemo_data import taxonomy
from tinyemo_data.sample_corpus.drawing import draw
from tinyemo_data.sample_corpus.drawn_folder import Laid
from tinyemo_data.sample_corpus.layouts.files import Album, share_out
from tinyemo_data.settings import SampleCorpusSettings

FAULTS = ("not_a_picture", "placeholder")
SPELLINGS = {"cheerfulness": "cheerfullness", "irritability": "irritabilty"}
VALIDATION_SHARE, TEST_SHARE = 0.1, 0.1
FEWEST = 4


def lay_out(root: Path, settings: SampleCorpusSettings) -> Laid:
    """Write WEBEmo below `root`: a quarter of `pictures_per_emotion` a word, as it has four times the words."""
    album = Album(root, FAULTS)
    splits = share_out(max(FEWEST, settings.pictures_per_emotion // 4), VALIDATION_SHARE, TEST_SHARE)
    for rank, emotion in enumerate(taxonomy.get("parrott25").labels):
        folder = SPELLINGS.get(emotion, emotion)
        for index, split in enumerate(splits):
            drawing = draw(emotion, f"{settings.seed}/webemo/{index}", settings.size)
            album.add(f"{split}/{folder}/{rank * len(splits) + index + 1}.jpg", drawing.image, rank, index)
    return Laid(album.pictures, album.rejected)
