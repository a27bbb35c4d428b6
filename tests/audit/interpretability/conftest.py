"""Words in a planted geometry, in memory and as a language model's folder, and a projector on real features."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import orjson
import pytest
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from tinyemo_data import settings as profile_settings
from tinyemo_data import sources
from tinyemo_data.audit.interpretability.nearest import Rows
from tinyemo_data.audit.interpretability.pictures import ProjectedPictures
from tinyemo_data.audit.interpretability.whole_words import BYTE_LEVEL, WholeWords
from tinyemo_data.audit.interpretability.word_space import WordSpace
from tinyemo_data.features.identity import encoder_slug
from tinyemo_data.features.materialize import materialize_features
from tinyemo_data.ingest import ingest_into
from tinyemo_data.projector.materialize import all_labels, materialize_projector, materialize_prototypes
from tinyemo_data.settings import Settings
from tinyemo_data.store import Store

WIDTH = 64
PLANTED = {
    "anger": ["shouting", "fist", "riot"],
    "disgust": ["rotten", "mould", "vermin"],
    "fear": ["shadow", "cliff", "spider"],
    "joy": ["balloon", "picnic", "puppy"],
    "sadness": ["grave", "tears", "abandoned"],
    "surprise": ["unicorn", "gasp", "sudden"],
}
FILLERS = 400


def filler(number: int) -> str:
    """A word of letters alone, another one for each number."""
    letters = "bcdfghklmn"
    return "zq" + "".join(letters[int(digit)] for digit in f"{number:03d}")


def planted_rows(words: Sequence[str], near: dict[str, Sequence[str]], seed: int = 0) -> Rows:
    """Random directions, but for the words of `near`, which lie about the direction of their key."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(len(words), WIDTH))
    place = {word: row for row, word in enumerate(words)}
    for head, others in near.items():
        for other in others:
            rows[place[other]] = rows[place[head]] + 0.5 * rng.normal(size=WIDTH)
    return rows.astype(np.float32)


def space_of(words: Sequence[str], rows: Rows) -> WordSpace:
    """Words whose points are their rows, of which none is a label."""
    whole = WholeWords(tuple(words), tuple(range(len(words))), BYTE_LEVEL)
    nothing = torch.zeros(rows.shape[1], dtype=torch.float64)
    return WordSpace(whole, torch.from_numpy(rows), nothing, 0, nothing, np.zeros(len(words), dtype=bool))


@dataclass(frozen=True)
class Planted:
    """Words of which some lie about each emotion's direction, and pictures that do so too."""

    space: WordSpace
    pictures: ProjectedPictures


@pytest.fixture
def planted() -> Callable[..., Planted]:
    """Return a function that plants words, and pictures about them; `labelled` False draws the emotions by lot."""

    def plant(seed: int = 0, labelled: bool = True, each: int = 30) -> Planted:
        words = [*PLANTED, *(word for own in PLANTED.values() for word in own), *map(filler, range(FILLERS))]
        rows = planted_rows(words, dict(PLANTED), seed)
        space = space_of(words, rows)
        rng = np.random.default_rng(seed + 1000)
        emotions = np.repeat(np.array([*PLANTED]), each)
        heads = rows[[words.index(emotion) for emotion in emotions]]
        # All pictures share a direction, as projections do: a mean alone would not tell emotions apart.
        points = heads + 0.7 * rng.normal(size=WIDTH) + rng.normal(size=heads.shape)
        unit = (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)
        told = emotions if labelled else rng.permutation(emotions)
        return Planted(space, pictures_of(unit, told))

    return plant


def pictures_of(
    points: Rows, emotions: npt.NDArray[np.str_], datasets: npt.NDArray[np.str_] | None = None
) -> ProjectedPictures:
    ids = tuple(f"set/{number}" for number in range(len(points)))
    return ProjectedPictures(points, ids, np.array(["set"] * len(points)) if datasets is None else datasets, emotions)


def write_language_model(folder: Path, near: dict[str, Sequence[str]], seed: int = 0) -> Path:
    """Write a language model in the Hugging Face layout, with a byte-level vocabulary and planted embeddings."""
    words = sorted({*all_labels(), *(word for own in near.values() for word in own), *map(filler, range(FILLERS))})
    pieces = ["ing", "ness", "zq"]  # no whole words
    tokens = ["<unk>", "<s>", *pieces, *(BYTE_LEVEL + word for word in words)]
    rows = np.concatenate([np.ones((2 + len(pieces), WIDTH), np.float32), planted_rows(words, near, seed)])
    tokenizer = Tokenizer(models.WordLevel({token: number for number, token in enumerate(tokens)}, unk_token="<unk>"))
    tokenizer.add_special_tokens(["<unk>", "<s>"])
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    folder.mkdir(parents=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    save_file({"model.embed_tokens.weight": torch.from_numpy(rows)}, folder / "model.safetensors")
    config = {"model_type": "llama", "vocab_size": len(tokens), "hidden_size": WIDTH}
    (folder / "config.json").write_bytes(orjson.dumps(config))
    return folder


@dataclass(frozen=True)
class World:
    """A store with real features and a projector to a planted language model."""

    settings: Settings
    store: Store
    slug: str


@pytest.fixture(scope="session")
def world(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> World:
    """The released Emotion6 features, ingested, and a projector learnt from their train folder."""
    folder = tmp_path_factory.mktemp("interpretability")
    profile = profile_settings.load("emotion6")
    few = profile.projector.model_copy(update={"seeds": [0, 1], "epochs": 8})
    (folder / "raw").mkdir()
    (folder / "raw" / "emotion6").symlink_to(shared_data / "emotion6_clip_features")
    settings = profile.model_copy(
        update={
            "raw": str(folder / "raw"),
            "store": str(folder / "store"),
            "projector": few,
            "language_model": str(write_language_model(folder / "planted-lm", dict(PLANTED))),
        }
    )
    store, slug = Store(settings.store), encoder_slug(settings.encoder)
    root, chosen = folder / "raw" / "emotion6", settings.datasets["emotion6"]
    ingest_into(store, sources.get("emotion6"), root, chosen)
    materialize_features(store, "emotion6", root, chosen, settings.encoder)
    materialize_prototypes(store, settings, settings.projector.grounding_text)
    materialize_projector(store, slug, settings.projector)
    return World(settings, store, slug)
