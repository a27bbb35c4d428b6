"""Interpretability: time and memory on a large vocabulary, and the words of real pictures in a real language model.

`python -m benchmarks.interpretability` looks 2,000 pictures up among 150,000 words of 2,048 dimensions (made here, on
the disk, bfloat16) and exits with 1 where that takes more than 1 GiB of memory besides the mapped matrix.

`python -m benchmarks.interpretability --language-model FOLDER_OR_HUB_ID --features FOLDER` learns a projector from the
train folder of the released Emotion6 features and prints the words nearest to the pictures of its evaluated split,
beside random words. `--tokenizer` is for models without one of their own. Without `--language-model` it is the small
model made on the spot.
"""

import argparse
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import orjson
import polars as pl
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, pre_tokenizers

from tinyemo_data import settings as profile_settings
from tinyemo_data import sources
from tinyemo_data.audit.interpretability.control import draw_words
from tinyemo_data.audit.interpretability.groups import emotion_groups
from tinyemo_data.audit.interpretability.materialize import materialize_interpretability
from tinyemo_data.audit.interpretability.options import Options
from tinyemo_data.audit.interpretability.pictures import ProjectedPictures
from tinyemo_data.audit.interpretability.report import word_table
from tinyemo_data.audit.interpretability.retrieval import retrieve
from tinyemo_data.audit.interpretability.token_rows import group_rows, nearest_of_pictures, picture_rows
from tinyemo_data.audit.interpretability.word_space import open_word_space
from tinyemo_data.features.identity import encoder_slug
from tinyemo_data.features.materialize import materialize_features
from tinyemo_data.ingest import ingest_into
from tinyemo_data.projector.language_model import LanguageModel
from tinyemo_data.projector.materialize import all_labels, materialize_projector, materialize_prototypes
from tinyemo_data.projector.prototypes import make_prototypes
from tinyemo_data.store import Store

WORDS, WIDTH, PICTURES, EMOTIONS = 150_000, 2_048, 2_000, 8
LIMIT = 2**30  # bytes besides the mapped matrix
RETRIEVED = ("abandoned", "celebration", "danger")


@contextmanager
def watched() -> Iterator[dict[str, float]]:
    """Measure seconds and the growth of anonymous memory (mapped files are none) while the block runs."""
    before, ended = _anonymous(), threading.Event()
    began, used = time.perf_counter(), time.process_time()
    found = {"peak": 0.0}

    def watch() -> None:
        while not ended.wait(0.01):
            found["peak"] = max(found["peak"], _anonymous() - before)

    watcher = threading.Thread(target=watch)
    watcher.start()
    yield found
    ended.set()
    watcher.join()
    found |= {"seconds": time.perf_counter() - began, "cpu": time.process_time() - used}


def _anonymous() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon:"))


