"""Eight datasets in their real layouts, from files to figures: real photographs, a real architecture.

Its weights are random, so no accuracy is looked at: what is asserted is what must hold of any encoder.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import torch

from tests.integration.layouts import LAYOUTS, Laid, photographs
from tinyemo_data import settings, sources, taxonomy
from tinyemo_data.audit.leakage import leakage_report
from tinyemo_data.evaluation.classification import evaluate_dataset
from tinyemo_data.evaluation.materialize import materialize_classification
from tinyemo_data.evaluation.row import Row
from tinyemo_data.features.cache import labelled_features
from tinyemo_data.features.gather import labelled_split, training_features
from tinyemo_data.features.materialize import Filled, materialize_features
from tinyemo_data.features.reading import read_features
from tinyemo_data.ingest import ingest_into
from tinyemo_data.projector.materialize import MadeProjector, materialize_projector, materialize_prototypes
from tinyemo_data.sample import read_quarantine, read_samples
from tinyemo_data.settings import DatasetSettings, EncoderSettings, EvaluationSettings, ProjectorSettings
from tinyemo_data.sources.split import assign_split
from tinyemo_data.store import Store

ENCODER = EncoderSettings(model="ViT-S-32-alt", pretrained=None, device="cpu", batch_size=32)
TRAINED_ON = ["emotionroi", "webemo", "emoset"]
EVALUATED = ["emotion6", "fi", "artphoto", "abstract", "unbiasedemo"]
OFFICIAL = {"emotionroi": {"train", "test"}, "webemo": {"train", "validation", "test"}}
OFFICIAL["emoset"] = OFFICIAL["webemo"]
PROJECTOR = ProjectorSettings(train_on=TRAINED_ON, epochs=3, batch_size=64, seeds=[0, 1])


@dataclass(frozen=True)
class World:
    """All nine datasets, ingested and encoded."""

    store: Store
    laid: dict[str, Laid]
    filled: dict[str, Filled]

    @property
    def slug(self) -> str:
        return self.filled["oasis"].encoder

    def rows(self, name: str) -> dict[str, dict[str, Any]]:
        """Return the Sample table's rows by their picture's path."""
        return {row["image_path"]: row for row in read_samples(self.store, name).to_dicts()}


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    """Test workers share the cores: more threads would wait for one another."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def world(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> World:
    base = tmp_path_factory.mktemp("eight")
    store = Store(base / "store")
    album = photographs(shared_data / "oasis")
    laid = {name: lay(base / "raw" / name, album) for name, lay in LAYOUTS.items()}
    roots = {name: base / "raw" / name for name in laid} | {"oasis": shared_data / "oasis"}
    filled = {}
    for name, root in roots.items():
        ingest_into(store, sources.get(name), root, DatasetSettings())
        filled[name] = materialize_features(store, name, root, DatasetSettings(), ENCODER)
    return World(store, laid, filled)


@pytest.fixture(scope="module")
def made(world: World) -> MadeProjector:
    profile = settings.load("emotion6").model_copy(update={"store": world.store.url, "language_model": None})
    materialize_prototypes(world.store, profile, PROJECTOR.grounding_text)
    return materialize_projector(world.store, world.slug, PROJECTOR)


@pytest.mark.parametrize("name", LAYOUTS)
def test_ingest_gives_a_row_a_picture_with_its_label_in_its_datasets_taxonomy(world: World, name: str) -> None:
    laid, rows = world.laid[name], world.rows(name)
    assert {path: row["emotion"] for path, row in rows.items()} == laid.emotions
    assert {row["taxonomy"] for row in rows.values()} == {laid.taxonomy}
    assert set(laid.emotions.values()) == set(taxonomy.get(laid.taxonomy).labels)
    apart = read_quarantine(world.store, name)
    assert dict(apart.select("path", "reason").iter_rows()) == laid.kept_apart


@pytest.mark.parametrize("name", LAYOUTS)
def test_split_is_the_official_one_where_there_is_one_and_the_seeded_one_elsewhere(world: World, name: str) -> None:
    laid, rows = world.laid[name], world.rows(name)
    expected = laid.splits or {path: assign_split(row["sample_id"], 0) for path, row in rows.items()}
    assert {path: row["split"] for path, row in rows.items()} == expected
    assert set(expected.values()) == OFFICIAL.get(name, {"train", "validation", "test"})


