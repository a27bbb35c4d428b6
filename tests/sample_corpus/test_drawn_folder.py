"""Drawn folders: complete or not there, drawn once, the same everywhere, and never over what people put there."""

import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tinyemo_data.errors import SettingsError, StoreError
from tinyemo_data.sample_corpus.drawn_folder import MARKER, Laid, read_marker, replace_drawn
from tinyemo_data.sample_corpus.layouts import draw_corpus
from tinyemo_data.settings import SampleCorpusSettings

SMALL = SampleCorpusSettings(pictures_per_emotion=4, size=32)
OTHER = SMALL.model_copy(update={"seed": 1})


def contents(folder: Path) -> dict[str, str]:
    """Return the digest of every file below `folder`."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def stamps(folder: Path) -> dict[str, int]:
    """Return when every file below `folder` was written."""
    return {str(path): path.stat().st_mtime_ns for path in folder.rglob("*")}


def test_rerun_draws_nothing_and_reports_the_same(tmp_path: Path) -> None:
    first = draw_corpus(tmp_path, ["emotion6", "abstract"], SMALL)
    before = stamps(tmp_path)
    again = draw_corpus(tmp_path, ["emotion6", "abstract"], SMALL)
    assert stamps(tmp_path) == before
    assert again.drawn == []
    assert (again.pictures, again.rejected, again.datasets) == (first.pictures, first.rejected, first.datasets)


def test_same_settings_give_the_same_bytes_in_another_folder(tmp_path: Path) -> None:
    for name in ("one", "two"):
        draw_corpus(tmp_path / name, ["emotion6", "emoset"], SMALL)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_other_settings_draw_anew_and_leave_no_old_file(tmp_path: Path) -> None:
    draw_corpus(tmp_path, ["unbiasedemo"], SMALL)
    report = draw_corpus(tmp_path, ["unbiasedemo"], OTHER)
    assert report.drawn == ["unbiasedemo"]
    draw_corpus(tmp_path / "fresh", ["unbiasedemo"], OTHER)
    assert contents(tmp_path / "unbiasedemo") == contents(tmp_path / "fresh" / "unbiasedemo")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fresh", "unbiasedemo"]


def test_empty_folder_is_drawn_into(tmp_path: Path) -> None:
    (tmp_path / "artphoto").mkdir()
    assert draw_corpus(tmp_path, ["artphoto"], SMALL).drawn == ["artphoto"]


def test_real_files_are_refused_before_anything_is_drawn(tmp_path: Path) -> None:
    real = tmp_path / "fi" / "emotion_dataset" / "awe" / "1.jpg"
    real.parent.mkdir(parents=True)
    real.write_bytes(b"a real picture")
    with pytest.raises(StoreError, match=r"fi holds files.*TINYEMO_RAW"):
        draw_corpus(tmp_path, ["artphoto", "fi"], SMALL)
    assert contents(tmp_path) == {"fi/emotion_dataset/awe/1.jpg": hashlib.sha256(b"a real picture").hexdigest()}


@pytest.mark.parametrize("name", ["images/joy/1.jpg", "images/joy/mine.jpg"], ids=["changed", "added"])
def test_drawn_folder_is_not_replaced_when_a_file_in_it_is_not_as_drawn(tmp_path: Path, name: str) -> None:
    draw_corpus(tmp_path, ["emotion6"], SMALL)
    (tmp_path / "emotion6" / name).write_bytes(b"mine")
    before = contents(tmp_path)
    with pytest.raises(StoreError, match=rf"{name}, which was not drawn so"):
        draw_corpus(tmp_path, ["emotion6"], OTHER)
    assert contents(tmp_path) == before
    assert draw_corpus(tmp_path, ["emotion6"], SMALL).drawn == []


@pytest.mark.parametrize("marker", [b"", b"[]", b'{"dataset": "fi"}', b"\xff"], ids=["empty", "list", "part", "binary"])
def test_damaged_marker_does_not_make_a_folder_ours(tmp_path: Path, marker: bytes) -> None:
    (tmp_path / "fi").mkdir()
    (tmp_path / "fi" / MARKER).write_bytes(marker)
    with pytest.raises(StoreError, match="Move them away"):
        draw_corpus(tmp_path, ["fi"], SMALL)


def test_linked_folder_is_refused_and_what_it_names_is_untouched(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    raw = tmp_path / "raw"
    raw.mkdir()
    (raw / "emotion6").symlink_to(elsewhere)
    with pytest.raises(StoreError, match="is a link or a file"):
        draw_corpus(raw, ["emotion6"], SMALL)
    assert contents(elsewhere) == {}


def test_dataset_without_a_layout_is_named_with_the_closest_one(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"'emotion7' can't be drawn\. Did you mean 'emotion6'"):
        draw_corpus(tmp_path, ["emotion7"], SMALL)


def test_full_disk_is_a_store_error_and_leaves_the_old_folder(tmp_path: Path) -> None:
    draw_corpus(tmp_path, ["emotion6"], SMALL)
    before = contents(tmp_path)

    def fail(folder: Path) -> Laid:
        (folder / "half.jpg").write_bytes(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(StoreError, match=r"No space left.*Make room"):
        replace_drawn(tmp_path / "emotion6", "emotion6", "another", fail)
    assert contents(tmp_path) == before


# A run that kills itself: KILL is the point, DRAW the settings' seed.
KILLED_RUN = """
import os, signal, sys
from pathlib import Path
from tinyemo_data.sample_corpus import drawn_folder
from tinyemo_data.sample_corpus.layouts import draw_corpus, files
from tinyemo_data.settings import SampleCorpusSettings

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

point = sys.argv[1]
if point == "halfway":
    written = []
    write = files.write_file
    def write_then_die(root, path, content):
        write(root, path, content)
        written.append(path)
        if len(written) == 10:
            die()
    files.write_file = write_then_die
elif point == "before the marker":
    drawn_folder._write_marker = die
elif point == "before the swap":
    drawn_folder._swap = die
elif point == "between the renames":
    rename = Path.rename
    Path.rename = lambda path, target: die() if path.name.endswith(".drawing") else rename(path, target)
draw_corpus(Path(sys.argv[2]), ["emotion6"], SampleCorpusSettings(pictures_per_emotion=4, size=32, seed=1))
"""


@pytest.mark.parametrize("point", ["halfway", "before the marker", "before the swap", "between the renames"])
def test_killed_run_leaves_no_half_drawn_folder_and_the_next_run_completes(tmp_path: Path, point: str) -> None:
    raw, fresh = tmp_path / "raw", tmp_path / "fresh"
    draw_corpus(raw, ["emotion6"], SMALL)
    before = contents(raw / "emotion6")
    ended = subprocess.run([sys.executable, "-c", KILLED_RUN, point, str(raw)], env=os.environ.copy(), check=False)
    assert ended.returncode == -signal.SIGKILL
    assert contents(raw / "emotion6") in ({}, before)
    assert draw_corpus(raw, ["emotion6"], OTHER).drawn == ["emotion6"]
    draw_corpus(fresh, ["emotion6"], OTHER)
    assert contents(raw) == contents(fresh)


def test_marker_lists_every_file_but_itself(tmp_path: Path) -> None:
    draw_corpus(tmp_path, ["webemo"], SMALL)
    marker = read_marker(tmp_path / "webemo")
    found = contents(tmp_path / "webemo")
    assert marker is not None
    assert marker.files == {path: digest for path, digest in found.items() if path != MARKER}
