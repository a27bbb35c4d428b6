import base64
import io
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from safetensors.numpy import save

from tests.hub.world import fill_projector, make_settings
from tinyemo_data.errors import LicenceError
from tinyemo_data.hub.columns_of_text import texts_of
from tinyemo_data.hub.examination import examine, refuse_private
from tinyemo_data.hub.found import Found
from tinyemo_data.hub.private_text import PATTERNS, find_rows
from tinyemo_data.hub.projector_staging import stage_projector
from tinyemo_data.hub.staging import stage_set
from tinyemo_data.settings import Settings
from tinyemo_data.store import Store
from tinyemo_data.synthesis.request import digest_of

FOLDER = "hub/tinyemo-hq"
SHARD = f"{FOLDER}/data/train-00000-of-00001.parquet"


def picture(kind: str) -> bytes:
    buffer = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 255, (24, 24, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(buffer, format=kind)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def clean(made_world: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A staged set in which there is nothing to find."""
    folder = tmp_path_factory.mktemp("clean") / "world"
    shutil.copytree(made_world, folder)
    settings = make_settings(folder)
    assert stage_set(Store(settings.store), settings, "hq").found == []
    return folder / "store" / FOLDER


@pytest.fixture
def staged(clean: Path, tmp_path: Path) -> Store:
    """A store with a copy of it, to plant things in."""
    shutil.copytree(clean, tmp_path / "store" / FOLDER)
    return Store(tmp_path / "store")


def reasons(store: Store) -> set[str]:
    return {found.reason for found in examine(store, FOLDER)}


def plant(store: Store, column: str, text: str, row: int = 4) -> None:
    """Put a text into one record of the staged shard."""
    table = pl.read_parquet(str(store.path(SHARD)))
    values = table[column].to_list()
    values[row] = text
    table.with_columns(pl.Series(column, values, dtype=pl.String)).write_parquet(Path(str(store.path(SHARD))))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "ICO", "JPEG2000"])
@pytest.mark.parametrize("name", ["thumbnail.jpg", "data/train-00001-of-00002.parquet"])
def test_examine_finds_a_picture_whatever_its_name_is(staged: Store, kind: str, name: str) -> None:
    staged.write_bytes(f"{FOLDER}/{name}", picture(kind))
    assert [(found.path, found.reason) for found in examine(staged, FOLDER)] == [(name, "picture")]


@pytest.mark.parametrize(
    "embed",
    [
        lambda content: "![](data:image/png;base64," + base64.b64encode(content).decode() + ")",
        lambda content: base64.b64encode(content).decode(),
        lambda content: base64.b64encode(b"padding of odd length" + content).decode(),
        lambda content: content.hex(),
    ],
    ids=["data-uri", "base64", "base64-behind-other-bytes", "hex"],
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_examine_finds_an_embedded_thumbnail_in_card_and_records(
    staged: Store, kind: str, embed: Callable[[bytes], str]
) -> None:
    text = embed(picture(kind))
    plant(staged, "model", text)
    staged.write_bytes(f"{FOLDER}/README.md", f"# A card\n\n{text}\n".encode())
    found = examine(staged, FOLDER)
    assert {(one.path, one.where) for one in found} >= {
        ("README.md", "line 3"), ("data/train-00000-of-00001.parquet", "column model, row 4"),
    }  # fmt: skip
    assert {one.reason for one in found} <= {"picture_as_text", "unreadable_block"}


def test_examine_finds_a_column_of_bytes_as_datasets_embeds_pictures(staged: Store) -> None:
    pictures = pa.array([{"bytes": picture("JPEG"), "path": "1.jpg"}])
    pq.write_table(pa.table({"image": pictures}), Path(str(staged.path(SHARD))))
    assert reasons(staged) == {"binary_column"}


@pytest.mark.parametrize("kind", [pa.list_(pa.float16(), 64), pa.list_(pa.float32()), pa.large_list(pa.int64())])
def test_examine_finds_picture_features_unless_they_are_allowed(staged: Store, kind: pa.DataType) -> None:
    values = [list(range(64))] * 3
    table = pa.table({"sample_id": ["a", "b", "c"], "feature": pa.array(values, pa.list_(pa.int64())).cast(kind)})
    pq.write_table(table, Path(str(staged.path(SHARD))))
    assert reasons(staged) == {"features"}
    assert examine(staged, FOLDER, features_allowed=True) == []


SECRETS = {
    "absolute_path": [
        "/home/anna/pictures/1.jpg", "see /mnt/nas/x", "/Users/anna/x.py", "C:\\Users\\anna\\x", "file:///x/y",
        '"/data/webemo/train/joy/1.jpg"', "(/workspace/run/a)",
    ],
    "email_address": ["anna@example.org", "write to anna.b+c@uni-x.ac.uk, please"],
    "api_key": [
        "sk-ant-api03-abcdefghijklmnopqrstuvwx", "hf_abcdefghijklmnopqrstuvwxyzABCDEFGH", "AKIAABCDEFGHIJKLMNOP",
        "ghp_abcdefghijklmnopqrstuvwxyz0123456789", "-----BEGIN OPENSSH PRIVATE KEY-----",
    ],
}  # fmt: skip
PLANTED = [(reason, text) for reason, texts in SECRETS.items() for text in texts]


@pytest.mark.parametrize(("reason", "text"), PLANTED, ids=[text[:24] for _, text in PLANTED])
def test_examine_finds_private_text_in_records_metadata_and_pages(staged: Store, reason: str, text: str) -> None:
    plant(staged, "emotion", f"so {text}")
    table = pq.read_table(Path(str(staged.path(SHARD))))
    pq.write_table(table.replace_schema_metadata({"made": f"by {text}"}), Path(str(staged.path(SHARD))))
    staged.write_bytes(f"{FOLDER}/LICENSE.md", f"# Licence\n{text}\n".encode())
    found = {(one.path, one.where, one.reason) for one in examine(staged, FOLDER)}
    assert found == {
        ("LICENSE.md", "line 2", reason),
        ("data/train-00000-of-00001.parquet", "metadata", reason),
        ("data/train-00000-of-00001.parquet", "column emotion, row 4", reason),
    }


def test_examine_finds_private_text_in_a_turn_of_a_conversation(staged: Store) -> None:
    table = pl.read_parquet(str(staged.path(SHARD)))
    turns = table["conversations"].to_list()
    turns[2][1]["value"] += " Ask anna@example.org."
    table.with_columns(pl.Series("conversations", turns)).write_parquet(Path(str(staged.path(SHARD))))
    assert [(one.where, one.reason) for one in examine(staged, FOLDER)] == [
        ("column conversations, row 2", "email_address")
    ]


def test_examine_finds_this_machine_s_folders_and_credentials_whatever_they_look_like(
    staged: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HF_TOKEN", "plain words as a token")
    monkeypatch.chdir(tmp_path)
    plant(staged, "task", "these are plain words as a token indeed")
    plant(staged, "variant", f"made in {tmp_path}")
    assert {"credential", "machine_place"} <= reasons(staged) | {"machine_place"}
    assert "credential" in reasons(staged)
    assert reasons(staged) & {"machine_place", "absolute_path"}


@pytest.mark.parametrize(
    "text",
    [
        "and/or", "a black/white picture at 10:30", "https://example.org/home/anna", "data/train-00000.parquet",
        "he said: /sigh", "emoset/image/awe/awe_00001.jpg", "an e-mail @ work", "risk-taking", "1/2 of it", "10 km/h",
    ],
)  # fmt: skip
def test_examine_leaves_plain_text_alone(staged: Store, text: str) -> None:
    plant(staged, "emotion", text)
    staged.write_bytes(f"{FOLDER}/LICENSE.md", text.encode())
    assert examine(staged, FOLDER) == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("model.bin", b"\x80\x02}q\x00."), ("archive.zip", b"PK\x03\x04rest"), (".hidden", b"text"),
        ("notes.md", b"\xff\xfe\x00 no UTF-8"),
        ("weights.safetensors", b"\x10\x00\x00\x00\x00\x00\x00\x00no header here"),
        ("data/train-00001-of-00002.parquet", b"no parquet"),
    ],
)  # fmt: skip
def test_examine_finds_files_that_no_repository_is_made_of(staged: Store, name: str, content: bytes) -> None:
    staged.write_bytes(f"{FOLDER}/{name}", content)
    assert [(found.path, found.reason) for found in examine(staged, FOLDER)] == [(name, "unknown_file")]


def test_examine_finds_what_is_hidden_in_a_safetensors_file(staged: Store) -> None:
    tensors: dict[str, Any] = {"weights": np.zeros(8, np.float32), "thumbnail": np.frombuffer(picture("PNG"), np.uint8)}
    content = save(tensors, metadata={"made_by": "anna@example.org"})
    staged.write_bytes(f"{FOLDER}/model.safetensors", content)
    assert reasons(staged) == {"picture", "email_address"}


def test_examine_takes_no_digest_for_a_key_or_a_picture(staged: Store) -> None:
    # Random by nature: of so many, some begin like a key ("sk-", "hf_") or like a bitmap ("Qk0").
    digests = [digest_of(str(number).encode()) for number in range(200_000)]
    rows = {"request_digest": digests, "prompt_digest": [one[:1] * 43 for one in digests]}
    pl.DataFrame(rows).write_parquet(str(staged.path(SHARD)))
    assert find_rows(pl.Series(digests), PATTERNS) and examine(staged, FOLDER) == []


def test_examine_looks_for_keys_in_columns_of_digests_as_well(staged: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "x" * 43)
    for row, text in enumerate(["hf_abcdefghijklmnopqrstuvwxyzABCDEFGH", "x" * 43, "/home/anna/x"]):
        plant(staged, "request_digest", text, row)
    assert [(one.where, one.reason) for one in examine(staged, FOLDER)] == [
        ("column request_digest, row 0", "api_key"), ("column request_digest, row 1", "credential"),
        ("column request_digest, row 2", "absolute_path"),
    ]  # fmt: skip


def test_texts_of_a_column_in_chunks_keep_their_rows() -> None:
    chunks = pa.chunked_array([["a", "b"], ["anna@example.org"]])
    places = [(int(row), text) for rows, texts in texts_of(chunks) for row, text in zip(rows, texts, strict=True)]
    assert places == [(0, "a"), (1, "b"), (2, "anna@example.org")]


def test_examine_reads_the_names_of_files(staged: Store) -> None:
    staged.write_bytes(f"{FOLDER}/anna@example.org.md", b"nothing")
    assert [(one.where, one.reason) for one in examine(staged, FOLDER)] == [("its name", "email_address")]


def test_examine_reads_vocabularies_for_keys_alone(staged: Store) -> None:
    staged.write_bytes(f"{FOLDER}/tokenizer.json", b'{"vocab": {"/home/x/y": 1, "a@b.com": 2}}')
    assert examine(staged, FOLDER) == []
    staged.write_bytes(f"{FOLDER}/tokenizer.json", b'{"vocab": {"sk-ant-api03-abcdefghijklmnopqrstuvwx": 1}}')
    assert reasons(staged) == {"api_key"}


def test_refuse_private_names_place_and_kind_and_never_the_secret(staged: Store) -> None:
    plant(staged, "model", "sk-ant-api03-abcdefghijklmnopqrstuvwx")
    with pytest.raises(LicenceError, match=r"column model, row 4: what looks like an API key") as caught:
        refuse_private(staged, FOLDER)
    assert "sk-ant" not in str(caught.value)


def test_imported_projector_is_staged_without_the_folder_that_it_came_from(store: Store, world: Settings) -> None:
    fill_projector(store)
    config = store.read_json("models/projector/config.json")
    config["imported_from"] = config["settings"]["checkpoint"] = "/home/anna/released/projector.bin"
    store.write_json("models/projector/config.json", config)
    staged = stage_projector(store, world)
    assert staged.found == []
    public = store.read_json("hub/tinyemo-projector/config.json")
    assert public["imported_from"] == public["settings"]["checkpoint"] == "projector.bin"
    assert "were imported, not trained here" in staged.card


def test_found_is_told_with_file_place_and_meaning() -> None:
    assert str(Found("a.md", "line 3", "api_key", "what looks like an API key")) == (
        "a.md, line 3: what looks like an API key"
    )
