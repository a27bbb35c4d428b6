from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tinyemo_data import sample_writing, sources
from tinyemo_data.errors import FeatureError, StoreError, TableError, UnknownLabelError
from tinyemo_data.features.statistics_table import SCHEMA, statistics_key, write_statistics
from tinyemo_data.ingest import ingest_into
from tinyemo_data.sample import Sample, samples_key
from tinyemo_data.sample_writing import write_sorted_samples
from tinyemo_data.settings import DatasetSettings, SynthesisSettings
from tinyemo_data.store import Store
from tinyemo_data.synthesis import subject_tables
from tinyemo_data.synthesis.drafting import plan_drafts
from tinyemo_data.synthesis.order import rank_of
from tinyemo_data.synthesis.recipe import recipe_of
from tinyemo_data.synthesis.subject import Facts, Subject
from tinyemo_data.synthesis.subjects import Subjects

ENCODER = "encoder"


def digest(content: str) -> str:
    return sha256(content.encode()).hexdigest()


def sample(name: str, content: str | None = None, split: str = "train", **values: Any) -> dict[str, Any]:
    dataset, _, path = name.partition("/")
    return {
        "sample_id": name, "source_kind": "picture", "dataset": dataset, "split": split, "image_path": f"{path}.jpg",
        "sha256": digest(content or name), "phash": "0" * 16, "width": 8, "height": 9, "label_source": "folder",
        "emotion": "awe", "taxonomy": "mikels8", **values,
    }  # fmt: skip


def feature(name: str) -> dict[str, Any]:
    return sample(name, source_kind="feature", phash=None, width=None, height=None)


def fill(store: Store, rows: Iterable[dict[str, Any]]) -> None:
    by_dataset: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_dataset.setdefault(row["dataset"], []).append(row)
    for dataset, found in by_dataset.items():
        table = pl.DataFrame(found, schema=Sample.create_empty().schema)
        write_sorted_samples(store, dataset, [table.sort("sample_id")], [])


def measure(store: Store, dataset: str, names: Iterable[str], brightness: float = 0.25) -> None:
    """Write statistics of these pictures as a fill of features does: in the order of sample_id."""
    kept = pl.DataFrame({"sample_id": sorted(names)}, schema={"sample_id": pl.String})
    kept = kept.with_columns(sha256=pl.Series([digest(name) for name in kept["sample_id"]], dtype=pl.String))
    colours = [[{"colour": "#aabbcc", "share": 0.5}]] * len(kept)
    measured = {"sha256": kept["sha256"], "brightness": [brightness] * len(kept), "colourfulness": [20.0] * len(kept)}
    frame = pl.DataFrame({**measured, "dominant_colours": colours}, schema=SCHEMA)
    write_statistics(store, ENCODER, dataset, kept, frame)


def ids(subjects: Iterable[Subject]) -> list[str]:
    return [subject.sample_id for subject in subjects]


def test_subjects_are_the_train_pictures_in_the_order_of_datasets_and_ids(store: Store) -> None:
    fill(store, [sample("fi/b"), sample("fi/a"), sample("fi/c", split="test"), sample("abstract/z"), feature("fi/f")])
    subjects = Subjects(store, ["fi", "abstract"])
    assert ids(subjects) == ["fi/a", "fi/b", "abstract/z"]
    assert subjects.left_out == {"released feature": 1}
    assert ids(subjects) == ids(subjects)


def test_subject_says_what_its_sample_says(store: Store) -> None:
    attributes = {"brightness": 0.9, "scene": "beach", "object": ["dog", "kite"], "facial_expression": "smile",
                  "human_action": "run"}  # fmt: skip
    fill(store, [sample("emoset/image/a", attributes=attributes, valence=5.0, arousal=2.0)])
    (subject,) = Subjects(store, ["emoset"])
    facts = Facts(width=8, height=9, scene="beach", objects=("dog", "kite"), facial_expression="smile",
                  human_action="run", valence=5.0, arousal=2.0)  # fmt: skip
    assert subject == Subject(
        "emoset/image/a", "emoset", "image/a.jpg", digest("emoset/image/a"), "awe", "mikels8", "annotators", facts
    )
    assert subject.image == "emoset/image/a.jpg"


def test_equal_bytes_are_one_subject_within_and_across_datasets(store: Store) -> None:
    fill(store, [sample("fi/a", "same"), sample("fi/b", "same"), sample("fi/c"), sample("emoset/d", "same")])
    subjects = Subjects(store, ["fi", "emoset"])
    assert ids(subjects) == ["fi/a", "fi/c"]
    assert subjects.left_out == {"same bytes as an earlier one": 2}
    assert ids(Subjects(store, ["emoset", "fi"])) == ["emoset/d", "fi/c"]


