"""UnbiasedEmo's layout: `UnBiasedEmo/images/<emotion>/<object>/<file>.jpg`; names have blanks, emotions all objects."""

from pathlib import Path

from tinyemo_data import taxonomy
from tinyemo_data.sample_corpus.drawing import draw
from tinyemo_data.sample_corpus.drawn_folder import Laid
from tinyemo_data.sample_corpus.layouts.files import Album
from tinyemo_data.sample_corpus.plan import pick, seeded
from tinyemo_data.settings import SampleCorpusSettings

FOLDER = "UnBiasedEmo/images"
FAULTS = ("not_a_picture",)
# What is drawn, and how its folder is called: objects that go with no emotion in particular.
OBJECTS = {"boat": "sailing boat", "car": "car", "cat": "cat", "dog": "dog", "house": "house", "tree": "tree"}
# The bias that is left in it, for audits to find: an emotion's favourite comes so much more often.
FAVOURITES = {"anger": "car", "fear": "house", "joy": "dog", "love": "cat", "sadness": "boat", "surprise": "tree"}
FAVOUR = 2.0


def lay_out(root: Path, settings: SampleCorpusSettings) -> Laid:
    """Write UnbiasedEmo below `root`, `pictures_per_emotion` files an emotion."""
    album = Album(root, FAULTS)
    for rank, emotion in enumerate(taxonomy.get("unbiasedemo6").labels):
        rng = seeded("unbiasedemo objects", emotion, settings.seed)
        weights = {name: FAVOUR if name == FAVOURITES[emotion] else 1.0 for name in OBJECTS}
        for index in range(settings.pictures_per_emotion):
            # The first few show every object once, as far as they reach.
            name = list(OBJECTS)[index] if index < len(OBJECTS) else pick(rng, weights)
            drawing = draw(emotion, f"{settings.seed}/unbiasedemo/{index}", settings.size, subject=name)
            path = f"{FOLDER}/{emotion}/{OBJECTS[name]}/{OBJECTS[name]} {emotion} {index + 1}.jpg"
            album.add(path, drawing.image, rank, index)
    return Laid(album.pictures, album.rejected)
