"""The hub is a local HTTP server that speaks the Hub's protocol; its client is the real huggingface_hub."""

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from tinyemo_data import settings as profiles
from tinyemo_data.errors import LanguageModelError
from tinyemo_data.projector.language_model import chosen_language_model, find_files, read_config
from tinyemo_data.store import Store

COMMIT = "0123456789abcdef0123456789abcdef01234567"
TOKEN = "hf_secretsecretsecretsecretsecret"
MATRIX = torch.arange(40.0).reshape(10, 4)


class Hub(ThreadingHTTPServer):
    """Serves the folders under `root` as public repositories, except `org/gated`."""

    def __init__(self, root: Path) -> None:
        super().__init__(("127.0.0.1", 0), HubHandler)
        self.root = root
        self.asked: list[str] = []


class HubHandler(BaseHTTPRequestHandler):
    server: Hub

    def do_HEAD(self) -> None:
        self.answer(with_body=False)

    def do_GET(self) -> None:
        self.answer(with_body=True)

    def answer(self, with_body: bool) -> None:
        self.server.asked.append(f"{self.command} {self.path}")
        repository, _, rest = self.path.lstrip("/").partition("/resolve/")
        revision, _, name = rest.partition("/")
        if repository == "org/gated":
            return self.refuse(403, "GatedRepo")
        if not (self.server.root / repository).is_dir():
            return self.refuse(401, "RepoNotFound")
        if revision not in {"main", COMMIT}:
            return self.refuse(404, "RevisionNotFound")
        path = self.server.root / repository / name
        if not path.is_file():
            return self.refuse(404, "EntryNotFound")
        content = path.read_bytes()
        self.send_response(200)
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if with_body:
            self.wfile.write(content)
        return None

    def refuse(self, status: int, code: str) -> None:
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        if code == "EntryNotFound":
            self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Stay silent."""


def write_sharded_model(folder: Path) -> None:
    """Write a model of three shards, the embedding matrix in the second."""
    folder.mkdir(parents=True)
    config = {"model_type": "llama", "vocab_size": 10, "hidden_size": 4}
    (folder / "config.json").write_text(json.dumps(config))
    shards = {
        "model.layers.0.mlp.down_proj.weight": ("model-00001-of-00003.safetensors", torch.zeros(64, 4)),
        "model.embed_tokens.weight": ("model-00002-of-00003.safetensors", MATRIX),
        "lm_head.weight": ("model-00003-of-00003.safetensors", torch.zeros(10, 4)),
    }
    for name, (shard, tensor) in shards.items():
        save_file({name: tensor}, folder / shard)
    index = {"weight_map": {name: shard for name, (shard, _) in shards.items()}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


READ_ROWS = """
import json, sys
from tinyemo_data.errors import LanguageModelError
from tinyemo_data.projector.embedding_matrix import read_embedding_rows
for location in sys.argv[1:]:
    try:
        print(json.dumps(read_embedding_rows(location, [3, 0, 3]).tolist()))
    except LanguageModelError as error:
        print(json.dumps(f"LanguageModelError: {error}"))
"""


def read_rows_in_a_process(locations: tuple[str, ...], variables: dict[str, str]) -> dict[str, Any]:
    """Read three rows of each location in a fresh process, whose hub client sees `variables`."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    environment |= {"HF_TOKEN": TOKEN, "HF_HUB_DISABLE_TELEMETRY": "1", **variables}
    command = [sys.executable, "-c", READ_ROWS, *locations]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert TOKEN not in done.stdout + done.stderr
    return dict(zip(locations, map(json.loads, done.stdout.splitlines()), strict=True))


@dataclass(frozen=True)
class Readings:
    """What a process with the hub read, what one without it read after that, and what the hub was asked."""

    online: dict[str, Any]
    offline: dict[str, Any]
    asked: list[str]
    asked_while_offline: list[str]


ONLINE = ("org/sharded", "org/absent", "org/gated", "org/sharded@v9", f"org/sharded@{COMMIT}")
OFFLINE = ("org/sharded", "org/uncached")


