import io
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from PIL import Image, ImageEnhance

from tinyemo_data.audit.groups import group_of_samples
from tinyemo_data.audit.near_duplicates import find_near_duplicates, search_near_duplicates
from tinyemo_data.audit.pairs import PAIR_SCHEMA
from tinyemo_data.errors import FeatureError, TableError
from tinyemo_data.features.released import read_released_tensor
from tinyemo_data.features.table import FeatureTable
from tinyemo_data.progress import Progress
from tinyemo_data.sources.picture import PictureFacts, inspect_picture

Row = tuple[str, str, str, str | None]  # sample_id, split, name of the content, phash


def table_of(rows: Sequence[Row]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "sample_id": sample_id,
                "dataset": sample_id.partition("/")[0],
                "split": split,
                "sha256": digest(content),
                "phash": phash,
            }
            for sample_id, split, content, phash in rows
        ],
        schema=dict.fromkeys(("sample_id", "dataset", "split", "sha256", "phash"), pl.String),
    )


def digest(content: str) -> str:
    return sha256(content.encode()).hexdigest()


def features_of(contents: dict[str, torch.Tensor]) -> FeatureTable:
    names = list(contents)
    values = torch.stack(list(contents.values())).half() if names else torch.empty((0, 64)).half()
    return FeatureTable(names, [digest(name) for name in names], values, "encoder")


def drawn(count: int, seed: int = 0) -> dict[str, torch.Tensor]:
    """Unrelated features with a shared mean direction, by the name of their content."""
    generator = torch.Generator().manual_seed(seed)
    return {f"c{number}": torch.randn(64, generator=generator) + 2 for number in range(count)}


def flip(phash: str, bits: int) -> str:
    return f"{int(phash, 16) ^ ((1 << bits) - 1):016x}"


def found(pairs: pl.DataFrame) -> list[tuple[str, str, str]]:
    return [(row["first"], row["second"], row["kind"]) for row in pairs.to_dicts()]


HASH = "0f1e2d3c4b5a6978"


def test_find_near_duplicates_finds_equal_bytes_across_datasets_and_splits() -> None:
    samples = table_of(
        [("b/1", "test", "same", HASH), ("a/9", "train", "same", HASH), ("a/2", "train", "x", flip(HASH, 40))]
    )
    pairs = find_near_duplicates(samples)
    assert dict(pairs.schema) == dict(PAIR_SCHEMA)
    assert pairs.to_dicts() == [
        {
            "first": "a/9", "second": "b/1", "first_dataset": "a", "second_dataset": "b", "first_split": "train",
            "second_split": "test", "hamming": 0, "cosine": None, "kind": "identical", "group": "a/9",
        }
    ]  # fmt: skip


@pytest.mark.parametrize(("bits", "is_found"), [(0, True), (8, True), (9, False), (40, False)])
def test_find_near_duplicates_goes_by_the_hash_when_there_are_no_features(bits: int, is_found: bool) -> None:
    samples = table_of([("a/1", "train", "x", HASH), ("a/2", "test", "y", flip(HASH, bits))])
    assert found(find_near_duplicates(samples)) == ([("a/1", "a/2", "near")] if is_found else [])


@pytest.mark.parametrize(
    ("bits", "closeness", "is_found"),
    [(16, 0.85, True), (17, 0.85, False), (40, 0.85, False), (40, 0.2, True), (4, 9.0, False), (16, 9.0, False)],
    ids=["confirmed", "too far to be confirmed", "far and alike", "far and equal", "vetoed", "not confirmed"],
)
def test_find_near_duplicates_weighs_hash_and_feature(bits: int, closeness: float, is_found: bool) -> None:
    contents = drawn(200)
    noise = torch.randn(64, generator=torch.Generator().manual_seed(7))
    # Noise of 0.2, 0.85 and 9 deviations: cosines of about 0.98, 0.76 and 0.1.
    contents["twin"] = contents["c0"] + closeness * noise
    samples = table_of([("a/1", "train", "c0", HASH), ("a/2", "test", "twin", flip(HASH, bits))])
    pairs = find_near_duplicates(samples_and(samples, contents), features_of(contents))
    assert found(pairs) == ([("a/1", "a/2", "near")] if is_found else [])


def samples_and(samples: pl.DataFrame, contents: dict[str, torch.Tensor]) -> pl.DataFrame:
    """Add pictures without hashes for all contents that `samples` lack: they are what the mean is taken of."""
    known = set(samples["sha256"])
    others = [(f"z/{name}", "train", name, None) for name in contents if digest(name) not in known]
    return pl.concat([samples, table_of(others)])


