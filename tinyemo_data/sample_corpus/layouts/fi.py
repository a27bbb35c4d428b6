"""FI's layout: `emotion_dataset/<emotion>/<photo id>.jpg`, with "banned picture" placeholders among them."""

from pathlib import Path

from tinyemo_data import taxonomy
from tinyemo_data.sample_corpus.drawing import draw
from tinyemo_data.sample_corpus.drawn_folder import Laid
from tinyemo_data.sample_corpus.layouts.files import Album
from tinyemo_data.settings import SampleCorpusSettings

FAULTS = ("placeholder", "placeholder", "truncated", "not_a_picture")
FIRST_PHOTO, PHOTO_STEP = 10_012_345, 7_919  # photo ids grow, with gaps


def lay_out(root: Path, settings: SampleCorpusSettings) -> Laid:
    """Write FI below `root`, `pictures_per_emotion` files an emotion."""
    album = Album(root, FAULTS)
    photo = FIRST_PHOTO
    for rank, emotion in enumerate(taxonomy.get("mikels8").labels):
        for index in range(settings.pictures_per_emotion):
            drawing = draw(emotion, f"{settings.seed}/fi/{index}", settings.size)
            album.add(f"emotion_dataset/{emotion}/{photo}.jpg", drawing.image, rank, index)
            photo += PHOTO_STEP
    return Laid(album.pictures, album.rejected)
