"""Large files through Xet, as the real client sends them where its library is there: in chunks, each but once."""

import os
from pathlib import Path

import pytest
from huggingface_hub import constants

from tests.hub.hub_server import LocalHub
from tests.hub.world import PICTURES, records_of
from tests.synthesis.export.records import write_records
from tinyemo_data.hub.files import read_manifest
from tinyemo_data.hub.publishing import publish
from tinyemo_data.hub.staging import stage_set
from tinyemo_data.settings import Settings
from tinyemo_data.store import Store

pytest.importorskip("hf_xet")


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in (folder / "xet" / "xorbs" / "xorbs").iterdir())


def test_publish_sends_chunks_once_and_a_changed_record_sends_little(
    store: Store, world: Settings, hub: LocalHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = tmp_path / "storage"
    hub.state.xet = f"local://{storage}"  # the client's own library writes to that folder
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", False)
    monkeypatch.setattr(constants, "HF_XET_CACHE", str(tmp_path / "xet"))
    samples = store.read_table("samples/emoset.parquet").to_dicts()
    # Texts that do not compress, so that the shard has many chunks.
    rows = [
        {**row, "record_id": f"{row['record_id']}~{number}"}
        for number in range(40)
        for row in records_of("pretrain", samples)
    ]
    for row in rows:
        row["conversations"][1]["value"] = " ".join(os.urandom(20).hex() for _ in range(100))
    write_records(store, "pretrain", rows)
    staged = stage_set(store, world, "pretrain")
    assert len(rows) == 40 * 3 * PICTURES and staged.bytes > 2_000_000
    publish(store, staged.repository, world.hub)
    shard = next(entry for entry in staged.manifest.files if entry.path.endswith(".parquet"))
    repo = hub.state.only("tinyemo-pretrain")
    blob = repo.commits[repo.refs["main"]][shard.path]
    assert (blob.sha256, blob.size) == (shard.sha256, shard.bytes)
    assert hub.state.uploads() == []  # nothing the old way
    first = size_of(storage)
    assert first > shard.bytes / 2

    publish(store, staged.repository, world.hub)
    assert size_of(storage) == first and len(repo.commits) == 2

    del rows[len(rows) // 2]
    write_records(store, "pretrain", rows)
    stage_set(store, world, "pretrain")
    publish(store, staged.repository, world.hub)
    changed = read_manifest(store, "hub/tinyemo-pretrain")
    assert len(repo.commits) == 3 and changed.files != staged.manifest.files
    assert size_of(storage) - first < 0.5 * first  # of a shard that is another file