def test_find_near_duplicates_goes_by_features_alone_when_hashes_are_null() -> None:
    contents = drawn(200)
    contents["again"] = contents["c3"] * 1.5 + 0.05
    rows: list[Row] = [(f"a/{name}", "train", name, None) for name in contents]
    search = search_near_duplicates(table_of(rows), features_of(contents))
    assert found(search.pairs) == [("a/again", "a/c3", "near")]
    assert search.pairs["hamming"].to_list() == [None]
    assert search.pairs["cosine"][0] > 0.99
    assert search.cosine_used


def test_find_near_duplicates_ignores_cosines_when_features_have_few_effective_dimensions() -> None:
    generator = torch.Generator().manual_seed(0)
    shades = {f"c{n}": torch.ones(64) * 5 + torch.randn(3, generator=generator) @ torch.eye(3, 64) for n in range(200)}
    samples = table_of([(f"a/{name}", "train", name, None) for name in shades])
    search = search_near_duplicates(samples, features_of(shades))
    assert search.effective_dimension is not None
    assert 2 < search.effective_dimension < 4
    assert not search.cosine_used
    assert search.pairs.is_empty()


def test_find_near_duplicates_compares_a_dataset_without_features_by_hash() -> None:
    contents = drawn(100)
    contents["twin"] = contents["c0"] + 0.01
    samples = table_of(
        [
            ("a/0", "train", "c0", HASH),
            ("b/edited", "test", "no feature", flip(HASH, 6)),
            ("b/far", "test", "no feature either", flip(HASH, 50)),
        ]
    )
    pairs = find_near_duplicates(samples_and(samples, contents), [features_of(contents)])
    assert found(pairs) == [("a/0", "b/edited", "near"), ("a/0", "z/twin", "near")]
    assert pairs["cosine"].is_null().to_list() == [True, False]
    assert pairs["group"].to_list() == ["a/0", "a/0"]


def test_find_near_duplicates_takes_no_damaged_feature_for_a_twin() -> None:
    contents = drawn(100)
    contents["c5"] = torch.full((64,), float("nan"))
    contents["c6"] = torch.full((64,), float("inf"))
    samples = table_of([(f"a/{name}", "train", name, None) for name in contents])
    search = search_near_duplicates(samples, features_of(contents))
    assert search.cosine_used
    assert search.pairs.is_empty()


def test_find_near_duplicates_links_every_sample_to_every_split_when_bytes_repeat_often() -> None:
    rows: list[Row] = [(f"a/{n:03d}", "train" if n % 2 else "test", "banned", HASH) for n in range(400)]
    rows.append(("b/near", "test", "other", flip(HASH, 2)))
    pairs = find_near_duplicates(table_of(rows))
    assert len(pairs) < 3 * len(rows)  # all of them would be 79,800
    in_train = pl.concat(
        [
            pairs.filter(first_split="train", second_split="test")["second"],
            pairs.filter(first_split="test", second_split="train")["first"],
        ]
    )
    assert set(in_train) == {row[0] for row in rows if row[1] == "test"}
    assert set(pairs["group"]) == {"a/000"}
    assert len(group_of_samples(pairs)) == len(rows)


def test_find_near_duplicates_groups_by_chains_of_pairs() -> None:
    rows: list[Row] = [(f"a/{n}", "train", f"c{n}", flip(HASH, 6 * n)) for n in range(4)]
    pairs = find_near_duplicates(table_of([*rows, ("b/1", "test", "lone", flip(HASH, 50))]))
    assert [(row["first"], row["second"]) for row in pairs.to_dicts()] == [
        ("a/0", "a/1"),
        ("a/1", "a/2"),
        ("a/2", "a/3"),
    ]
    assert group_of_samples(pairs).to_dict(as_series=False) == {
        "sample_id": ["a/0", "a/1", "a/2", "a/3"], "group": ["a/0"] * 4,
    }  # fmt: skip


def test_find_near_duplicates_gives_an_empty_table_when_there_are_no_samples() -> None:
    pairs = find_near_duplicates(table_of([]), features_of({}))
    assert pairs.is_empty()
    assert dict(pairs.schema) == dict(PAIR_SCHEMA)


def test_find_near_duplicates_is_the_same_whatever_the_order_of_its_input() -> None:
    contents = drawn(150) | {f"t{n}": value + 0.02 for n, value in enumerate(drawn(40).values())}
    names = list(contents)
    rows: list[Row] = [(f"a/{name}", "train", name, flip(HASH, n % 60)) for n, name in enumerate(names)]
    whole = find_near_duplicates(table_of(rows), features_of(contents))
    parts = [features_of({name: contents[name] for name in reversed(names[start::2])}) for start in (1, 0)]
    again = find_near_duplicates(table_of(rows[::-1]), parts)
    assert len(whole) == 40
    assert whole.equals(again)
    assert whole.rows() == sorted(whole.rows(), key=lambda row: (row[0], row[1]))


