"""A small store with all that repositories are staged of: pictures, samples, records, counts, leakage, models."""

import hashlib
import random
from pathlib import Path
from typing import Any

import polars as pl
import torch

from tests.synthesis.export.records import record, write_records
from tinyemo_data import settings as profiles
from tinyemo_data import taxonomy
from tinyemo_data.audit.leakage import leakage_report
from tinyemo_data.evaluation.classification import evaluate_dataset
from tinyemo_data.evaluation.report import ClassificationReport, write_report
from tinyemo_data.features.table import LabelledFeatures
from tinyemo_data.mm_llm.freezing import Stage
from tinyemo_data.projector.checkpoint import Provenance, save_checkpoint
from tinyemo_data.projector.ensemble import ProjectorEnsemble, ensemble_of
from tinyemo_data.projector.model import initial_projector
from tinyemo_data.projector.prototypes import Prototypes, with_digest, write_prototypes
from tinyemo_data.sample import Quarantined, Sample, write_samples
from tinyemo_data.settings import EvaluationSettings, HubSettings, MMLLMSettings, ProjectorSettings, Settings
from tinyemo_data.store import Store
from tinyemo_data.synthesis.diversity import Sampler, as_json, measure_diversity
from tinyemo_data.synthesis.funnel import Funnel
from tinyemo_data.synthesis.gates.registry import gates_passed
from tinyemo_data.synthesis.prompt import load_prompt
from tinyemo_data.synthesis.records import funnel_key, records_key

LABELS = taxonomy.get("mikels8").labels
PICTURES = 12  # of EmoSet, to train with
TASKS = {
    "pretrain": ("pretrain/caption", "pretrain/sqa", "pretrain/vqa"),
    "finetune": ("finetune/reasoning",),
    "hq": ("hq/reasoning",),
}
DIGESTS = {task: load_prompt(task).digest for tasks in TASKS.values() for task in tasks}
SEEN_BY_BOTH = 3  # the EmoSet picture that lies in FI's test split, too
D, H = 8, 12
WORDS = ("lamp", "river", "gate", "field", "hat", "roof", "stone", "wheel", "cloud", "bench", "paper", "tree")


def picture(dataset: str, split: str, number: int, content: bytes) -> dict[str, Any]:
    emotion = LABELS[number % len(LABELS)]
    path = f"image/{emotion}/{emotion}_{number:05d}"
    return {
        "sample_id": f"{dataset}/{path}", "source_kind": "picture", "dataset": dataset, "split": split,
        "image_path": f"{path}.jpg", "sha256": hashlib.sha256(content).hexdigest(),
        "phash": hashlib.sha256(b"hash" + content).hexdigest()[:16], "width": 10, "height": 10, "emotion": emotion,
        "taxonomy": "mikels8", "label_source": "keyword",
    }  # fmt: skip


def content_of(number: int) -> bytes:
    return f"the bytes of picture {number}".encode()


