"""The drawn datasets lie as the real ones do: their readers find in them exactly what the report announces."""

import csv
import io
import json
from collections import Counter
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.ingested import Tables, ingest
from tinyemo_data import sources, taxonomy
from tinyemo_data.sample_corpus.finish import brightness
from tinyemo_data.sample_corpus.layouts import CorpusReport, abstract, draw_corpus, emotion6
from tinyemo_data.sample_corpus.layouts.corpus import LAYOUTS
from tinyemo_data.sample_corpus.layouts.files import share_out
from tinyemo_data.sample_corpus.plan import seeded
from tinyemo_data.settings import DatasetSettings, SampleCorpusSettings

PICTURES = 9
FILES = dict.fromkeys(LAYOUTS, 8 * PICTURES) | dict.fromkeys(("emotion6", "emotionroi", "unbiasedemo"), 6 * PICTURES)
FILES["webemo"] = 25 * 4


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, CorpusReport]:
    """All datasets, small."""
    raw = tmp_path_factory.mktemp("corpus") / "raw"
    return raw, draw_corpus(raw, sorted(LAYOUTS), SampleCorpusSettings(pictures_per_emotion=PICTURES, size=48))


def read(corpus: tuple[Path, CorpusReport], dataset: str, label: str = "keyword") -> Tables:
    return ingest(sources.get(dataset), corpus[0] / dataset, DatasetSettings.model_validate({"label": label}))


@pytest.mark.parametrize("dataset", sorted(LAYOUTS))
def test_reader_finds_what_the_report_announces(corpus: tuple[Path, CorpusReport], dataset: str) -> None:
    report, ingested = corpus[1], read(corpus, dataset)
    assert len(ingested.samples) == report.pictures_by_dataset[dataset]
    assert dict(ingested.quarantine.select("path", "reason").iter_rows()) == report.rejected[dataset]
    assert len(ingested.samples) + len(ingested.quarantine) == FILES[dataset]
    assert ingested.notes == []


def test_report_sums_its_datasets_and_names_every_planted_fault(corpus: tuple[Path, CorpusReport]) -> None:
    report = corpus[1]
    assert report.pictures == sum(report.pictures_by_dataset.values())
    assert report.datasets == report.drawn == sorted(LAYOUTS)
    faults = {name: sorted(rejected.values()) for name, rejected in report.rejected.items() if name != "abstract"}
    assert faults == {
        "artphoto": ["truncated"],
        "emoset": ["empty_file", "truncated"],
        "emotion6": ["empty_file", "truncated"],
        "emotionroi": [],
        "fi": ["not_a_picture", "placeholder", "placeholder", "truncated"],
        "unbiasedemo": ["not_a_picture"],
        "webemo": ["not_a_picture", "placeholder"],
    }


@pytest.mark.parametrize("dataset", sorted(LAYOUTS))
def test_every_emotion_of_the_taxonomy_has_samples(corpus: tuple[Path, CorpusReport], dataset: str) -> None:
    card = sources.get(dataset).card
    assert card.taxonomy is not None
    assert set(read(corpus, dataset).samples["emotion"]) == set(taxonomy.get(card.taxonomy).labels)


def test_emotion6_rows_have_the_distributed_form(corpus: tuple[Path, CorpusReport]) -> None:
    text = (corpus[0] / "emotion6" / "ground_truth.txt").read_text()
    header, *rows = text.splitlines()
    assert header == (
        "[image_filename]\t[valence]\t[arousal]\t[prob. anger]\t[prob. disgust]\t[prob. fear]\t[prob. joy]\t"
        "[prob. sadness]\t[prob. surprise]\t[prob. neutral]"
    )
    assert sorted(row.split("\t")[0] for row in rows) == sorted(
        path.relative_to(corpus[0] / "emotion6" / "images").as_posix()
        for path in (corpus[0] / "emotion6" / "images").rglob("*.jpg")
    )
    for row in rows:
        _, valence, arousal, *shares = row.split("\t")
        assert 1 <= float(valence) <= 9
        assert 1 <= float(arousal) <= 9
        assert sum(map(float, shares)) == pytest.approx(1, abs=1e-5)


def test_emotion6_people_feel_otherwise_than_the_keyword_in_a_minority(corpus: tuple[Path, CorpusReport]) -> None:
    by_keyword, by_people = read(corpus, "emotion6"), read(corpus, "emotion6", "distribution")
    felt = dict(by_people.samples.select("sample_id", "emotion").iter_rows())
    keywords = dict(by_keyword.samples.select("sample_id", "emotion").iter_rows())
    reasons = Counter(by_people.quarantine["reason"])
    otherwise = [sample for sample, emotion in felt.items() if emotion != keywords[sample]]
    assert reasons["neutral"] == 6  # one of the first nine a keyword
    assert len(otherwise) == 0
    feelings = [emotion6.main_feeling("joy", index, seeded(index)) for index in range(70)]
    assert feelings.count("neutral") == 5
    assert feelings.count("joy") == 60


@given(st.sampled_from(emotion6.FELT), st.integers(0, 2**32))
def test_emotion6_votes_have_one_mode_and_are_fifteen_people(main: str, seed: int) -> None:
    votes = emotion6.half_votes(main, np.random.default_rng(seed))
    assert votes.sum() == 30
    assert sorted(votes)[-1] > sorted(votes)[-2]
    assert emotion6.FELT[int(votes.argmax())] == main


def test_emotion6_pleasant_keywords_are_rated_more_pleasant(corpus: tuple[Path, CorpusReport]) -> None:
    valences = read(corpus, "emotion6").samples.group_by("emotion").agg(pl.col("valence").mean())
    means = dict(valences.iter_rows())
    assert means["joy"] > means["surprise"] > means["sadness"]