def test_find_near_duplicates_refuses_features_of_several_dimensions() -> None:
    small = FeatureTable(["x"], [digest("x")], torch.zeros((1, 8)).half(), "other")
    with pytest.raises(FeatureError, match="8 and 64 dimensions"):
        find_near_duplicates(table_of([("a/1", "train", "x", None)]), [features_of(drawn(1)), small])


def test_find_near_duplicates_names_the_column_when_it_is_missing() -> None:
    with pytest.raises(TableError, match="'phash' is missing"):
        find_near_duplicates(table_of([]).drop("phash"))


def test_find_near_duplicates_reports_until_all_is_done() -> None:
    seen: list[Progress] = []
    contents = drawn(100)
    rows: list[Row] = [(f"a/{name}", "train", name, HASH) for name in contents]
    find_near_duplicates(table_of(rows), features_of(contents), report=seen.append)
    assert seen[-1].done == seen[-1].total == 200


def jpeg(image: Image.Image, quality: int) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def edited(image: Image.Image) -> dict[str, bytes]:
    width, height = image.size
    half = image.resize((width // 2, height // 2), Image.Resampling.LANCZOS)
    cut = image.crop((width // 100, height // 100, width - width // 100, height - height // 100))
    return {
        "reencoded": jpeg(image, 50),
        "resized": jpeg(half, 85),
        "brighter": jpeg(ImageEnhance.Brightness(image).enhance(1.15), 85),
        "cropped": jpeg(cut, 90),
    }


def test_twins_of_real_photographs_are_found_and_their_themes_are_not(shared_data: Path, tmp_path: Path) -> None:
    originals = sorted((shared_data / "oasis" / "images").glob("*.jpg"))[::3]
    rows = []
    for path in originals:
        with Image.open(path) as image:
            contents = edited(image.convert("RGB"))
        for kind, content in {"original": path.read_bytes(), **contents}.items():
            target = tmp_path / f"{kind}-{path.name}"
            target.write_bytes(content)
            facts = inspect_picture(target)
            assert isinstance(facts, PictureFacts)
            split = "train" if kind == "original" else "test"
            rows.append({"sample_id": f"{kind}/{path.stem}", "dataset": kind, "split": split,
                         "sha256": facts.sha256, "phash": facts.phash})  # fmt: skip
    pairs = find_near_duplicates(pl.DataFrame(rows))
    stems = pairs.select(pl.col("first", "second").str.split("/").list.last())
    assert stems.filter(pl.col("first") != pl.col("second")).is_empty()
    with_original = pl.concat(
        [pairs.filter(second_dataset="original")["first"], pairs.filter(first_dataset="original")["second"]]
    )
    recall = {
        kind: with_original.str.starts_with(f"{kind}/").sum() / len(originals)
        for kind in edited(Image.new("RGB", (200, 200)))
    }
    assert recall["reencoded"] == recall["resized"] == recall["brighter"] == 1.0
    assert recall["cropped"] > 0.9


def test_real_clip_features_pair_no_two_different_pictures(shared_data: Path) -> None:
    root = shared_data / "emotion6_clip_features"
    files = sorted(root.rglob("*.pt"))[::2]
    values = np.stack([read_released_tensor(path) for path in files])
    names = [path.relative_to(root).with_suffix("").as_posix() for path in files]
    rng = np.random.default_rng(0)
    copies = (values[:50] + rng.standard_normal((50, 768)) * 0.05).astype(np.float16)
    ids = [f"emotion6/{name}" for name in names] + [f"emotionroi/{name}" for name in names[:50]]
    digests = [digest(one) for one in ids]
    samples = pl.DataFrame(
        {"sample_id": ids, "dataset": [one.partition("/")[0] for one in ids], "split": "train", "sha256": digests,
         "phash": pl.Series([None] * len(ids), dtype=pl.String)}
    )  # fmt: skip
    features = FeatureTable(ids, digests, torch.from_numpy(np.concatenate([values, copies])), "vit-l-14")
    search = search_near_duplicates(samples, features)
    assert search.cosine_used
    planted = {(f"emotion6/{name}", f"emotionroi/{name}") for name in names[:50]}
    pairs = set(search.pairs.select("first", "second").iter_rows())
    assert planted <= pairs
    assert len(pairs - planted) <= 1  # of all 1,386, anger/90 and anger/189: their raw cosine is 0.983
