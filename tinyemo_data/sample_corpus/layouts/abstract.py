"""Abstract's layout: numbered abstract paintings and, beside them, a CSV of integer votes in single quotes."""

from pathlib import Path

import numpy as np

from tinyemo_data import taxonomy
from tinyemo_data.sample_corpus.abstraction import draw_abstract
from tinyemo_data.sample_corpus.drawn_folder import Laid
from tinyemo_data.sample_corpus.layouts.files import Album, write_file
from tinyemo_data.sample_corpus.plan import seeded
from tinyemo_data.settings import SampleCorpusSettings

FOLDER = "testImages_abstract"
LABELS = taxonomy.get("mikels8").labels
COLUMNS = ("Amusement", "Anger", "Awe", "Content", "Disgust", "Excitement", "Fear", "Sad")
VOTERS = (12, 17)  # at least, and one more than at most; about 14 an image
MAIN_SHARE = 0.6
ASTRAY_EVERY = 9  # one painting in so many moved people otherwise than it was meant
TIE_EVERY = 16  # one in so many has no single winner; 51 of the real 280 have none


def lay_out(root: Path, settings: SampleCorpusSettings) -> Laid:
    """Write Abstract below `root`, `pictures_per_emotion` paintings an emotion, in a seeded order."""
    album = Album(root)
    meant = [(label, index) for label in LABELS for index in range(settings.pictures_per_emotion)]
    order = seeded("abstract order", settings.seed).permutation(len(meant))
    rows = [",".join(["''", *(f"'{column}'" for column in COLUMNS)])]
    ties: dict[str, str] = {}
    for number, place in enumerate(order.tolist(), start=1):
        emotion, index = meant[place]
        name = f"abstract_{number:04d}.jpg"
        drawing = draw_abstract(emotion, f"{settings.seed}/abstract/{index}", settings.size)
        album.add(f"{FOLDER}/{name}", drawing.image, LABELS.index(emotion), index)
        votes = cast_votes(emotion, number, settings.seed)
        rows.append(",".join([f"'{name}'", *(str(count) for count in votes.tolist())]))
        if number % TIE_EVERY == 0:
            ties[f"{FOLDER}/{name}"] = "tie"
    write_file(root, f"{FOLDER}/ABSTRACT_groundTruth.csv", ("\n".join(rows) + "\n").encode())
    return Laid(album.pictures - len(ties), ties)


def cast_votes(emotion: str, number: int, seed: int) -> np.ndarray:
    """Return the votes for each of LABELS: one emotion has most of them, or two where the number says a tie."""
    rng = seeded("abstract votes", number, seed)
    main = LABELS.index(emotion)
    if number % ASTRAY_EVERY == 0:
        main = int(rng.integers(len(LABELS)))
    other = (main + 1 + int(rng.integers(len(LABELS) - 1))) % len(LABELS)
    voters = int(rng.integers(*VOTERS))
    if number % TIE_EVERY == 0:
        votes = np.zeros(len(LABELS), dtype=np.int64)
        votes[[main, other]] = voters // 2
        return votes
    shares = np.full(len(LABELS), (1 - MAIN_SHARE) / (len(LABELS) - 1))
    shares[main] = MAIN_SHARE
    while True:
        votes = np.asarray(rng.multinomial(voters, shares))
        if np.flatnonzero(votes == votes.max()).tolist() == [main]:
            return votes
