import re
import string

import polars as pl
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tinyemo_data.hub.private_text import PATTERNS, find_private, find_rows, patterns_here

LETTERS = st.text(string.ascii_letters + string.digits, min_size=1, max_size=12)
PIECES = st.one_of(
    LETTERS,
    st.sampled_from([
        "/home/", "/tmp/", "@", ".org", "sk-", "hf_", "C:\\", "file://", "data:image/", " ", "\n", "a" * 300, "é", "/",
        "/9j/4AAQSkZJRgABAQAAAQABAAD", "iVBORw0KGgoAAAANSUhEUgAAAAE", "-----BEGIN RSA PRIVATE KEY",
    ]),
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=8).map("".join)


@given(texts=st.lists(st.one_of(TEXTS, st.none()), min_size=1, max_size=6))
@example(texts=["anna@example.org", None, "/home/anna/x"])
@hypothesis_settings(max_examples=150, deadline=None)
def test_find_rows_agrees_with_looking_through_one_text_after_another(texts: list[str | None]) -> None:
    slow = [(row, next(find_private(text, PATTERNS)).reason) for row, text in enumerate(texts)
            if text is not None and any(find_private(text, PATTERNS))]  # fmt: skip
    assert find_rows(pl.Series(texts, dtype=pl.String), PATTERNS) == slow


@given(before=LETTERS, user=LETTERS, after=st.sampled_from([" ", "\n", ".", ",", ")", '"']))
def test_find_private_finds_a_home_and_an_address_within_a_text(before: str, user: str, after: str) -> None:
    home = next(find_private(f"{before} /home/{user}/x{after}", PATTERNS))
    mail = next(find_private(f"{before} {user}@example.org{after}", {"email_address": PATTERNS["email_address"]}))
    assert (home.reason, mail.reason) == ("absolute_path", "email_address")


def test_patterns_here_hold_this_machine_s_folders_but_no_bare_root() -> None:
    here = patterns_here(("/srv/store/x", "/tmp"))
    assert re.search(here["machine_place"], "in /srv/store/x/y")
    assert not re.fullmatch(here["machine_place"], "/tmp")