def test_twin_in_the_test_split_does_not_hide_a_train_picture(store: Store) -> None:
    fill(store, [sample("fi/a", "same", split="test"), sample("fi/b", "same")])
    assert ids(Subjects(store, ["fi"])) == ["fi/b"]


@given(
    st.sets(st.text("abc", min_size=1, max_size=3), min_size=1, max_size=20),
    st.sets(st.text("abc", min_size=1, max_size=3), max_size=20),
    st.integers(1, 7),
    st.integers(1, 7),
)
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_statistics_are_joined_as_a_dict_would_however_they_are_cut(
    store: Store, pictures: set[str], measured: set[str], rows: int, groups: int
) -> None:
    measure(store, "fi", [f"fi/{name}" for name in measured])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subject_tables, "ROWS", rows)
        patch.setattr(sample_writing, "ROW_GROUP", groups)
        fill(store, [sample(f"fi/{name}") for name in pictures])
        found = {subject.sample_id: subject.facts for subject in Subjects(store, ["fi"], ENCODER)}
    without, colours = Facts(width=8, height=9), (("#aabbcc", 0.5),)
    known = Facts(brightness=0.25, colourfulness=20.0, dominant_colours=colours, width=8, height=9)
    assert found == {f"fi/{name}": known if name in measured else without for name in pictures}


def test_statistics_of_other_bytes_are_none(store: Store) -> None:
    fill(store, [sample("fi/a", "mended"), sample("fi/b")])
    measure(store, "fi", ["fi/a", "fi/b"])
    assert [subject.facts.brightness for subject in Subjects(store, ["fi"], ENCODER)] == [None, 0.25]


def test_absent_statistics_are_no_error_and_damaged_ones_are(store: Store) -> None:
    fill(store, [sample("fi/a"), sample("fi/b")])
    assert [subject.facts.brightness for subject in Subjects(store, ["fi"], ENCODER)] == [None, None]
    measure(store, "fi", ["fi/a", "fi/b"])
    key = statistics_key(ENCODER, "fi")
    backwards = store.read_table(key).reverse()
    store.write_table(key, backwards)
    with pytest.raises(FeatureError, match=r"not in the order of sample_id. Materialize features/fi again"):
        list(Subjects(store, ["fi"], ENCODER))
    store.write_bytes(key, b"no Parquet")
    with pytest.raises(FeatureError, match=r"damaged.*Materialize features/fi again"):
        list(Subjects(store, ["fi"], ENCODER))


def test_predictions_take_the_place_of_the_annotators_labels(store: Store) -> None:
    fill(store, [sample("fi/a"), sample("fi/b"), sample("fi/c")])
    predictions = pl.DataFrame({"sample_id": ["fi/c", "fi/a"], "emotion": ["sad", "fear"]})
    found = list(Subjects(store, ["fi"], predictions=predictions))
    assert [(one.emotion, one.taxonomy, one.label_origin) for one in found] == [
        ("fear", "mikels8", "projector"), (None, None, None), ("sadness", "mikels8", "projector"),
    ]  # fmt: skip


def test_predictions_that_fit_no_picture_are_errors(store: Store) -> None:
    fill(store, [sample("fi/a"), sample("oasis/x", emotion=None, taxonomy=None, label_source="dimensions")])
    frame = pl.DataFrame({"sample_id": ["fi/a"], "emotion": ["joy"]})
    with pytest.raises(UnknownLabelError, match=r"predictions, fi/a.*'joy' is not in the taxonomy 'mikels8'"):
        list(Subjects(store, ["fi"], predictions=frame))
    with pytest.raises(TableError, match="several"):
        list(Subjects(store, ["fi"], predictions=pl.concat([frame, frame])))
    with pytest.raises(TableError, match="column 'emotion' is missing"):
        list(Subjects(store, ["fi"], predictions=frame.drop("emotion")))
    of_oasis = pl.DataFrame({"sample_id": ["oasis/x"], "emotion": ["joy"]})
    with pytest.raises(TableError, match=r"'oasis/x' has the label 'joy'.*column 'taxonomy'"):
        list(Subjects(store, ["oasis"], predictions=of_oasis))
    (found,) = Subjects(store, ["oasis"], predictions=of_oasis.with_columns(taxonomy=pl.lit("ekman6")))
    assert (found.emotion, found.taxonomy) == ("joy", "ekman6")


def test_picture_with_dimensions_alone_has_a_theme_and_no_label(store: Store) -> None:
    dimensions: dict[str, Any] = {"emotion": None, "taxonomy": None, "label_source": "dimensions", "object": "scenery"}
    fill(store, [sample("oasis/x", keyword="beach", valence=6.1, **dimensions)])
    (subject,) = Subjects(store, ["oasis"])
    assert (subject.emotion, subject.taxonomy, subject.label_origin) == (None, None, None)
    assert (subject.facts.theme, subject.facts.objects, subject.facts.valence) == ("beach", (), 6.1)