@pytest.mark.parametrize("name", ["abstract", "emoset", "emotion6", "unbiasedemo"])
def test_what_people_said_of_a_picture_is_kept(world: World, name: str) -> None:
    rows = world.rows(name)
    for path, known in world.laid[name].known.items():
        for column, expected in known.items():
            assert plain(rows[path][column], expected) == expected, (path, column)


def plain(found: Any, expected: Any) -> Any:
    """Return a cell as its layout has it: lists of pairs as a mapping, a struct without its nulls."""
    if isinstance(found, list) and isinstance(expected, dict):
        return {entry["emotion"]: entry.get("votes", entry.get("probability")) for entry in found}
    if isinstance(found, dict):
        return {key: value for key, value in found.items() if value is not None}
    return found


def test_abstract_takes_the_label_with_most_votes_as_numbers(world: World) -> None:
    for row in world.rows("abstract").values():
        votes = {entry["emotion"]: entry["votes"] for entry in row["votes"]}
        assert row["emotion"] == max(votes, key=lambda label: votes[label])
        assert max(votes, key=lambda label: str(votes[label])) != row["emotion"]  # '9' beats '10' as text


def test_emotion6_can_take_what_people_felt_in_place_of_the_keyword(world: World) -> None:
    root = Path(world.store.url).parent / "raw" / "emotion6"
    felt = Store(f"{world.store.url}-felt")
    ingest_into(felt, sources.get("emotion6"), root, DatasetSettings(label="distribution"))
    rows = read_samples(felt, "emotion6")
    assert rows["keyword"].to_list() != rows["emotion"].to_list()
    assert rows.filter(pl.col("keyword") != pl.col("emotion")).height == len(taxonomy.get("ekman6").labels) * 3


@pytest.mark.parametrize("name", [*LAYOUTS, "oasis"])
def test_features_are_there_for_every_sample(world: World, name: str) -> None:
    table, samples = read_features(world.store, world.slug, name), read_samples(world.store, name)
    assert world.filled[name].report.failed.is_empty()
    assert table.sample_ids == samples["sample_id"].to_list()
    assert table.sha256 == samples["sha256"].to_list()
    assert table.features.shape == (len(samples), 256) and table.features.dtype == torch.float16
    assert torch.isfinite(table.features).all()


def test_each_photograph_is_encoded_once_in_however_many_datasets_it_is(world: World) -> None:
    tables = [read_samples(world.store, name) for name in (*LAYOUTS, "oasis")]
    contents = {digest for table in tables for digest in table["sha256"]}
    assert sum(filled.report.computed for filled in world.filled.values()) == len(contents) == 274
    assert sum(len(table) for table in tables) > 2 * len(contents)
    assert world.filled["emotionroi"].report.computed == 0  # Emotion6's pictures, which were encoded before


def test_the_same_photograph_has_the_same_feature_in_every_dataset(world: World) -> None:
    feature_of: dict[str, torch.Tensor] = {}
    for name in (*LAYOUTS, "oasis"):
        table = read_features(world.store, world.slug, name)
        for digest, feature in zip(table.sha256, table.features, strict=True):
            assert torch.equal(feature_of.setdefault(digest, feature), feature)
    assert len({tuple(feature.tolist()) for feature in feature_of.values()}) == 274


def test_projector_learns_from_the_three_train_splits_jointly_and_from_nothing_else(
    world: World, made: MadeProjector
) -> None:
    labelled, used, missing = training_features(world.store, world.slug, TRAINED_ON)
    expected = {name: Counter(world.laid[name].splits.values())["train"] for name in TRAINED_ON}
    assert used == TRAINED_ON and missing == made.not_at_hand == []
    assert made.config["rows"] == expected == Counter(labelled.datasets)
    assert set(labelled.taxonomies) == {"ekman6", "mikels8", "parrott25"}
    assert made.ensemble.seeds == [0, 1] and made.ensemble.dimension == 256


