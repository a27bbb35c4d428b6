"""A small world with all that the reasoning evaluation reads: samples, features, projector, leakage, both models."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest
import torch

from tests.mm_llm.conftest import (
    EMOTIONS,
    backbone_folder,
    draw_pictures,
    planted_settings,
    row,
    tower_folder,
    write_set,
)
from tinyemo_data import taxonomy
from tinyemo_data.audit.leakage import leakage_report
from tinyemo_data.evaluation.reasoning.twin import forget_training
from tinyemo_data.features.gather import training_features
from tinyemo_data.features.identity import encoder_slug
from tinyemo_data.features.materialize import materialize_features
from tinyemo_data.mm_llm.materialize import compose_parts
from tinyemo_data.mm_llm.saving import save_model
from tinyemo_data.projector.batches import digest_of_data
from tinyemo_data.projector.checkpoint import Provenance, save_checkpoint
from tinyemo_data.projector.ensemble import ensemble_of
from tinyemo_data.projector.model import initial_projector
from tinyemo_data.projector.prototypes import with_digest, write_prototypes
from tinyemo_data.sample import Quarantined, Sample, write_samples
from tinyemo_data.settings import EncoderSettings, EvaluationSettings, ProjectorSettings, Settings
from tinyemo_data.store import Store

__all__ = ["backbone_folder", "tower_folder"]

PICTURES, LEARNT = 40, 16  # the first ones are the train split
TWIN = 20  # a validation picture with the bytes of a train picture
WIDTH = 8  # of the prototypes


@dataclass(frozen=True)
class World:
    """A store and the settings that read it."""

    store: Store
    settings: Settings

    @property
    def encoder(self) -> str:
        """Return the slug of the features."""
        return encoder_slug(self.settings.encoder)


@pytest.fixture(autouse=True)
def one_thread() -> Iterable[None]:
    """Tiny matrices: a second thread only waits for the first."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory, tower_folder: Path, backbone_folder: Path) -> World:
    """EmoSet alone, of one colour each, asked about by models that learnt nothing."""
    folder = tmp_path_factory.mktemp("reasoning")
    store = Store(folder / "store")
    parts = {"vision_tower": str(tower_folder), "language_model": str(backbone_folder), "max_new_tokens": 16}
    settings = planted_settings(folder / "raw", store, {**parts, "device": "cpu", "generation_batch_size": 32})
    settings = settings.model_copy(
        update={
            "encoder": EncoderSettings(model="tinyemo-vit", device="cpu"),
            "synthesis": settings.synthesis.model_copy(update={"datasets": ["emoset"]}),
            "evaluation": EvaluationSettings(datasets=["emoset", "fi"], bootstrap=100, reasoning={"pictures": 10}),
        }
    )
    store.claim("drawn")
    fill_samples(folder / "raw", store)
    for name in ("pretrain", "finetune"):
        write_set(store, name, (row(number) for number in range(LEARNT)))
    materialize_features(store, "emoset", folder / "raw" / "emoset", settings.datasets["emoset"], settings.encoder)
    leakage_report(store, encoder_slug(settings.encoder), ["emoset"])
    fill_projector(store, encoder_slug(settings.encoder))
    whole = compose_parts(settings)
    save_model(whole, store, "pretrain", {"identity": "first"})
    save_model(forget_training(whole, seed=5), store, "finetune", {"identity": "second"})
    return World(store, settings)


def fill_samples(raw: Path, store: Store) -> None:
    """Draw the pictures and write their Sample table, with objects that tell of their emotion."""
    import hashlib

    draw_pictures(raw, PICTURES)
    (raw / "emoset" / f"p{TWIN}.png").write_bytes((raw / "emoset" / "p4.png").read_bytes())
    rows = []
    for number in range(PICTURES):
        content = (raw / "emoset" / f"p{number}.png").read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        rows.append(
            {
                "sample_id": f"emoset/p{number}", "source_kind": "picture", "dataset": "emoset",
                "split": "train" if number < LEARNT else ("validation", "test")[number % 2],
                "image_path": f"p{number}.png", "sha256": digest, "phash": digest[:16], "width": 24, "height": 24,
                "emotion": EMOTIONS[number % 8], "taxonomy": "mikels8", "label_source": "folder",
                "attributes": {"scene": "meadow", "object": ["cat", ("house", "tree", "boat")[number % 3]]},
            }
        )  # fmt: skip
    table = pl.DataFrame(rows, schema=Sample.create_empty().schema, strict=False).sort("sample_id")
    write_samples(store, "emoset", table, Quarantined.create_empty())


def fill_projector(store: Store, encoder: str) -> None:
    """Write an untrained projector, of the rows that it would have learnt from."""
    labels = taxonomy.get("mikels8").labels
    prototypes = with_digest(labels, torch.randn(len(labels), WIDTH), {}, "random points", "{emotion}")
    write_prototypes(store, prototypes)
    learnt, *_ = training_features(store, encoder, ["emoset"])
    ensemble = ensemble_of([initial_projector(learnt.features.shape[1], WIDTH, 0.2, 0)], [0], prototypes, 0.5)
    settings = ProjectorSettings(train_on=["emoset"], seeds=[0], center_prototypes=False)
    provenance = Provenance(encoder, prototypes.digest, digest_of_data(learnt), {"emoset": len(learnt)})
    save_checkpoint(store, ensemble, settings, provenance, {"seeds": {}})
