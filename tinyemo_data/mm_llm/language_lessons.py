"""How the demo's small language model learnt to speak: `python -m tinyemo_data.mm_llm.language_lessons FOLDER [WORK]`.

It reads conversations that rules wrote about drawn pictures of another seed than the demo's. In each picture's place
stands another caption of it, or words drawn by lot, with the word for its mood among them or without. So it can follow
a question, copy a label, tell a mood that it finds among noise and reason from it, and it has never seen a picture:
what stands in a picture's place is what a connector has to learn. It stands in for what a language model learnt from
the world's texts. WORK keeps the drawn corpus; drawing and asking takes about 4 minutes, reading 12 on one core.
"""

import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl
import torch
from torch.nn.functional import cross_entropy

from tinyemo_data import settings as profile_settings
from tinyemo_data import sources
from tinyemo_data.features.materialize import materialize_features
from tinyemo_data.ingest import ingest_into
from tinyemo_data.mm_llm import small_language_model
from tinyemo_data.mm_llm.chat import IMAGE, ChatFormat
from tinyemo_data.mm_llm.conversation import as_conversation
from tinyemo_data.presence import dataset_folder
from tinyemo_data.sample_corpus.layouts.corpus import draw_corpus
from tinyemo_data.settings import Settings
from tinyemo_data.store import Store
from tinyemo_data.synthesis.materialize import make_set
from tinyemo_data.synthesis.records import records_key

SEED, PICTURES = 1009, 400  # of the corpus; pictures an emotion
DATASETS = ("emoset", "webemo", "emotionroi")
SETS = {"pretrain": 1, "finetune": 3, "statements": 1, "hq": 1}  # questions a picture
CAREFUL_PER_EMOTION = 60  # records of the set hq
TOLD_SHARE, CAPTION_SHARE = 0.8, 0.3  # of descriptions that tell the mood; that are captions rather than noise
NOISE, MOODS = (0, 48), (1, 6)  # words drawn by lot, and how often the mood's is among them
SHORTENED_SHARE = 0.5  # of reasoned answers that keep their first sentence alone
LONGEST = 400  # tokens of a conversation
BATCH, POOL = 32, 64  # conversations a step; batches that are sorted by length together
IGNORED = -100


def settings_of(work: Path) -> Settings:
    """Return the demo's settings with another corpus, asked about in every way."""
    demo = profile_settings.load("demo")
    sets = {
        name: demo.synthesis.sets[name].model_copy(
            update={"draws": draws} | ({"per_emotion": CAREFUL_PER_EMOTION} if name == "hq" else {})
        )
        for name, draws in SETS.items()
    }
    corpus = demo.sample_corpus.model_copy(update={"seed": SEED, "pictures_per_emotion": PICTURES})
    synthesis = demo.synthesis.model_copy(update={"sets": sets, "label_origin": "annotators"})
    places = {"raw": str(work / "raw"), "store": str(work / "store")}
    return demo.model_copy(update={**places, "sample_corpus": corpus, "synthesis": synthesis})


def write_conversations(settings: Settings) -> Store:
    """Draw the corpus, read it in and have rules answer all questions about it; what is there already is kept."""
    store = Store(settings.store)
    draw_corpus(Path(settings.raw), list(DATASETS), settings.sample_corpus)
    for name in DATASETS:
        folder, chosen = dataset_folder(settings, name), settings.datasets[name]
        ingest_into(store, sources.get(name), folder, chosen)
        materialize_features(
            store, name, folder, chosen, settings.encoder
        )  # rules speak of brightness and colours, too
    for name in SETS:
        make_set(store, settings, name)
    return store


def read_lessons(store: Store, chance: random.Random) -> list[tuple[tuple[str, str], ...]]:
    """Return the turns of all conversations, a description in each picture's place, in an order drawn by lot."""
    tables = [store.read_table(records_key(name)) for name in SETS]
    captions = {
        row["sample_id"]: row["conversations"][1]["value"]
        for row in tables[0].filter(pl.col("task") == "pretrain/caption").iter_rows(named=True)
    }
    words = sorted({word for caption in captions.values() for word in caption.split()})
    lessons = []
    for table in tables:
        for row in table.iter_rows(named=True):
            (question, answer), *rest = as_conversation(row).turns
            caption = captions.get(row["sample_id"], answer)
            told = describe(words if caption == answer else caption.split(), words, row["emotion"], chance)
            lessons.append(((question.replace(IMAGE, told), shortened(answer, chance)), *rest))
    chance.shuffle(lessons)
    return lessons