def test_emotionroi_has_twins_of_all_pictures_of_emotion6_in_another_split(corpus: tuple[Path, CorpusReport]) -> None:
    first, second = read(corpus, "emotion6").samples, read(corpus, "emotionroi").samples
    assert not set(first["sha256"]) & set(second["sha256"])
    for path in first["image_path"]:
        with Image.open(corpus[0] / "emotion6" / path) as one, Image.open(corpus[0] / "emotionroi" / path) as other:
            difference = np.abs(np.asarray(one, dtype=int) - np.asarray(other, dtype=int)).mean()
        assert difference < 8
    assert Counter(second["split"]) == {"test": 18, "train": 36}


def test_emotionroi_maps_have_their_pictures_sizes(corpus: tuple[Path, CorpusReport]) -> None:
    root = corpus[0] / "emotionroi"
    for path in sorted((root / "images").rglob("*.jpg")):
        with (
            Image.open(path) as picture,
            Image.open(root / "ground_truth" / path.relative_to(root / "images")) as regions,
        ):
            assert picture.size == regions.size
            assert regions.mode == "L"
            assert np.asarray(regions).max() > 150


def test_abstract_csv_is_quoted_and_some_labels_are_wrong_when_votes_compare_as_strings(
    corpus: tuple[Path, CorpusReport],
) -> None:
    text = (corpus[0] / "abstract" / "testImages_abstract" / "ABSTRACT_groundTruth.csv").read_text()
    header, *rows = csv.reader(io.StringIO(text))
    assert header == ["''", *(f"'{name}'" for name in abstract.COLUMNS)]
    assert all(name.startswith("'abstract_") and name.endswith(".jpg'") for name, *_ in rows)
    votes = [list(map(int, row[1:])) for row in rows]
    assert 13 < np.mean([sum(row) for row in votes]) < 15
    fooled = [row for row in votes if row.index(max(row)) != list(map(str, row)).index(max(map(str, row)))]
    assert fooled


@given(st.sampled_from(abstract.LABELS), st.integers(1, 400), st.integers(0, 9))
def test_abstract_votes_tie_exactly_where_they_should(emotion: str, number: int, seed: int) -> None:
    votes = sorted(abstract.cast_votes(emotion, number, seed).tolist())
    assert (votes[-1] == votes[-2]) == (number % abstract.TIE_EVERY == 0)
    assert votes[-1] > 0


def test_artphoto_prefix_is_sad_and_other_files_lie_about(corpus: tuple[Path, CorpusReport]) -> None:
    names = {path.name for path in (corpus[0] / "artphoto" / "testImages_artphoto").iterdir()}
    assert {"sad_0001.jpg", "ReadMe.rtf", ".DS_Store"} <= names
    assert not any(name.startswith("sadness") for name in names)


def test_unbiasedemo_names_have_blanks_and_objects_occur_in_every_emotion(corpus: tuple[Path, CorpusReport]) -> None:
    samples = read(corpus, "unbiasedemo").samples
    assert all(" " in path for path in samples["image_path"])
    combined = set(samples.select("emotion", "object").iter_rows())
    # Anger's first picture, of a boat, is the planted web page.
    assert len(combined | {("anger", "sailing boat")}) == 6 * 6


def test_webemo_folders_are_misspelt_and_every_split_has_every_emotion(corpus: tuple[Path, CorpusReport]) -> None:
    folders = {path.name for path in (corpus[0] / "webemo" / "train").iterdir()}
    assert {"cheerfullness", "irritabilty"} <= folders
    samples = read(corpus, "webemo").samples
    for split in ("train", "validation", "test"):
        assert samples.filter(samples["split"] == split)["emotion"].n_unique() == 25


def test_emoset_annotations_are_measured_and_numbered(corpus: tuple[Path, CorpusReport]) -> None:
    root = corpus[0] / "emoset"
    info = json.loads((root / "info.json").read_text())
    broken = corpus[1].rejected["emoset"]
    rows = [row for name in ("train", "val", "test") for row in json.loads((root / f"{name}.json").read_text())]
    assert {len(row) for row in rows} == {3, 4}
    for *_, image, annotation in rows:
        found = json.loads((root / annotation).read_text())
        assert found["scene"] in info["scene"]["label2idx"]
        assert all(name in info["object"]["label2idx"] for name in found.get("object", []))
        assert str(found["brightness"]) in info["brightness"]["label2idx"]
        if image not in broken:
            with Image.open(root / image) as picture:
                assert found["brightness"] == pytest.approx(brightness(picture), abs=0.06)


@given(st.integers(3, 2000), st.floats(0, 0.2), st.floats(0, 0.3))
def test_share_out_fills_every_split(count: int, validation: float, test: float) -> None:
    splits = Counter(share_out(count, validation, test))
    assert splits.total() == count
    assert min(splits[name] for name in ("train", "validation", "test")) >= 1


@pytest.mark.parametrize("dataset", sorted(LAYOUTS))
def test_fewest_pictures_still_give_every_emotion_a_sample(dataset: str, tmp_path: Path) -> None:
    report = draw_corpus(tmp_path, [dataset], SampleCorpusSettings(pictures_per_emotion=4, size=32))
    ingested = ingest(sources.get(dataset), tmp_path / dataset, DatasetSettings())
    assert len(ingested.samples) == report.pictures
    card = sources.get(dataset).card
    assert set(ingested.samples["emotion"]) == set(taxonomy.get(str(card.taxonomy)).labels)
