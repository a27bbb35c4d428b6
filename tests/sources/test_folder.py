import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyemo_data import taxonomy
from tinyemo_data.errors import LayoutError, UnknownLabelError
from tinyemo_data.sources.boundary import leads_out
from tinyemo_data.sources.folder import Tree, find_emotions, is_junk, is_picture, posix, within
from tinyemo_data.sources.source import DatasetCard, Reject

CARD = DatasetCard("toy", "Toy", "https://example.org", "none", "inner/<emotion>/*.jpg", "mikels8", {})


def lay(root: Path, *paths: str) -> Path:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"x")
    return root


def reasons(found: object) -> dict[str, str]:
    assert isinstance(found, list)
    return {item.path: item.reason for item in found if isinstance(item, Reject)}


@pytest.mark.parametrize("name", [".DS_Store", "._a.jpg", "Thumbs.db", "desktop.ini", "ReadMe.RTF", "__MACOSX", ".git"])
def test_is_junk_accepts_what_systems_leave_behind(name: str) -> None:
    assert is_junk(name)


@pytest.mark.parametrize("name", ["a.jpg", "readme.txt", "rtf", "thumbs.jpg"])
def test_is_junk_refuses_what_a_person_put_there(name: str) -> None:
    assert not is_junk(name)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.JPG", True), ("a.Jpeg", True), ("a.png", True), ("a.txt", False), ("jpg", False)],
)
def test_is_picture_looks_at_the_suffix_in_any_case(name: str, expected: bool) -> None:
    assert is_picture(name) is expected


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        ("anger\\1.jpg", "anger/1.jpg"),
        ("./anger/./1.jpg", "anger/1.jpg"),
        ("anger//1.jpg ", "anger/1.jpg"),
        ("/etc//x.jpg", "/etc/x.jpg"),
        ("../x.jpg", "../x.jpg"),
        ("./", ""),
    ],
)
def test_posix_gives_one_spelling_a_path(listed: str, expected: str) -> None:
    assert posix(listed) == expected


@given(st.text(max_size=40))
def test_posix_is_idempotent(listed: str) -> None:
    assert posix(posix(listed)) == posix(listed)


@given(st.lists(st.sampled_from(["..", ".", "a", "", "/", "\\", "C:"]), max_size=6).map("/".join))
def test_within_leads_out_exactly_when_the_resolved_path_could(listed: str) -> None:
    path = within("base", listed)
    stays = os.path.normpath(f"/top/{path}").startswith("/top/base/") and not path.startswith("/")
    assert leads_out(path) or stays


def test_tree_lists_pictures_in_sorted_order_when_written_in_another(tmp_path: Path) -> None:
    lay(tmp_path, "c.jpg", "a.JPG", "b.png", ".hidden.jpg", "Thumbs.db", "notes.rtf")
    assert list(Tree(tmp_path).pictures("")) == ["a.JPG", "b.png", "c.jpg"]


def test_tree_rejects_what_is_no_picture_with_its_reason(tmp_path: Path) -> None:
    lay(tmp_path, "notes.txt", "sub/a.jpg")
    os.mkfifo(tmp_path / "pipe.jpg")
    found = reasons(list(Tree(tmp_path).pictures("")))
    assert found == {"notes.txt": "not_a_picture", "sub": "unexpected_folder", "pipe.jpg": "not_a_picture"}


def test_tree_rejects_links_that_lead_out_and_keeps_those_that_stay(tmp_path: Path) -> None:
    outside = lay(tmp_path / "outside", "secret.jpg", "more/x.jpg")
    root = lay(tmp_path / "data", "real.jpg", "folder/y.jpg")
    (root / "out.jpg").symlink_to(outside / "secret.jpg")
    (root / "in.jpg").symlink_to("real.jpg")
    (root / "gone.jpg").symlink_to("nowhere.jpg")
    (root / "loop.jpg").symlink_to("loop.jpg")
    (root / "more").symlink_to(outside / "more")
    found = list(Tree(root).pictures(""))
    assert [path for path in found if isinstance(path, str)] == ["in.jpg", "real.jpg"]
    assert reasons(found) == {
        "folder": "unexpected_folder",
        "gone.jpg": "missing",
        "loop.jpg": "missing",
        "more": "outside_dataset",
        "out.jpg": "outside_dataset",
    }
    assert Tree(root).folders("") == ["folder"]