@pytest.fixture(scope="module")
def readings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Readings]:
    """Ask one hub through the real client, in processes that read its variables afresh."""
    root = tmp_path_factory.mktemp("hub")
    write_sharded_model(root / "org" / "sharded")
    server = Hub(root)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        address = f"http://127.0.0.1:{server.server_port}"
        variables = {"HF_ENDPOINT": address, "HF_HOME": str(tmp_path_factory.mktemp("cache"))}
        online = read_rows_in_a_process(ONLINE, variables)
        asked = list(server.asked)
        offline = read_rows_in_a_process(OFFLINE, variables | {"HF_HUB_OFFLINE": "1"})
        yield Readings(online, offline, asked, server.asked[len(asked) :])
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_hub_model_gives_its_rows_when_they_lie_in_one_of_three_shards(readings: Readings) -> None:
    assert readings.online["org/sharded"] == MATRIX[[3, 0, 3]].tolist()
    assert readings.online[f"org/sharded@{COMMIT}"] == MATRIX[[3, 0, 3]].tolist()


def test_hub_model_downloads_config_index_and_one_shard_when_its_rows_are_read(readings: Readings) -> None:
    downloaded = {line.rpartition("/")[2] for line in readings.asked if line.startswith("GET")}
    assert downloaded == {"config.json", "model.safetensors.index.json", "model-00002-of-00003.safetensors"}
    assert not [line for line in readings.asked if "00001-of" in line or "00003-of" in line]


def test_hub_model_is_read_from_the_cache_when_offline(readings: Readings) -> None:
    assert readings.offline["org/sharded"] == MATRIX[[3, 0, 3]].tolist()
    assert readings.asked_while_offline == []


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("org/absent", ["org/absent", "HTTP 401", "HF_TOKEN", "TINYEMO_LANGUAGE_MODEL"]),
        ("org/gated", ["org/gated", "gated", "HTTP 403", "licence"]),
        ("org/sharded@v9", ["org/sharded", "no revision 'v9'", "HTTP 404"]),
        ("org/uncached", ["org/uncached", "config.json", "HF_HUB_OFFLINE"]),
    ],
    ids=["absent", "gated", "no_revision", "offline_without_cache"],
)
def test_hub_model_is_refused_with_a_mend_when_the_hub_refuses(
    readings: Readings, location: str, expected: list[str]
) -> None:
    message = (readings.online | readings.offline)[location]
    assert message.startswith("LanguageModelError:")
    assert [part for part in expected if part not in message] == []


@pytest.mark.parametrize("location", ["./absent", "/no/such/folder", "a/b/c", ""])
def test_find_files_refuses_a_location_when_it_is_neither_folder_nor_hub_id(location: str) -> None:
    with pytest.raises(LanguageModelError, match="TINYEMO_LANGUAGE_MODEL"):
        read_config(find_files(location or "/"))


def test_find_files_refuses_a_file_when_a_folder_is_expected(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"")
    with pytest.raises(LanguageModelError, match="is a file"):
        find_files(path)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("adapter_config.json", "LoRA adapter"), ("model.gguf", "GGUF"), ("readme.md", "has no config.json")],
)
def test_read_config_says_what_the_folder_is_when_it_has_no_config(tmp_path: Path, name: str, expected: str) -> None:
    (tmp_path / name).write_text("{}")
    with pytest.raises(LanguageModelError, match=expected):
        read_config(find_files(tmp_path))


@pytest.mark.parametrize("content", ["{", "[]", '"llama"'], ids=["cut_off", "list", "text"])
def test_read_config_refuses_the_file_when_it_is_no_json_object(tmp_path: Path, content: str) -> None:
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(LanguageModelError, match=r"config\.json"):
        read_config(find_files(tmp_path))


def test_model_files_refuse_a_name_when_it_leads_outside(tmp_path: Path) -> None:
    with pytest.raises(LanguageModelError, match="outside"):
        find_files(tmp_path).find("../secret.safetensors")


def test_chosen_language_model_is_made_in_the_store_when_the_profile_names_none(store: Store) -> None:
    with chosen_language_model(profiles.load("demo"), store) as model:
        assert (Path(model.location) / "config.json").is_file()
        assert model.name.startswith("made on the spot")
    assert store.exists("models/language_model/config.json")


def test_chosen_language_model_is_the_profiles_folder_when_it_names_one(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "OpenELM-270M"
    folder.mkdir()
    monkeypatch.setenv("TINYEMO_LANGUAGE_MODEL", str(folder))
    monkeypatch.setenv("TINYEMO_LANGUAGE_MODEL_TOKENIZER", "org/llama")
    with chosen_language_model(profiles.load("demo"), store) as model:
        assert (model.name, model.location, model.tokenizer) == ("OpenELM-270M", str(folder), "org/llama")
    assert not store.exists("models/language_model/config.json")