def fill_pictures(raw: Path, store: Store) -> list[dict[str, Any]]:
    """Write EmoSet's train pictures and FI's test pictures, one of which is the same; return EmoSet's samples."""
    train = [picture("emoset", "train", number, content_of(number)) for number in range(PICTURES)]
    test = [picture("fi", "test", 100 + number, content_of(100 + number)) for number in range(4)]
    test.append(picture("fi", "test", 104, content_of(SEEN_BY_BOTH)))
    for rows in (train, test):
        table = pl.DataFrame(rows, schema=Sample.create_empty().schema, strict=False).sort("sample_id")
        write_samples(store, rows[0]["dataset"], table, Quarantined.create_empty())
    for number, row in enumerate(train):
        path = raw / "emoset" / row["image_path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content_of(number))
    return train


def prose(draw: random.Random) -> str:
    return " ".join(f"The {draw.choice(WORDS)} is near the {draw.choice(WORDS)}." for _ in range(4))


def records_of(name: str, samples: list[dict[str, Any]], **changes: Any) -> list[dict[str, Any]]:
    """Return the records of a set: one a picture and task."""
    rows = []
    for number, sample in enumerate(samples):
        for task in TASKS[name]:
            draw = random.Random(f"{task}{number}")
            turns = [("human", f"<image>\n{prose(draw)}"), ("gpt", prose(draw))]
            rows.append(record(number, task, turns=turns, emotion=sample["emotion"]) | {
                "record_id": f"{sample['sample_id']}#{task.partition('/')[2]}", "sample_id": sample["sample_id"],
                "dataset": "emoset", "image": f"emoset/{sample['image_path']}", "picture_sha256": sample["sha256"],
                "taxonomy": "mikels8", "options": [], "prompt_digest": DIGESTS[task],
                "gates": gates_passed(task, None), **changes,
            })  # fmt: skip
    return rows


def fill_set(store: Store, name: str, rows: list[dict[str, Any]]) -> None:
    """Write a set's records and its counts: of each task one more was drafted, and turned away for its length."""
    write_records(store, name, rows)
    funnel, sampler = Funnel(name, drafts=len(rows) + len(TASKS[name])), Sampler()
    counted: list[tuple[Any, ...]] = [(row["task"], row["emotion"], "accepted", None, row["usd"]) for row in rows]
    counted += [(task, LABELS[0], "length", "answer_too_short", 0.25) for task in TASKS[name]]
    columns = {"prompt": pl.String, "emotion": pl.String, "outcome": pl.String, "reason": pl.String, "usd": pl.Float64}
    funnel.add(pl.DataFrame(counted, schema=columns, orient="row"))
    for row in rows:
        sampler.add(row["task"], [row["record_id"]], [row["conversations"][-1]["value"]])
    diversity = as_json(measure_diversity(sampler, funnel.accepted()))
    store.write_json(funnel_key(name), funnel.as_json() | {"diversity": diversity})


def make_prototypes() -> Prototypes:
    words = sorted({label for name in taxonomy.names() for label in taxonomy.get(name).labels})
    generator = torch.Generator().manual_seed(0)
    return with_digest(words, torch.randn(len(words), H, generator=generator), {}, "random points", "{emotion}")


def labelled(dataset: str, split: str, rows: int = 24) -> LabelledFeatures:
    features = torch.randn(rows, D, generator=torch.Generator().manual_seed(len(dataset) + len(split))).half()
    ids = [f"{dataset}/{split}/{number}" for number in range(rows)]
    digests = [hashlib.sha256(one.encode()).hexdigest() for one in ids]
    emotions = [LABELS[number % len(LABELS)] for number in range(rows)]
    return LabelledFeatures(features, ids, digests, [dataset] * rows, ["mikels8"] * rows, emotions)


def fill_projector(store: Store, seeds: tuple[int, ...] = (0, 1)) -> ProjectorEnsemble:
    """Write a projector of two seeds, untrained, and what was measured of it."""
    prototypes = make_prototypes()
    write_prototypes(store, prototypes)
    ensemble = ensemble_of([initial_projector(D, H, 0.2, seed) for seed in seeds], list(seeds), prototypes, 0.5)
    settings = ProjectorSettings(train_on=["emoset"], seeds=list(seeds), center_prototypes=False)
    provenance = Provenance("some-encoder", prototypes.digest, "0" * 64, {"emoset": PICTURES})
    metrics = {"seeds": {str(seed): {"best_epoch": 2, "epochs": []} for seed in seeds}, "candidates": [],
               "held_out_of_train": {"top1": 0.5, "largest_class": 0.125}}  # fmt: skip
    save_checkpoint(store, ensemble, settings, provenance, metrics)
    chosen = EvaluationSettings(datasets=["fi"], bootstrap=100)
    rows = evaluate_dataset(labelled("fi", "test"), labelled("fi", "train"), ensemble, chosen, "fi", "test",
                            trained_on=["emoset"])  # fmt: skip
    write_report(store, ClassificationReport(rows, ["a note of the evaluation"], {
        "profile": "demo", "pictures": "drawn", "encoder": "some-encoder", "language_model": "random points",
        "language_model_made_on_the_spot": True, "datasets_used": ["fi"], "datasets_missing": [],
    }))  # fmt: skip
    return ensemble


def fill_language_model(store: Store, settings: Settings, tower: Path, backbone: Path) -> Settings:
    """Write a language model that sees, untrained, as both stages write it; return settings that name its parts."""
    from tinyemo_data.mm_llm.materialize import compose_parts
    from tinyemo_data.mm_llm.saving import save_model

    named = MMLLMSettings(vision_tower=str(tower), language_model=str(backbone))
    chosen = settings.model_copy(update={"mm_llm": named})
    whole = compose_parts(chosen)
    course = {"best_step": 12, "seconds": 1.5, "points": [{"step": 1, "loss": 5.9}]}
    stages: tuple[tuple[Stage, list[str]], ...] = (("pretrain", named.pretrain.sets), ("finetune", named.finetune.sets))
    for stage, sets in stages:
        digests = {name: store.digest(records_key(name)) for name in sets}
        told = {"identity": "0" * 64, "course": course, "settings": named.model_dump(), "sets": digests}
        save_model(whole, store, stage, told)
    return chosen


def make_settings(folder: Path, **hub: Any) -> Settings:
    """Return the demo's settings over a store and pictures in `folder`."""
    demo = profiles.load("demo")
    return demo.model_copy(
        update={
            "raw": str(folder / "raw"),
            "store": str(folder / "store"),
            "evaluation": demo.evaluation.model_copy(update={"datasets": ["fi", "abstract"]}),
            "hub": HubSettings(**{"namespace": "somebody", **hub}),
        }
    )


def make_world(folder: Path) -> Settings:
    """Fill `folder` with raw pictures and a store; return the settings that read them."""
    settings = make_settings(folder)
    store = Store(settings.store)
    store.claim("drawn")
    samples = fill_pictures(Path(settings.raw), store)
    for name in TASKS:
        fill_set(store, name, records_of(name, samples[: 6 if name == "hq" else None]))
    leakage_report(store, "no-encoder", ["emoset", "fi"])
    fill_projector(store)
    return settings
