import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyemo_data.hub.private_text import PATTERNS, find_private
from tinyemo_data.hub.public_json import ORIGINS, read_public, without_folder, without_folders
from tinyemo_data.store import Store

NAMES = st.text(string.ascii_letters + string.digits + "._-", min_size=1, max_size=8).filter(lambda one: one.strip("."))
PATHS = st.lists(NAMES, min_size=1, max_size=4).map(lambda parts: "/home/" + "/".join(parts))
VALUES = st.recursive(
    st.one_of(PATHS, NAMES, st.integers(), st.booleans(), st.none()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3)),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("location", "told"),
    [
        ("/srv/models/tower", "tower"), ("~/phi", "phi"), ("./backbone", "backbone"), ("../../x/y", "y"),
        ("org/name", "org/name"), ("org/name@main", "org/name@main"), ("</s>", "</s>"), ("/", "/"), ("", ""),
    ],
)  # fmt: skip
def test_without_folder_keeps_a_path_s_last_part_and_any_other_text(location: str, told: str) -> None:
    assert without_folder(location) == told


@given(values=VALUES)
def test_without_folders_leaves_no_path_at_any_depth_and_nothing_to_do_twice(values: Any) -> None:
    public = without_folders(values)
    assert not any(find_private(str(public), {"absolute_path": PATTERNS["absolute_path"]}))
    assert without_folders(public) == public


def test_read_public_changes_no_byte_of_a_file_that_names_no_folder(store: Store) -> None:
    store.write_bytes("a.json", b'{"model_type":  "llava", "template": "/srv/x"}')
    assert read_public(store, "a.json", ORIGINS) == store.read_bytes("a.json")
    assert b'"template": "x"' in read_public(store, "a.json")