def test_tree_follows_its_root_when_that_is_a_link_itself(tmp_path: Path) -> None:
    lay(tmp_path / "real", "a.jpg")
    (tmp_path / "link").symlink_to("real")
    assert list(Tree(tmp_path / "link").pictures("")) == ["a.jpg"]


@pytest.mark.parametrize("name", [b"a\xff.jpg", b"a\nb.jpg", b"a\x7f.jpg"], ids=["bytes", "newline", "delete"])
def test_tree_rejects_a_name_that_no_table_can_hold(tmp_path: Path, name: bytes) -> None:
    with Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).open("wb"):
        pass
    (found,) = Tree(tmp_path).pictures("")
    assert isinstance(found, Reject)
    assert found.reason == "bad_name"
    assert found.path.encode().isascii()
    assert found.path.isprintable()


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("../data/a.jpg", "outside_dataset"),
        ("/etc/passwd", "outside_dataset"),
        ("C:/a.jpg", "outside_dataset"),
        ("", "outside_dataset"),
        ("b.jpg", "missing"),
        ("a.jpg/b.jpg", "missing"),
        ("x" * 5000, "missing"),
        ("a\0.jpg", "bad_name"),
    ],
)
def test_tree_refuses_a_listed_path(tmp_path: Path, path: str, reason: str) -> None:
    root = lay(tmp_path / "data", "a.jpg")
    refused = Tree(root).refusal(path)
    assert refused is not None
    assert refused.reason == reason


def test_tree_finds_a_folder_and_a_file_when_their_case_differs(tmp_path: Path) -> None:
    tree = Tree(lay(tmp_path, "UnbiasedEmo/x.jpg", "OASIS.CSV", "images/oasis.csv"))
    assert tree.child("", "UnBiasedEmo") == "UnbiasedEmo"
    assert tree.file("", "oasis.csv") == "OASIS.CSV"
    assert tree.file("images", "OASIS.csv") == "images/oasis.csv"
    assert tree.child("", "oasis.csv") is None
    assert tree.file("", "images") is None


def test_tree_raises_layout_error_when_its_root_is_no_folder(tmp_path: Path) -> None:
    with pytest.raises(LayoutError, match="no folder"):
        Tree(tmp_path / "absent")


@pytest.mark.parametrize("nested", ["inner/", "INNER/", ""])
def test_find_emotions_accepts_the_inner_folder_or_what_is_in_it(tmp_path: Path, nested: str) -> None:
    tree = Tree(lay(tmp_path, f"{nested}Sad/1.jpg", f"{nested}awe/2.jpg"))
    at, folders = find_emotions(tree, ("inner",), taxonomy.get("mikels8"), CARD)
    assert at == nested.rstrip("/")
    assert folders == [(f"{nested}Sad", "sadness"), (f"{nested}awe", "awe")]


def test_find_emotions_names_the_folder_and_the_nearest_label_when_one_is_unknown(tmp_path: Path) -> None:
    tree = Tree(lay(tmp_path, "inner/amusment/1.jpg"))
    with pytest.raises(UnknownLabelError, match=r"inner/amusment.*Did you mean 'amusement'"):
        find_emotions(tree, ("inner",), taxonomy.get("mikels8"), CARD)


def test_find_emotions_says_what_it_expected_and_saw_when_the_layout_is_another(tmp_path: Path) -> None:
    tree = Tree(lay(tmp_path, *(f"photo{number}.jpg" for number in range(9)), "albums/x.jpg"))
    with pytest.raises(LayoutError) as caught:
        find_emotions(tree, ("inner",), taxonomy.get("mikels8"), CARD)
    assert CARD.layout in str(caught.value)
    assert "'albums' (a folder), 'photo0.jpg'" in str(caught.value)
    assert "and 4 more" in str(caught.value)
