"""`tinyemo review`: what is undecided, what is wrong with the file, and an answer that a script can use."""

import io

import pytest
from rich.console import Console

from tests.audit.review.test_review import decide
from tinyemo_data import settings
from tinyemo_data.audit.command import review_here
from tinyemo_data.errors import ReviewError
from tinyemo_data.store import Store


def told(store: Store) -> tuple[bool, str]:
    """Return whether all is decided, and what was printed."""
    page = io.StringIO()
    chosen = settings.load("demo").model_copy(update={"store": store.url})
    decided = review_here(chosen, Console(file=page, width=120))
    return decided, page.getvalue()


def test_review_lists_undecided_slices_and_where_to_look(audited_store: Store) -> None:
    decided, text = told(audited_store)
    assert not decided
    assert "1 of 1 flagged slices are undecided." in text
    assert "a0 → anger" in text
    assert "audit/report.html" in text


def test_review_is_content_when_all_is_decided(audited_store: Store) -> None:
    told(audited_store)
    decide(audited_store)
    decided, text = told(audited_store)
    assert decided
    assert "0 of 1 flagged slices are undecided." in text
    assert "A second person should look at:" in text


def test_review_names_the_line_of_a_fault(audited_store: Store) -> None:
    told(audited_store)
    decide(audited_store, severity="high")
    with pytest.raises(ReviewError, match=r"line 2: the severity is 'high'"):
        told(audited_store)
