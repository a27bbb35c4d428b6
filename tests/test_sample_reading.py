import io
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from tests.test_sample import sample_table
from tinyemo_data import charts, sample_writing
from tinyemo_data.errors import StoreError, TableError
from tinyemo_data.sample import Quarantined, Sample, quarantine_key, read_samples, samples_key
from tinyemo_data.sample_reading import count_rows, pick_pictures, read_columns, read_head, scan_samples
from tinyemo_data.sample_writing import write_sorted_samples
from tinyemo_data.store import Store

KEY = samples_key("emotion6")
EMOTIONS = ("anger", "fear", "joy", None)


def sample(number: int) -> pl.DataFrame:
    """A row whose digest falls where its id rises."""
    emotion = EMOTIONS[number % 4]
    return sample_table(
        sample_id=f"emotion6/{number:02d}",
        image_path=f"{number:02d}.png",
        sha256=f"{99 - number:064x}",
        emotion=emotion,
        taxonomy=emotion and "ekman6",
    )


@pytest.fixture
def written(store: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Forty rows in row groups of seven."""
    monkeypatch.setattr(sample_writing, "ROW_GROUP", 7)
    write_sorted_samples(store, "emotion6", [sample(number) for number in range(40)], [])
    return store


def test_scan_samples_gives_the_table_a_row_group_at_a_time(written: Store) -> None:
    parts = list(scan_samples(written, "emotion6"))
    assert max(map(len, parts)) == 7
    assert pl.concat(parts).equals(read_samples(written, "emotion6"))


@pytest.mark.parametrize(
    ("rows", "message"),
    [([sample(0), sample(1), sample(1)], "primary_key"), ([sample(1), sample(0)], "out of order")],
    ids=["twice", "unsorted"],
)
def test_scan_samples_names_what_is_wrong_with_a_table_on_disk(
    store: Store, rows: list[pl.DataFrame], message: str
) -> None:
    store.write_table(KEY, pl.concat(rows))
    with pytest.raises(TableError, match=message):
        list(scan_samples(store, "emotion6"))


def test_reading_says_what_is_missing_when_the_table_is_another(store: Store) -> None:
    store.write_table(KEY, Quarantined.create_empty())
    with pytest.raises(TableError, match=r"emotion6\.parquet: column 'sample_id' is missing"):
        list(scan_samples(store, "emotion6"))
    with pytest.raises(TableError, match=r"emotion6\.parquet: column 'split' is missing; it has dataset, path"):
        read_columns(store, KEY, "split")


def test_reading_says_what_to_do_when_the_file_is_damaged_or_absent(written: Store) -> None:
    content = written.read_bytes(KEY)
    for damaged in (b"", content[: len(content) // 2], content[:9] + bytes(400) + content[409:]):
        written.write_bytes(KEY, damaged)
        with pytest.raises(StoreError, match="is no readable Parquet"):
            list(scan_samples(written, "emotion6"))
    written.remove(KEY)
    with pytest.raises(StoreError, match="materialize"):
        count_rows(written, KEY)


def test_read_columns_and_count_rows_tell_the_same_as_the_whole_table(written: Store) -> None:
    whole = read_samples(written, "emotion6")
    assert read_columns(written, KEY, "emotion", "split").equals(whole.select("emotion", "split"))
    assert count_rows(written, KEY) == 40
    assert count_rows(written, quarantine_key("emotion6")) == 0
    assert read_columns(written, quarantine_key("emotion6"), "reason").is_empty()


def test_read_head_gives_the_first_rows_or_all_there_are(written: Store) -> None:
    assert read_head(written, KEY, Sample, 5).equals(read_samples(written, "emotion6").head(5))
    assert read_head(written, quarantine_key("emotion6"), Quarantined, 5).is_empty()


def test_pick_pictures_gives_the_contact_sheet_of_the_whole_table(written: Store, tmp_path: Path) -> None:
    for number in range(40):
        noise = np.random.default_rng(number).integers(0, 256, (8, 8, 3), dtype=np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(noise).save(buffer, "PNG")
        (tmp_path / f"{number:02d}.png").write_bytes(buffer.getvalue())
    picked = pick_pictures(written, "emotion6", 3)
    assert picked["emotion"].value_counts().sort("emotion").rows() == [(None, 3), ("anger", 3), ("fear", 3), ("joy", 3)]
    whole = read_samples(written, "emotion6")
    assert charts.contact_sheet(picked, tmp_path, 3) == charts.contact_sheet(whole, tmp_path, 3)