@pytest.mark.parametrize("name", EVALUATED)
def test_evaluation_of_a_dataset_that_was_not_learnt_from_counts_every_test_picture(
    world: World, made: MadeProjector, name: str
) -> None:
    test = labelled_split(world.store, world.slug, name, "test")
    rows = evaluate(world, made, name)
    labels = list(taxonomy.get(world.laid[name].taxonomy).labels)
    learnt = training_digests(world)
    twins = sum(digest in learnt for digest in test.sha256)
    assert {row.n for row in rows} == {len(test)} | ({len(test) - twins} if 0 < twins < len(test) else set())
    for row in rows:
        assert (row.dataset, row.split, row.labels, row.twins) == (name, "test", labels, twins)
        assert sum(row.support.values()) == row.n and 0 <= row.ci95[0] <= row.top1 <= row.ci95[1] <= 1
    assert Counter(test.emotions) == +Counter(next(row.support for row in rows if not row.twins_removed))


@pytest.mark.parametrize("name", EVALUATED)
def test_evaluation_says_what_each_method_had_seen(world: World, made: MadeProjector, name: str) -> None:
    rows = [row for row in evaluate(world, made, name) if not row.twins_removed]
    projectors = [row for row in rows if row.method.startswith("projector")]
    assert [(row.method, row.seed) for row in projectors] == [
        ("projector", 0),
        ("projector", 1),
        ("projector", None),
        ("projector_ensemble", None),
    ]
    # Emotion6's pictures are EmotionROI's: what looks zero-shot is not.
    assert {row.seen for row in projectors} == {"same pictures" if name == "emotion6" else "zero-shot"}
    assert {tuple(row.fitted_on) for row in projectors} == {tuple(f"{learnt}/train" for learnt in TRAINED_ON)}
    baselines = [row for row in rows if row not in projectors]
    assert {row.method for row in baselines} == {"majority", "nearest_class_mean", "logistic"}
    assert {tuple(row.fitted_on) for row in baselines} == {(f"{name}/train",)}


def evaluate(world: World, made: MadeProjector, name: str) -> list[Row]:
    """Evaluate one dataset, naming the test pictures that the projector has learnt from as twins."""
    test, train = (labelled_split(world.store, world.slug, name, split) for split in ("test", "train"))
    learnt = training_digests(world)
    twins = {key for key, digest in zip(test.sample_ids, test.sha256, strict=True) if digest in learnt}
    labels = taxonomy.get(world.laid[name].taxonomy).labels
    chosen = EvaluationSettings(datasets=EVALUATED, bootstrap=100)
    return evaluate_dataset(
        test, train, made.ensemble, chosen, name, "test", twins, labels=labels, trained_on=TRAINED_ON
    )


def training_digests(world: World) -> set[str]:
    return set(training_features(world.store, world.slug, TRAINED_ON)[0].sha256)


def test_oasis_has_dimensions_and_features_and_no_label_to_learn_from(world: World, shared_data: Path) -> None:
    samples = read_samples(world.store, "oasis")
    assert len(samples) == 274 and read_quarantine(world.store, "oasis").is_empty()
    assert samples["emotion"].null_count() == samples["taxonomy"].null_count() == 274
    rated = {photograph.path.name: photograph for photograph in photographs(shared_data / "oasis")}
    for row in samples.to_dicts():
        photograph = rated[Path(row["image_path"]).name]
        assert (row["valence"], row["arousal"]) == (photograph.valence, photograph.arousal)
    assert len(labelled_features(world.store, world.slug, "oasis", samples)) == 0


def test_oasis_among_the_datasets_to_learn_from_adds_nothing_and_breaks_nothing(world: World) -> None:
    with_oasis, used, _ = training_features(world.store, world.slug, [*TRAINED_ON, "oasis"])
    without, _, _ = training_features(world.store, world.slug, TRAINED_ON)
    assert "oasis" in used and with_oasis.sample_ids == without.sample_ids
    assert torch.equal(with_oasis.features, without.features)


def test_oasis_among_the_datasets_to_evaluate_is_left_out_with_a_note(world: World, made: MadeProjector) -> None:
    leakage_report(world.store, world.slug, [*LAYOUTS, "oasis"])
    chosen = EvaluationSettings(datasets=["unbiasedemo", "oasis"], bootstrap=100)
    profile = settings.load("emotion6").model_copy(
        update={"store": world.store.url, "evaluation": chosen, "projector": PROJECTOR}
    )
    report = materialize_classification(world.store, profile, world.slug).report
    assert {row.dataset for row in report.rows} == {"unbiasedemo"}
    assert any("oasis" in note for note in report.notes)
