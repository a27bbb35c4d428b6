"""Emotion6's layout: `images/<keyword>/<n>.jpg` and `ground_truth.txt`, in which people often felt otherwise."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tinyemo_data import taxonomy
from tinyemo_data.sample_corpus.drawing import Drawing, draw
from tinyemo_data.sample_corpus.drawn_folder import Laid
from tinyemo_data.sample_corpus.layouts.files import Album, write_file
from tinyemo_data.sample_corpus.plan import seeded
from tinyemo_data.settings import SampleCorpusSettings

FAULTS = ("truncated", "empty_file")
LABELS = taxonomy.get("ekman6").labels
FELT = (*LABELS, "neutral")
HEADER = "[image_filename]\t[valence]\t[arousal]\t" + "\t".join(f"[prob. {felt}]" for felt in FELT)

HALF_VOTES = 30  # 15 people; who felt two things gave each a half
MAIN_SHARE = 0.6
FELT_OTHERWISE_EVERY = 7  # one picture in so many was felt otherwise than its keyword says
# Valence and arousal (1-9) around which a feeling is rated; this project's own choice.
VALENCE_AROUSAL = {
    "anger": (3.0, 5.8),
    "disgust": (2.6, 5.0),
    "fear": (3.1, 6.0),
    "joy": (7.2, 5.5),
    "sadness": (2.9, 3.9),
    "surprise": (6.0, 5.9),
    "neutral": (5.2, 3.4),
}


def lay_out(root: Path, settings: SampleCorpusSettings) -> Laid:
    """Write Emotion6 below `root`, `pictures_per_emotion` files a keyword."""
    album = Album(root, FAULTS)
    rows = [HEADER]
    for emotion, index, drawing in drawings(settings):
        name = f"{emotion}/{index + 1}.jpg"
        album.add(f"images/{name}", drawing.image, LABELS.index(emotion), index)
        rows.append(rating(name, emotion, index, settings.seed))
    write_file(root, "ground_truth.txt", ("\n".join(rows) + "\n").encode())
    return Laid(album.pictures, album.rejected)


def drawings(settings: SampleCorpusSettings) -> Iterator[tuple[str, int, Drawing]]:
    """Yield keyword, index from 0, and drawing of every picture; EmotionROI has the same ones."""
    for emotion in LABELS:
        for index in range(settings.pictures_per_emotion):
            yield emotion, index, draw(emotion, f"{settings.seed}/emotion6/{index}", settings.size)


def rating(name: str, keyword: str, index: int, seed: int) -> str:
    """Return a picture's row of `ground_truth.txt`: what 15 people felt, to six significant digits."""
    rng = seeded("emotion6 rating", name, seed)
    votes = half_votes(main_feeling(keyword, index, rng), rng)
    shares = votes / HALF_VOTES
    means = shares @ np.array([VALENCE_AROUSAL[felt] for felt in FELT])
    valence, arousal = np.clip(means + rng.normal(0, 0.35, 2), 1, 9).round(1)
    return "\t".join([name, *(f"{value:.6g}" for value in (valence, arousal, *shares))])


def main_feeling(keyword: str, index: int, rng: np.random.Generator) -> str:
    """Return what most people felt: the keyword; one picture in seven another feeling or, by turns, nothing."""
    turn, rest = divmod(index, FELT_OTHERWISE_EVERY)
    if rest != FELT_OTHERWISE_EVERY // 2:
        return keyword
    others = [label for label in LABELS if label != keyword]
    return "neutral" if turn % 2 == 0 else others[int(rng.integers(len(others)))]


def half_votes(main: str, rng: np.random.Generator) -> np.ndarray:
    """Return half votes a feeling (in the order of FELT), of which `main` alone has most."""
    shares = np.full(len(FELT), (1 - MAIN_SHARE) / (len(FELT) - 1))
    shares[FELT.index(main)] = MAIN_SHARE
    while True:
        votes = rng.multinomial(HALF_VOTES, rng.dirichlet(shares * 12))
        if np.flatnonzero(votes == votes.max()).tolist() == [FELT.index(main)]:
            return np.asarray(votes)
