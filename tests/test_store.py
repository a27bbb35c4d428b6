import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyemo_data.errors import StoreError
from tinyemo_data.store import Store


@pytest.fixture(params=["local", "memory"])
def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return Store(tmp_path / "store" if request.param == "local" else f"memory://{tmp_path.name}")


def test_what_was_written_is_read_back_wherever_the_store_lies(any_store: Store) -> None:
    table = pl.DataFrame({"a": [1, 2], "b": ["x", None]})
    any_store.write_table("tables/t.parquet", table)
    any_store.write_json("j.json", {"b": 1, "a": [1.5]})
    assert any_store.read_table("tables/t.parquet").equals(table)
    assert any_store.read_json("j.json") == {"a": [1.5], "b": 1}
    assert any_store.keys("tables") == ["tables/t.parquet"]
    with any_store.local("j.json") as path:
        assert path.read_bytes() == any_store.read_bytes("j.json")


def test_equal_content_gives_equal_bytes(any_store: Store) -> None:
    for key in ("one.parquet", "two.parquet"):
        any_store.write_table(key, pl.DataFrame({"a": list(range(1000)), "b": ["x", "y"] * 500}))
    assert any_store.digest("one.parquet") == any_store.digest("two.parquet")


def test_old_content_stays_when_a_write_fails(any_store: Store) -> None:
    any_store.write_bytes("k", b"old")
    with pytest.raises(ZeroDivisionError), any_store.writing("k") as aside:
        aside.write_bytes(b"half")
        raise ZeroDivisionError
    assert any_store.read_bytes("k") == b"old"


WRITER = """
import sys, time
from tinyemo_data.store import Store
store = Store(sys.argv[1])
with store.writing("folder/k") as aside:
    aside.write_bytes(b"half")
    print("writing", flush=True)
    time.sleep(60)
"""


def test_a_killed_write_leaves_no_key_and_its_part_is_cleared_by_the_next(tmp_path: Path) -> None:
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    assert writer.stdout.readline() == "writing\n"
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    store = Store(tmp_path)
    assert not store.exists("folder/k")
    assert store.keys("folder") == []
    assert len(list((tmp_path / "folder").iterdir())) == 1
    store.write_bytes("folder/k", b"whole")
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["k"]


def test_a_reader_beside_a_writer_sees_whole_files_only(tmp_path: Path) -> None:
    code = (
        "import sys; from tinyemo_data.store import Store\n"
        "for i in range(200): Store(sys.argv[1]).write_bytes('k', bytes([i % 256]) * 100_000)"
    )
    store = Store(tmp_path)
    store.write_bytes("k", b"\0" * 100_000)
    writer = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)])
    seen = set()
    while writer.poll() is None:
        content = store.read_bytes("k")
        assert len(content) == 100_000
        assert len(set(content)) == 1
        seen.add(content[0])
        time.sleep(0.001)
    assert writer.returncode == 0
    assert len(seen) > 1


@pytest.mark.parametrize("key", ["../x", "/x", "a/../../x", ""])
def test_a_key_that_leads_outside_is_refused(store: Store, key: str) -> None:
    with pytest.raises(StoreError, match="relative path"):
        store.path(key)


@given(st.binary())
def test_read_json_gives_a_value_or_a_store_error(content: bytes) -> None:
    store = Store("memory://json")
    store.write_bytes("j.json", content)
    try:
        store.read_json("j.json")
    except StoreError as exc:
        assert "j.json" in str(exc)


def test_read_table_says_what_to_do_when_the_file_is_no_parquet(store: Store) -> None:
    store.write_bytes("t.parquet", b"PAR1 but not really PAR1")
    with pytest.raises(StoreError, match="Delete it and run its step again"):
        store.read_table("t.parquet")


def test_an_absent_key_names_its_place_and_the_mend(store: Store) -> None:
    with pytest.raises(StoreError, match="materialize the asset"):
        store.read_bytes("absent")


def test_drawn_and_real_pictures_never_share_a_store(store: Store) -> None:
    store.claim("drawn")
    store.claim("drawn")
    with pytest.raises(StoreError, match=r"made of drawn pictures.*TINYEMO_STORE"):
        store.claim("real")
