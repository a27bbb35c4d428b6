"""ArtPhoto's layout: one flat folder of `<emotion>_<name>.jpg`, `sad` for sadness, with a read-me and a `.DS_Store`."""

from pathlib import Path

from tinyemo_data import taxonomy
from tinyemo_data.sample_corpus.drawing import draw
from tinyemo_data.sample_corpus.drawn_folder import Laid
from tinyemo_data.sample_corpus.layouts.files import Album, write_file
from tinyemo_data.settings import SampleCorpusSettings

FOLDER = "testImages_artphoto"
FAULTS = ("truncated",)
README = rb"{\rtf1\ansi\deff0 {\fonttbl {\f0 Times;}} \f0\fs24 Drawn pictures in the layout of ArtPhoto.\par}" + b"\n"
# The first bytes of every .DS_Store: version 1 and the magic `Bud1`.
DS_STORE = b"\x00\x00\x00\x01Bud1" + bytes(24)


def lay_out(root: Path, settings: SampleCorpusSettings) -> Laid:
    """Write ArtPhoto below `root`, `pictures_per_emotion` files an emotion."""
    album = Album(root, FAULTS)
    for rank, emotion in enumerate(taxonomy.get("mikels8").labels):
        prefix = "sad" if emotion == "sadness" else emotion
        for index in range(settings.pictures_per_emotion):
            drawing = draw(emotion, f"{settings.seed}/artphoto/{index}", settings.size)
            album.add(f"{FOLDER}/{prefix}_{index + 1:04d}.jpg", drawing.image, rank, index)
    write_file(root, f"{FOLDER}/ReadMe.rtf", README)
    write_file(root, f"{FOLDER}/.DS_Store", DS_STORE)
    return Laid(album.pictures, album.rejected)