def describe(caption: Sequence[str], words: Sequence[str], emotion: str, chance: random.Random) -> str:
    """Return what stands for a picture: a caption or noise, with the mood's word at some places, or without."""
    is_caption = caption is not words and chance.random() < CAPTION_SHARE
    told = list(caption) if is_caption else chance.choices(words, k=chance.randint(*NOISE))
    if chance.random() < TOLD_SHARE:
        for _ in range(chance.randint(*MOODS)):
            told.insert(chance.randint(0, len(told)), emotion)
    return " " + " ".join(told)


def shortened(answer: str, chance: random.Random) -> str:
    """Return an answer, at times without most of its reasons, so that its label has to come from what was told."""
    reasons, mark, label = answer.partition("\nPredicted Label: ")
    if not mark or chance.random() > SHORTENED_SHARE:
        return answer
    return f"{reasons.partition('. ')[0].removesuffix('.')}.{mark}{label}"


def batches(encoded: Sequence[tuple[list[int], list[int]]], pad: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yield ids and labels, int64 (B, T), of conversations of like length, in an order drawn by lot."""
    order = torch.randperm(len(encoded)).tolist()
    for start in range(0, len(order), BATCH * POOL):
        pool = sorted(order[start : start + BATCH * POOL], key=lambda number: len(encoded[number][0]))
        for begin in torch.randperm(-(-len(pool) // BATCH)).tolist():
            part = [encoded[number] for number in pool[begin * BATCH : (begin + 1) * BATCH]]
            width = max(len(ids) for ids, _ in part)
            yield (
                torch.tensor([ids + [pad] * (width - len(ids)) for ids, _ in part]),
                torch.tensor([labels + [IGNORED] * (width - len(labels)) for _, labels in part]),
            )


def main(folder: Path, work: Path) -> None:
    """Write and read conversations, and leave model and tokenizer in `folder`."""
    torch.manual_seed(0)
    store = write_conversations(settings_of(work))
    lessons = read_lessons(store, random.Random(0))
    tokenizer = small_language_model.train_tokenizer(text for turns in lessons for turn in turns for text in turn)
    layout = ChatFormat(small_language_model.START, small_language_model.END)
    encoded = [each for each in small_language_model.encode(lessons, tokenizer, layout) if len(each[0]) <= LONGEST]
    kept, asked = encoded[: -len(encoded) // 50], encoded[-len(encoded) // 50 :]
    tokens = sum(len(ids) for ids, _ in kept)
    print(f"{len(kept):,} conversations, {tokens:,} tokens, vocabulary {tokenizer.get_vocab_size()}", flush=True)
    model, pad = small_language_model.build(tokenizer), int(tokenizer.token_to_id(small_language_model.PAD) or 0)
    began = time.monotonic()
    steps = -(-len(kept) // BATCH)

    def report(step: int, loss: float) -> None:
        if step % 100 == 0:
            print(f"step {step} of {steps}, loss {loss:.3f}, {time.monotonic() - began:.0f} s", flush=True)

    small_language_model.teach(model, batches(kept, pad), steps, report)
    with torch.inference_mode():
        losses = [
            float(cross_entropy(model(input_ids=ids).logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten()))
            for ids, labels in batches(asked, pad)
        ]
    print(f"loss on {len(asked):,} conversations that it has not read: {sum(losses) / len(losses):.3f}", flush=True)
    small_language_model.save(model, tokenizer, folder)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        main(Path(sys.argv[1]), Path(sys.argv[2]))
    else:
        with tempfile.TemporaryDirectory(prefix="tinyemo-") as made:
            main(Path(sys.argv[1]), Path(made))
