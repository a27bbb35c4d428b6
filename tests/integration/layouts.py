"""Real photographs, laid out as each dataset is distributed: what a person would have after unpacking it.

The photographs are of OASIS, which has ratings and no emotions; pleasant ones get pleasant labels here, so that
labels are plausible. What should come of a layout is returned with it, by picture.
"""

import csv
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tinyemo_data import taxonomy

PLEASANT = {
    "affection", "amusement", "awe", "cheerfulness", "contentment", "enthrallment", "excitement", "gratitude", "joy",
    "love", "lust", "optimism", "pride", "relief", "surprise", "zest",
}  # fmt: skip
EKMAN = taxonomy.get("ekman6").labels
MIKELS = taxonomy.get("mikels8").labels
UNBIASED = taxonomy.get("unbiasedemo6").labels
PARROTT = taxonomy.get("parrott25").labels
WEBEMO_SPELLING = {"cheerfulness": "cheerfullness", "irritability": "irritabilty"}
ABSTRACT_COLUMNS = ("Amusement", "Anger", "Awe", "Content", "Disgust", "Excitement", "Fear", "Sad")
OTHERWISE = 4  # of every so many pictures of Emotion6, one is felt otherwise than its keyword says


@dataclass(frozen=True)
class Photograph:
    """One photograph of OASIS, with what people said of it (means from 1 to 7)."""

    path: Path
    theme: str
    category: str
    valence: float
    arousal: float


@dataclass
class Laid:
    """What a layout holds, by the picture's path: this is what the Sample table should say."""

    taxonomy: str
    photographs: dict[str, Photograph] = field(default_factory=dict)
    emotions: dict[str, str] = field(default_factory=dict)
    splits: dict[str, str] = field(default_factory=dict)  # of official ones
    known: dict[str, Any] = field(default_factory=dict)  # votes, a distribution, an object or attributes
    kept_apart: dict[str, str] = field(default_factory=dict)  # reason


def photographs(oasis: Path) -> list[Photograph]:
    """Return the photographs of the folder, the most pleasant first."""
    with (oasis / "oasis.csv").open(encoding="utf-8", newline="") as file:
        found = [
            Photograph(
                oasis / "images" / row["file"],
                row["theme"],
                row["category"],
                float(row["valence_mean"]),
                float(row["arousal_mean"]),
            )
            for row in csv.DictReader(file)
        ]
    return sorted(found, key=lambda photograph: (-photograph.valence, photograph.path.name))


def deal(album: Sequence[Photograph], labels: Sequence[str], each: int) -> list[tuple[str, int, Photograph]]:
    """Give every label `each` photographs, numbered from 0; the most pleasant ones to pleasant labels."""
    wanted = [(label, number) for number in range(each) for label in labels]
    pleasant = [place for place in wanted if place[0] in PLEASANT]
    unpleasant = [place for place in wanted if place[0] not in PLEASANT]
    chosen = dict(zip(pleasant, album, strict=False)) | dict(zip(unpleasant, reversed(album), strict=False))
    return [(label, number, chosen[label, number]) for label in labels for number in range(each)]


def lay_emotion6(root: Path, album: Sequence[Photograph]) -> Laid:
    laid = Laid("ekman6")
    header = ["image_filename", "valence", "arousal", *(f"prob. {felt}" for felt in (*EKMAN, "neutral"))]
    rows = ["\t".join(f"[{name}]" for name in header)]
    for emotion, number, photograph in deal(album, EKMAN, 10):
        name = f"{emotion}/{number + 1}.jpg"
        felt = EKMAN[(EKMAN.index(emotion) + 1) % 6] if number % OTHERWISE == 1 else emotion
        shares = {label: (0.7 if label == felt else 0.05) for label in (*EKMAN, "neutral")}
        rating = [f"{1 + (value - 1) * 8 / 6:.4f}" for value in (photograph.valence, photograph.arousal)]
        rows.append("\t".join([name, *rating, *(str(share) for share in shares.values())]))
        place(root, laid, f"images/{name}", photograph, emotion)
        laid.known[f"images/{name}"] = {"distribution": shares, "valence": float(rating[0])}
    write(root / "ground_truth.txt", "\n".join(rows) + "\n")
    return laid


def lay_emotionroi(root: Path, album: Sequence[Photograph]) -> Laid:
    """Lay the very pictures of `lay_emotion6`, with another split."""
    laid = Laid("ekman6")
    lists: dict[str, list[str]] = {"training.txt": [], "testing.txt": []}
    for emotion, number, photograph in deal(album, EKMAN, 10):
        name, split = f"{emotion}/{number + 1}.jpg", "train" if number % 10 < 7 else "test"
        place(root, laid, f"images/{name}", photograph, emotion, split)
        lists["training.txt" if split == "train" else "testing.txt"].append(name)
        write(root / "ground_truth" / name.replace(".jpg", ".txt"), "a map of regions, which is not read")
    for name, lines in lists.items():
        write(root / "training_testing_split" / name, "\n".join(lines) + "\n")
    return laid