def test_search_word_that_is_an_emotion_is_no_theme_and_an_object_folder_is_an_object(store: Store) -> None:
    fill(store, [sample("emotion6/a", keyword="anger"), sample("unbiasedemo/b", object="baby")])
    found = [subject.facts for subject in Subjects(store, ["emotion6", "unbiasedemo"])]
    assert [(facts.theme, facts.objects) for facts in found] == [(None, ()), (None, ("baby",))]


@given(st.integers(1, 40), st.integers(0, 3))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_limit_draws_distinct_pictures_by_seed(store: Store, limit: int, seed: int) -> None:
    rows = [sample(f"fi/{number:02d}", str(number % 25)) for number in range(50)]
    fill(store, rows)
    limited = Subjects(store, ["fi"], limit=limit, seed=seed)
    found = ids(limited)
    everything = ids(Subjects(store, ["fi"]))
    assert len(everything) == 25
    assert found == sorted(sorted(everything, key=lambda name: rank_of(seed, name))[:limit])
    assert limited.left_out["over the limit"] == 25 - len(found)


def test_missing_or_foreign_sample_tables_say_what_to_materialize(store: Store) -> None:
    with pytest.raises(StoreError, match="not there"):
        list(Subjects(store, ["fi"]))
    store.write_bytes(samples_key("fi"), b"no Parquet")
    with pytest.raises(StoreError, match="no readable Parquet"):
        list(Subjects(store, ["fi"]))
    fill(store, [sample("fi/a"), sample("fi/b")])
    table = store.read_table(samples_key("fi"))
    store.write_table(samples_key("fi"), table.drop("keyword"))
    with pytest.raises(TableError, match="column 'keyword' is missing"):
        list(Subjects(store, ["fi"]))
    store.write_table(samples_key("fi"), table.reverse())
    with pytest.raises(TableError, match="comes twice or out of order"):
        list(Subjects(store, ["fi"]))


def test_fingerprint_changes_with_all_that_decides_the_subjects_and_with_nothing_else(store: Store) -> None:
    fill(store, [sample("fi/a"), sample("fi/b"), sample("emoset/c")])
    predictions = pl.DataFrame({"sample_id": ["fi/a", "fi/b"], "emotion": ["awe", "fear"]})
    seen = [
        Subjects(store, ["fi"]).fingerprint,
        Subjects(store, ["fi", "emoset"]).fingerprint,
        Subjects(store, ["fi"], limit=1).fingerprint,
        Subjects(store, ["fi"], limit=1, seed=1).fingerprint,
        Subjects(store, ["fi"], ENCODER).fingerprint,
        Subjects(store, ["fi"], predictions=predictions).fingerprint,
    ]
    measure(store, "fi", ["fi/a"])
    seen.append(Subjects(store, ["fi"], ENCODER).fingerprint)
    assert Subjects(store, ["fi"]).fingerprint == seen[0]
    assert Subjects(store, ["fi"], predictions=predictions.reverse()).fingerprint == seen[5]
    fill(store, [sample("fi/a", "mended"), sample("fi/b")])
    seen.append(Subjects(store, ["fi"]).fingerprint)
    assert len(set(seen)) == len(seen)


def test_real_pictures_with_dimensions_alone_are_asked_what_needs_no_label(store: Store, shared_data: Path) -> None:
    ingest_into(store, sources.get("oasis"), shared_data / "oasis", DatasetSettings())
    subjects = list(Subjects(store, ["oasis"]))
    assert len(subjects) > 100
    assert all(1 <= (one.facts.valence or 0) <= 7 for one in subjects)
    assert {one.facts.theme for one in subjects} > {"beach", "dog"}
    recipe = recipe_of(SynthesisSettings.model_validate({"sets": {"pretrain": {}}}), "pretrain")
    report = plan_drafts(store, recipe, subjects)
    assert report.by_task == {"caption": len(subjects), "vqa": len(subjects)}


def test_set_of_real_tables_is_planned_once_by_its_fingerprint(store: Store) -> None:
    fill(store, [sample("fi/a"), sample("fi/b")])
    recipe = recipe_of(SynthesisSettings.model_validate({"sets": {"finetune": {}}}), "finetune")
    made = [
        plan_drafts(store, recipe, subjects, subjects.fingerprint).made
        for subjects in (Subjects(store, ["fi"]), Subjects(store, ["fi"]), Subjects(store, ["fi"], limit=1))
    ]
    assert made == [True, False, True]
