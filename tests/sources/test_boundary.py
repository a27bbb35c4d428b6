import stat
from pathlib import Path

import pytest

from tinyemo_data.sources.boundary import Boundary, file_mode


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A dataset with links of every kind, beside a file and a folder that are none of its business."""
    root = tmp_path / "data"
    (root / "images").mkdir(parents=True)
    (root / "images" / "1.jpg").write_bytes(b"x")
    (tmp_path / "secret.jpg").write_bytes(b"x")
    (tmp_path / "data2").mkdir()
    (tmp_path / "data2" / "1.jpg").write_bytes(b"x")
    (root / "images" / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    (root / "images" / "inner.jpg").symlink_to(root / "images" / "1.jpg")
    (root / "images" / "gone.jpg").symlink_to("nowhere.jpg")
    (root / "out").symlink_to(tmp_path / "data2")
    (root / "again").symlink_to("images")
    return root


@pytest.mark.parametrize(
    "path", ["images/1.jpg", "images/inner.jpg", "images/gone.jpg", "images/absent.jpg", "again/1.jpg", "images"]
)
def test_boundary_holds_what_stays_in_the_dataset(root: Path, path: str) -> None:
    assert Boundary(root).holds(path)


@pytest.mark.parametrize(
    "path",
    [
        "images/link.jpg",
        "../secret.jpg",
        "images/../../data2/1.jpg",
        "/etc/hostname",
        "C:/x.jpg",
        "",
        "out/1.jpg",
        "out",
    ],
)
def test_boundary_refuses_what_leads_out(root: Path, path: str) -> None:
    assert not Boundary(root).holds(path)


def test_boundary_of_a_link_is_the_folder_behind_it(root: Path) -> None:
    (root.parent / "alias").symlink_to("data")
    boundary = Boundary(root.parent / "alias")
    assert boundary.holds("images/inner.jpg") and not boundary.holds("images/link.jpg")


def test_boundary_tells_folders_that_lead_out(root: Path) -> None:
    boundary = Boundary(root)
    assert [name for name in ("", "images", "again", "out", "..") if boundary.holds_folder(name)] == [
        "",
        "images",
        "again",
    ]


@pytest.mark.parametrize("name", ["none", "a\0b", "x" * 5000, "loop"])
def test_file_mode_is_zero_when_nothing_is_there(tmp_path: Path, name: str) -> None:
    (tmp_path / "loop").symlink_to("loop")
    assert file_mode(f"{tmp_path}/{name}") == 0


def test_file_mode_tells_links_from_what_they_name(root: Path) -> None:
    assert stat.S_ISREG(file_mode(f"{root}/images/inner.jpg"))
    assert stat.S_ISLNK(file_mode(f"{root}/images/inner.jpg", follow=False))