def lay_fi(root: Path, album: Sequence[Photograph]) -> Laid:
    laid = Laid("mikels8")
    for emotion, _, photograph in deal(album, MIKELS, 8):
        place(root, laid, f"emotion_dataset/{emotion}/{emotion}_{photograph.path.name}", photograph, emotion)
    return laid


def lay_artphoto(root: Path, album: Sequence[Photograph]) -> Laid:
    laid = Laid("mikels8")
    for emotion, _, photograph in deal(album, MIKELS, 7):
        prefix = "sad" if emotion == "sadness" else emotion
        place(root, laid, f"testImages_artphoto/{prefix}_{photograph.path.name}", photograph, emotion)
    write(root / "testImages_artphoto" / "readme.rtf", "{\\rtf1 nothing}")
    write(root / "testImages_artphoto" / ".DS_Store", "nothing")
    return laid


def lay_abstract(root: Path, album: Sequence[Photograph]) -> Laid:
    """Lay rated paintings: 10 votes beat 9 as numbers and not as text; every eighth row is a tie."""
    laid = Laid("mikels8")
    rows = [",".join(["''", *(f"'{column}'" for column in ABSTRACT_COLUMNS)])]
    for rank, (emotion, number, photograph) in enumerate(deal(album, MIKELS, 7)):
        name = f"abstract_{rank + 1:04d}.jpg"
        path = f"testImages_abstract/{name}"
        second = MIKELS[(MIKELS.index(emotion) + 3) % 8]
        is_tie = number == 6
        votes = dict.fromkeys(MIKELS, 0) | {emotion: 10, second: 10 if is_tie else 9}
        rows.append(",".join([f"'{name}'", *(str(count) for count in votes.values())]))
        if is_tie:
            copy(photograph, root / path)
            laid.kept_apart[path] = "tie"
        else:
            place(root, laid, path, photograph, emotion)
            laid.known[path] = {"votes": votes}
    write(root / "testImages_abstract" / "ABSTRACT_groundTruth.csv", "\r\n".join(rows) + "\r\n")
    return laid


def lay_unbiasedemo(root: Path, album: Sequence[Photograph]) -> Laid:
    laid = Laid("unbiasedemo6")
    for emotion, number, photograph in deal(album, UNBIASED, 9):
        path = f"UnBiasedEmo/images/{emotion}/{photograph.category}/{photograph.theme} {number}.jpg"
        place(root, laid, path, photograph, emotion)
        laid.known[path] = {"object": photograph.category}
    return laid


def lay_emoset(root: Path, album: Sequence[Photograph]) -> Laid:
    """Lay EmoSet-118K, one folder deeper than asked for, its test list with rows of the shorter form."""
    laid = Laid("mikels8")
    base = "EmoSet-118K"
    lists: dict[str, list[list[str]]] = {"train": [], "validation": [], "test": []}
    for emotion, number, photograph in deal(album, MIKELS, 9):
        name, split = f"{emotion}_{number:05d}", ("train", "validation", "test")[(number > 5) + (number > 6)]
        image, annotation = f"image/{emotion}/{name}.jpg", f"annotation/{emotion}/{name}.json"
        attributes = {"brightness": number / 10, "colorfulness": 0.5, "scene": photograph.theme}
        attributes |= {"object": [photograph.category, "Sky"]} if number % 2 else {"human_action": "running"}
        place(root, laid, f"{base}/{image}", photograph, emotion, split)
        laid.known[f"{base}/{image}"] = {"attributes": attributes}
        write(root / base / annotation, json.dumps({"image_id": name, "emotion": emotion, **attributes}))
        lists[split].append([emotion, *([] if split == "test" else [name]), image, annotation])
    for split, rows in lists.items():
        write(root / base / ("val.json" if split == "validation" else f"{split}.json"), json.dumps(rows))
    write(root / base / "info.json", json.dumps({"label2idx": {label: rank for rank, label in enumerate(MIKELS)}}))
    return laid


def lay_webemo(root: Path, album: Sequence[Photograph]) -> Laid:
    laid = Laid("parrott25")
    for emotion, number, photograph in deal(album, PARROTT, 5):
        split = ("train", "train", "train", "validation", "test")[number]
        folder = WEBEMO_SPELLING.get(emotion, emotion)
        place(root, laid, f"{split}/{folder}/{folder}{number}.jpg", photograph, emotion, split)
    return laid


def place(root: Path, laid: Laid, path: str, photograph: Photograph, emotion: str, split: str | None = None) -> None:
    """Copy a photograph to `path` below `root`, and remember what should come of it."""
    copy(photograph, root / path)
    assert path not in laid.photographs, f"two pictures at {path}"
    laid.photographs[path], laid.emotions[path] = photograph, emotion
    if split is not None:
        laid.splits[path] = split


def copy(photograph: Photograph, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(photograph.path, target)


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())


LAYOUTS: dict[str, Callable[[Path, Sequence[Photograph]], Laid]] = {
    "abstract": lay_abstract,
    "artphoto": lay_artphoto,
    "emoset": lay_emoset,
    "emotion6": lay_emotion6,
    "emotionroi": lay_emotionroi,
    "fi": lay_fi,
    "unbiasedemo": lay_unbiasedemo,
    "webemo": lay_webemo,
}