def write_large_model(folder: Path) -> LanguageModel:
    """Write a byte-level vocabulary of WORDS whole words, and random embeddings."""
    letters = "bcdfghklmn"
    made = ("zq" + "".join(letters[int(digit)] for digit in f"{number:06d}") for number in range(WORDS))
    words = [*all_labels(), *made][:WORDS]
    tokenizer = Tokenizer(models.WordLevel({f"Ġ{word}": number for number, word in enumerate(words)}, unk_token="Ġjoy"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    generator = torch.Generator().manual_seed(0)
    matrix = torch.cat([torch.randn(WORDS // 10, WIDTH, generator=generator).bfloat16() for _ in range(10)])
    save_file({"model.embed_tokens.weight": matrix}, folder / "model.safetensors")
    config = {"model_type": "llama", "vocab_size": WORDS, "hidden_size": WIDTH}
    (folder / "config.json").write_bytes(orjson.dumps(config))
    return LanguageModel("large", str(folder), None)


def drawn_pictures() -> ProjectedPictures:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(PICTURES, WIDTH)).astype(np.float32)
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    emotions = np.array(all_labels()[:EMOTIONS])[np.arange(PICTURES) % EMOTIONS]
    ids = tuple(f"drawn/{number}" for number in range(PICTURES))
    return ProjectedPictures(points, ids, np.array(["drawn"] * PICTURES), emotions)


def measure_scale() -> int:
    """Print seconds and memory of each part; return the exit status."""
    options, pictures = Options(), drawn_pictures()
    with tempfile.TemporaryDirectory(prefix="tinyemo-benchmark-") as name:
        model = write_large_model(Path(name))
        prototypes = make_prototypes(all_labels(), model.location)
        parts = {}
        with watched() as parts["open the vocabulary"]:
            space = open_word_space(model, prototypes, prototypes.centred())
            control = draw_words(space, options.controls, options.seed)
        with watched() as parts[f"words of {PICTURES:,} pictures"]:
            own, cosines = nearest_of_pictures(pictures, space, options.words_a_picture)
            picture_rows(pictures, space, control, own, cosines)
        with watched() as parts[f"words of {EMOTIONS} emotions, {options.shuffles} shuffles each"]:
            group_rows(emotion_groups(pictures), pictures, space, control, own, options)
    print(f"{len(space):,} whole words × {WIDTH:,}, bfloat16, mapped: {2 * WORDS * WIDTH / 2**20:,.0f} MiB")
    print(f"{'':<40}{'s':>8}{'CPU s':>8}{'MiB':>8}")
    for part, found in parts.items():
        print(f"{part:<40}{found['seconds']:>8.1f}{found['cpu']:>8.1f}{found['peak'] / 2**20:>8.0f}")
    highest = max(found["peak"] for found in parts.values())
    holds = highest < LIMIT
    print(f"{'PASS' if holds else 'FAIL'}  {highest / 2**20:.0f} MiB besides the mapped matrix, under 1,024")
    return 0 if holds else 1


def show_words(features: Path, language_model: str | None, tokenizer: str | None) -> int:
    """Learn from the released features and print the words of their evaluated split."""
    with tempfile.TemporaryDirectory(prefix="tinyemo-benchmark-") as name:
        (Path(name) / "raw").mkdir()
        root = Path(name) / "raw" / "emotion6"
        root.symlink_to(features.resolve())
        chosen = profile_settings.load("emotion6").model_copy(
            update={
                "raw": str(root.parent),
                "store": str(Path(name) / "store"),
                "language_model": language_model,
                "language_model_tokenizer": tokenizer,
            }
        )
        store, slug = Store(chosen.store), encoder_slug(chosen.encoder)
        ingest_into(store, sources.get("emotion6"), root, chosen.datasets["emotion6"])
        materialize_features(store, "emotion6", root, chosen.datasets["emotion6"], chosen.encoder)
        made = materialize_prototypes(store, chosen, chosen.projector.grounding_text)
        materialize_projector(store, slug, chosen.projector)
        began = time.perf_counter()
        explained = materialize_interpretability(store, chosen, slug)
        seconds = time.perf_counter() - began
        context = explained.report.context
        print(f"{made.prototypes.language_model}: {context['whole_words']:,} whole words; {seconds:.1f} s")
        print(f"pictures: {context['looked_at']}")
        with pl.Config(
            tbl_rows=-1, tbl_cols=-1, fmt_str_lengths=90, tbl_width_chars=160, tbl_hide_dataframe_shape=True
        ):
            table = word_table(explained.report.judged)
            print(table.select(table.columns[:5]), table.select("emotion", *table.columns[5:]), sep="\n")
        for word in RETRIEVED:
            found = retrieve(store, chosen, word, 12)
            counts = found.group_by("emotion").len().sort(["len", "emotion"], descending=[True, False])
            print(f"12 nearest to '{word}': {', '.join(f'{emotion} {count}' for emotion, count in counts.iter_rows())}")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--features", type=Path, help="folder that holds images/train and images/validation of Emotion6"
    )
    parser.add_argument("--language-model", help="folder in the Hugging Face layout, or a hub id")
    parser.add_argument("--tokenizer", help="folder or hub id of the tokenizer, where the model has none of its own")
    typed = parser.parse_args()
    if typed.features is None:
        return measure_scale()
    return show_words(typed.features, typed.language_model, typed.tokenizer)


if __name__ == "__main__":
    torch.set_num_threads(2)
    sys.exit(main())
